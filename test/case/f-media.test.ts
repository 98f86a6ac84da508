import { expect, test } from 'vitest'
import { mediaTypeOf } from '../../src/face/mcp/media-type.ts'
import { connectMcp, serveMcpReal } from '../face/mcp-client.ts'

const bytesOf = (text: string) => Buffer.from(text, 'latin1')

const PNG = '\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01'
const JPEG = '\xff\xd8\xff\xe0\0\x10JFIF\0'

/** Name, first bytes, and what comes of it. */
const FILES: [string, string, string, string][] = [
  ['/real.png', PNG, 'image', 'image/png'],
  ['/photo.png', JPEG, 'image', 'image/jpeg'],
  ['/no-name', 'GIF89a\x01\0\x01\0', 'image', 'image/gif'],
  ['/x.bin', 'RIFF\x24\0\0\0WEBPVP8 ', 'image', 'image/webp'],
  ['/x.gif', 'RIFF\x24\0\0\0WAVEfmt ', 'audio', 'audio/wav'],
  ['/tagged.txt', 'ID3\x04\0\0', 'audio', 'audio/mpeg'],
  ['/bare.txt', '\xff\xfb\x90\x64', 'audio', 'audio/mpeg'],
  ['/v.ogg', `OggS${'\0'.repeat(24)}\x01vorbis`, 'audio', 'audio/ogg'],
  ['/film.ogg', `OggS${'\0'.repeat(24)}\x80theora`, 'resource', 'application/ogg'],
  ['/empty.png', '', 'resource', 'application/octet-stream'],
  ['/text.png', 'not really', 'resource', 'application/octet-stream'],
  ['/short.png', '\x89PNG', 'resource', 'application/octet-stream'],
  ['/old.bmp', 'BM\x46\0\0\0\0\0\0\0', 'resource', 'image/bmp'],
  ['/vector.svg', '<svg onload="x()"/>', 'resource', 'application/octet-stream'],
  ['/scan.tiff', 'II*\0', 'resource', 'image/tiff'],
  ['/new.jpg', '\0\0\0\x1cftypavif', 'resource', 'image/avif'],
  ['/a.mp3', '\0\0\0\x1cftypM4A ', 'resource', 'audio/mp4'],
  ['/a.pdf', '%PDF-1.7', 'resource', 'application/pdf'],
  ['/utf16.txt', '\xff\xfeh\0i\0', 'resource', 'application/octet-stream'],
]

test('F5: a file is what its first bytes say, and an image only where models take it', async () => {
  const served = await serveMcpReal()
  const { call } = await connectMcp(served)
  for (const [path, text, type, mimeType] of FILES) {
    const body = new Uint8Array(bytesOf(text))
    await served.ask('PUT', `/v1/workspaces/main/files${path}`, { body })
    const answer = await call('read_media_file', { path })
    expect(answer.isError, path).toBe(false)
    const block = answer.content[0] as {
      type: string
      data?: string
      mimeType?: string
      resource?: { mimeType: string; blob: string; uri: string }
    }
    expect([block.type, block.mimeType ?? block.resource?.mimeType], path).toEqual([type, mimeType])
    expect(block.data ?? block.resource?.blob, path).toBe(bytesOf(text).toString('base64'))
  }
})

test('F5+: no two first bytes, and no text, are taken for sound or an image', () => {
  for (let first = 0; first < 256; first++) {
    for (let second = 0; second < 256; second++) {
      expect(mediaTypeOf(Uint8Array.of(first, second)).block).toBe('resource')
    }
  }
  for (const text of [
    'BM is a name',
    'IDEA',
    'RIFF raff',
    'GIFT',
    'PK',
    'a\n',
    '\xef\xbb\xbfhello',
  ]) {
    expect(mediaTypeOf(bytesOf(text)), text).toEqual({
      mimeType: 'application/octet-stream',
      block: 'resource',
    })
  }
})
