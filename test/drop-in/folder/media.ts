import { type Entry, file } from './entry.ts'

/** Images and sound of every ending that is known, and files whose ending says what they are not. */
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABpfZFQAAAAABJRU5ErkJggg==',
  'base64',
)
const GIF = Buffer.from('R0lGODlhAQABAAAAACwAAAAAAQABAAACAkQBADs=', 'base64')
const JPEG = Buffer.from(
  'ffd8ffe000104a46494600010100000100010000ffdb004300ff00ffd900000000',
  'hex',
)

/** A header, and as many zeros as make it long enough to be told by its bytes. */
function headed(...parts: (string | number)[]): Buffer {
  const bytes = parts.map((part) =>
    typeof part === 'number' ? Buffer.of(part) : Buffer.from(part, 'latin1'),
  )
  return Buffer.concat([...bytes, Buffer.alloc(64)])
}

const WAV = headed('RIFF', '\x24\0\0\0', 'WAVEfmt ', '\x10\0\0\0\x01\0\x01\0')
const WEBP = headed('RIFF', '\x24\0\0\0', 'WEBPVP8 ')
const BMP = headed('BM', '\x7a\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0')
const OGG = headed('OggS', '\0\x02', '\0'.repeat(20), '\x01\x1e', '\x01vorbis')
const MP3 = headed('ID3', 3, 0, 0, '\0\0\0\x10', '\0'.repeat(16), 0xff, 0xfb, 0x90, 0x64)
const FLAC = headed('fLaC', '\0\0\0\x22')
const MP4 = headed('\0\0\0\x18', 'ftypmp42', '\0\0\0\0', 'mp42isom')

export const MEDIA: Entry[] = [
  file('media/pixel.png', PNG),
  file('media/UPPER.PNG', PNG),
  file('media/photo.jpg', JPEG),
  file('media/photo.jpeg', JPEG),
  file('media/moving.gif', GIF),
  file('media/image.webp', WEBP),
  file('media/image.bmp', BMP),
  file('media/drawing.svg', '<svg xmlns="http://www.w3.org/2000/svg"/>\n'),
  file('media/sound.mp3', MP3),
  file('media/sound.wav', WAV),
  file('media/sound.ogg', OGG),
  file('media/sound.flac', FLAC),
  file('media/document.pdf', '%PDF-1.4\n%\u00e2\u00e3\n'),
  file('media/film.mp4', MP4),
  file('media/text-named.png', 'this is no image\n'),
  file('media/gif-named.jpg', GIF),
  file('media/png-without-ending', PNG),
  file('media/empty.png', ''),
  file('media/ünï 漢字.png', PNG),
]
