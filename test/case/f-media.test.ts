import { expect, test } from 'vitest'
import { mediaBlock } from '../../src/face/mcp/media-tool.ts'
import { HEAD_BYTES, typeByBytes, typeByName } from '../../src/face/media-type.ts'
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

test('F5+: no two first bytes, and no text, are taken for sound or an image', async () => {
  for (let first = 0; first < 256; first++) {
    for (let second = 0; second < 256; second++) {
      const block = await mediaBlock('/x', Uint8Array.of(first, second))
      if (block.type !== 'resource') expect(block.type, `${first} ${second}`).toBe('resource')
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
    const block = await mediaBlock('/x', bytesOf(text))
    expect(block, text).toMatchObject({
      type: 'resource',
      resource: { mimeType: 'application/octet-stream' },
    })
  }
})

test('F5+: no text of a whole page is taken for one either', async () => {
  for (const start of ['GIF', 'BM', 'MZ', '%!', 'RIFF', 'ID3', 'OggS', 'wOFF', 'PK', 'Rar!']) {
    for (const rest of [' is a word.\n', ' est un mot \xe9crit\n']) {
      const text = start + rest.repeat(1000)
      expect(await typeByBytes(bytesOf(text)), start + rest).toBeUndefined()
    }
  }
})

test('F5+: whatever the bytes are, they are named in time, and only their beginning is looked at', async () => {
  const starts = FILES.map(([, text]) => bytesOf(text))
  const asf = Buffer.from('3026b2758e66cf11a6d900aa0062ce6c', 'hex')
  const ebml = Buffer.from('1a45dfa3ffffffffffffffff', 'hex')
  const zip = Buffer.from('504b0304140000000800', 'hex')
  for (const start of [
    ...starts,
    asf,
    ebml,
    zip,
    bytesOf('7z\xbc\xaf\x27\x1c'),
    bytesOf('MM\0*'),
  ]) {
    for (const fill of [0, 1, 0x7f, 0xff]) {
      const bytes = Buffer.alloc(HEAD_BYTES * 10, fill)
      bytes.set(start)
      const before = process.cpuUsage()
      const type = await typeByBytes(bytes)
      const { user, system } = process.cpuUsage(before)
      expect((user + system) / 1000, start.toString('latin1')).toBeLessThan(500)
      expect(await typeByBytes(bytes.subarray(0, HEAD_BYTES))).toBe(type)
    }
  }
})

test('F5+: over HTTP a file is what its name says, else its first bytes; never a page or a program', async () => {
  const served = await serveMcpReal()
  const typeOf = async (path: string, text: string, method = 'GET') => {
    const url = `/v1/workspaces/main/files${path}`
    if (method === 'GET') await served.ask('PUT', url, { body: new Uint8Array(bytesOf(text)) })
    const answer = await served.ask(method, url)
    expect(answer.headers.get('content-disposition'), path).toBe('attachment')
    expect(answer.headers.get('x-content-type-options'), path).toBe('nosniff')
    expect(answer.headers.get('content-security-policy'), path).toMatch(/^sandbox;/)
    await answer.arrayBuffer()
    return answer.headers.get('content-type')
  }
  const large = PNG + '\0'.repeat(300_000)
  for (const [path, text, type] of [
    ['/no-name', PNG, 'image/png'],
    ['/large', large, 'image/png'],
    ['/x.unknown', '%PDF-1.7', 'application/pdf'],
    ['/LICENSE', 'words', 'application/octet-stream'],
    ['/page', '<!doctype html><script>x()</script>', 'application/octet-stream'],
    ['/scan.PNG', 'no image', 'image/png'],
    ['/data.json', '{}', 'application/json'],
    ['/notes.md', '#', 'text/markdown; charset=utf-8'],
    ['/report.docx', 'x', typeByName('a.docx')],
  ] as const) {
    expect(await typeOf(path, text), path).toBe(type)
    expect(await typeOf(path, text, 'HEAD'), path).toBe(type)
  }
})

test('F5+: no name makes a browser run or draw a file', () => {
  const runs =
    'html htm xhtml shtml svg xml xsl xslt rss atom rdf js mjs cjs jsx ts tsx css php pl sh mht eml htc vcf ics swf'
  for (const extension of runs.split(' ')) {
    expect(typeByName(`/a.${extension}`), extension).toBe('text/plain; charset=utf-8')
  }
  for (const none of ['/Makefile', '/html', '/.html/x', '/x.', '/x.constructor', '/x.__proto__']) {
    expect(typeByName(none), none).toBeUndefined()
  }
  for (const [extension, type] of Object.entries({
    flac: 'audio/flac',
    gz: 'application/gzip',
    jsonl: 'application/x-ndjson',
    py: 'text/plain; charset=utf-8',
    toml: 'application/toml',
    woff2: 'font/woff2',
    yml: 'application/yaml',
  })) {
    expect(typeByName(`/a.b/x.${extension}`), extension).toBe(type)
  }
})
