/**
 * What a file is by its first bytes (its name may say anything). Models are handed what they take as
 * an image or sound; what else is known goes by its type as a resource, and so does the unknown.
 */
export interface MediaType {
  mimeType: string
  /** As which block models take it. */
  block: 'image' | 'audio' | 'resource'
}

const UNKNOWN: MediaType = { mimeType: 'application/octet-stream', block: 'resource' }

/** Bytes that stand somewhere, as text of one character a byte. */
type Mark = readonly [at: number, bytes: string]

interface Row extends MediaType {
  marks: readonly Mark[]
}

const ROWS: readonly Row[] = [
  row('image', 'image/png', [0, '\x89PNG\r\n\x1a\n'], [12, 'IHDR']),
  row('image', 'image/jpeg', [0, '\xff\xd8\xff']),
  row('image', 'image/gif', [0, 'GIF87a']),
  row('image', 'image/gif', [0, 'GIF89a']),
  row('image', 'image/webp', [0, 'RIFF'], [8, 'WEBP']),
  row('audio', 'audio/wav', [0, 'RIFF'], [8, 'WAVE']),
  row('audio', 'audio/flac', [0, 'fLaC']),
  row('audio', 'audio/ogg', [0, 'OggS'], [28, 'OpusHead']),
  row('audio', 'audio/ogg', [0, 'OggS'], [28, '\x01vorbis']),
  row('audio', 'audio/ogg', [0, 'OggS'], [28, '\x7fFLAC']),
  row('audio', 'audio/mpeg', [0, 'ID3\x02']),
  row('audio', 'audio/mpeg', [0, 'ID3\x03']),
  row('audio', 'audio/mpeg', [0, 'ID3\x04']),
  row('resource', 'image/bmp', [0, 'BM'], [6, '\0\0\0\0']),
  row('resource', 'image/tiff', [0, 'II*\0']),
  row('resource', 'image/tiff', [0, 'MM\0*']),
  row('resource', 'image/avif', [4, 'ftypavif']),
  row('resource', 'image/heic', [4, 'ftyphei']),
  row('resource', 'image/heif', [4, 'ftypmif1']),
  row('resource', 'audio/mp4', [4, 'ftypM4A']),
  row('resource', 'video/quicktime', [4, 'ftypqt']),
  row('resource', 'video/mp4', [4, 'ftyp']),
  row('resource', 'video/webm', [0, '\x1a\x45\xdf\xa3']),
  row('resource', 'application/ogg', [0, 'OggS']),
  row('resource', 'application/pdf', [0, '%PDF-']),
  row('resource', 'application/zip', [0, 'PK\x03\x04']),
  row('resource', 'application/gzip', [0, '\x1f\x8b\x08']),
]

function row(block: MediaType['block'], mimeType: string, ...marks: Mark[]): Row {
  return { block, mimeType, marks }
}

const HEAD_BYTES = 64

export function mediaTypeOf(bytes: Uint8Array): MediaType {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, HEAD_BYTES))
  const text = head.toString('latin1')
  const found = ROWS.find(({ marks }) => marks.every(([at, mark]) => text.startsWith(mark, at)))
  if (found !== undefined) return { mimeType: found.mimeType, block: found.block }
  return isMpegFrame(head) ? { mimeType: 'audio/mpeg', block: 'audio' } : UNKNOWN
}

/** MP3 without tags begins with a frame: 11 bits set, layer III, a rate of bits and of samples. */
function isMpegFrame(head: Buffer): boolean {
  const [sync = 0, kind = 0, rates = 0] = head
  if (head.length < 4 || sync !== 0xff || (kind & 0xe0) !== 0xe0) return false
  const isLayer3 = (kind & 0x06) === 0x02
  const isKnownVersion = (kind & 0x18) !== 0x08
  const bitRate = rates >> 4
  return isLayer3 && isKnownVersion && bitRate > 0 && bitRate < 15 && (rates & 0x0c) !== 0x0c
}
