import { describe, expect, test } from 'vitest'
import { guessEncoding } from '../../src/text/encoding.ts'
import { connectMcp, type McpClient, serveMcpReal } from '../face/mcp-client.ts'
import type { Served } from '../face/serve.ts'

/** C2: what is read as text and is not the bytes of the file says so, and proves nothing. */
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')
const LATIN = hex('63 61 66 e9 0a 78 3d 31 0a')
const PNG = Buffer.concat([hex('89 50 4e 47 0d 0a 1a 0a 00 00 00 0d'), Buffer.alloc(64, 7)])

async function rig(): Promise<{ call: McpClient['call']; served: Served<never> }> {
  const served = await serveMcpReal()
  const { call } = await connectMcp(served)
  return { call, served: served as unknown as Served<never> }
}

const put = (served: Served<never>, path: string, bytes: Buffer) =>
  served.ask('PUT', `/v1/workspaces/main/files${path}`, { body: new Uint8Array(bytes) })

async function bytesOf(served: Served<never>, path: string): Promise<Buffer> {
  const answer = await served.ask('GET', `/v1/workspaces/main/files${path}`, { token: 'token-b' })
  return Buffer.from(await answer.arrayBuffer())
}

describe('C2: text that is not the file', () => {
  const files: [name: string, bytes: Buffer, encoding: string, text: string][] = [
    ['latin1', LATIN, 'latin1', 'café\nx=1\n'],
    ['windows-1252', hex('93 61 94 0a'), 'windows-1252', '“a”\n'],
    ['UTF-16, little end first', hex('ff fe 61 00 0a 00 62 00'), 'utf-16le', 'a\nb'],
    ['UTF-16, big end first', hex('fe ff 00 61 00 0a 00 62'), 'utf-16be', 'a\nb'],
    ['latin1 and nothing else', Buffer.from('äöü\xff\n', 'latin1'), 'latin1', 'äöüÿ\n'],
  ]
  for (const [name, bytes, encoding, text] of files) {
    test(`C2: ${name} is shown, named, and no proof for a write`, async () => {
      const { call, served } = await rig()
      await put(served, '/f', bytes)
      const read = await call('read_text_file', { path: '/f' })
      expect(read.structured).toMatchObject({ content: text, encoding, lossy: true })
      expect(read.content).toHaveLength(2)
      expect(read.text).toContain(encoding)
      // Not even for whoever wrote those bytes.
      const write = await call('write_file', { path: '/f', content: text.replace('1', '2') })
      expect(write).toMatchObject({
        isError: true,
        structured: { code: 'unseen_version', encoding },
      })
      expect(write.text).toContain('not its exact bytes')
      expect(await bytesOf(served, '/f')).toEqual(bytes)
      const { version } = read.structured
      const forced = await call('write_file', { path: '/f', content: 'x', if_version: version })
      expect(forced.isError).toBe(false)
    })
  }

  test('C2: a PNG has no text to show', async () => {
    const { call, served } = await rig()
    await put(served, '/p.png', PNG)
    const read = await call('read_text_file', { path: '/p.png' })
    expect(read.structured).toMatchObject({ content: '', encoding: 'binary', lossy: true })
    expect(read.text).toContain('read_media_file')
    const write = await call('write_file', { path: '/p.png', content: 'x' })
    expect(write.structured).toMatchObject({ code: 'unseen_version' })
    const edits = [{ oldText: 'PNG', newText: 'GIF' }]
    const edit = await call('edit_file', { path: '/p.png', edits })
    expect(edit.structured).toMatchObject({ code: 'invalid_request', encoding: 'binary' })
    expect(await bytesOf(served, '/p.png')).toEqual(PNG)
  })

  test('C2: an edit changes what it names, and makes nobody know the rest', async () => {
    const { call, served } = await rig()
    await put(served, '/f', LATIN)
    await call('read_text_file', { path: '/f' })
    const edits = [{ oldText: 'x=1', newText: 'x=2' }]
    expect((await call('edit_file', { path: '/f', edits })).isError).toBe(false)
    expect(await bytesOf(served, '/f')).toEqual(hex('63 61 66 e9 0a 78 3d 32 0a'))
    await call('append_file', { path: '/f', content: 'y\n' })
    const write = await call('write_file', { path: '/f', content: 'café\n' })
    expect(write.structured).toMatchObject({ code: 'unseen_version' })
  })

  test('C2+: parts of it and several files at once say so as well', async () => {
    const { call, served } = await rig()
    await put(served, '/f', LATIN)
    await put(served, '/w', hex('ff fe 61 00 0a 00 62 00 0a 00 63 00'))
    const part = async (args: object) =>
      (await call('read_text_file', { path: '/w', ...args })).structured
    expect(await part({ head: 1 })).toMatchObject({ content: 'a', encoding: 'utf-16le' })
    expect(await part({ tail: 2 })).toMatchObject({ content: 'b\nc' })
    expect(await part({ offset: 1, limit: 1 })).toMatchObject({ content: 'b\n', lossy: true })
    const many = await call('read_multiple_files', { paths: ['/f', '/w'] })
    expect(many.text).toContain('was read as latin1')
    expect(many.text).toContain('was read as utf-16le')
    for (const path of ['/f', '/w']) {
      const write = await call('write_file', { path, content: 'x' })
      expect(write.structured).toMatchObject({ code: 'unseen_version' })
    }
  })

  test('C2+: a file that no room is left for is not read, and so not known', async () => {
    const { call, served } = await rig()
    await put(served, '/big', Buffer.alloc(4 * 1024 * 1024, 'line of text\n'))
    await put(served, '/small', Buffer.from('one\n'))
    const other = await connectMcp(served, { token: 'token-b' })
    const { text } = await other.call('read_multiple_files', { paths: ['/big', '/small'] })
    expect(text).toContain('/small: Error - Not shown')
    const write = await other.call('write_file', { path: '/small', content: 'x' })
    expect(write.structured).toMatchObject({ code: 'unseen_version' })
    expect((await call('read_multiple_files', { paths: ['/small', '/none'] })).text).toContain(
      'one',
    )
  })

  test('C2+: a draft that is not UTF-8 says so', async () => {
    const { call, served } = await rig()
    await put(served, '/f', LATIN)
    const taken = await call('acquire_lock', { path: '/f' })
    const { id } = taken.structured.lock as { id: string }
    const released = await served.ask(
      'DELETE',
      `/v1/workspaces/main/locks/${id}?force=true&reason=x`,
      {
        token: 'token-admin',
      },
    )
    expect(released.status).toBe(204)
    const edits = [{ oldText: 'x=1', newText: 'x=2' }]
    const late = await call('edit_file', { path: '/f', edits })
    expect(late.structured).toMatchObject({ code: 'lock_lost', draft: expect.any(String) })
    const draft = await call('read_draft', { draft: late.structured.draft })
    expect(draft.structured).toMatchObject({ lossy: true })
    expect(draft.text).toContain('not its exact bytes')
  })

  test('C2+: reading the bytes themselves is proof again', async () => {
    const { call, served } = await rig()
    await put(served, '/f', LATIN)
    await call('read_text_file', { path: '/f' })
    await call('read_media_file', { path: '/f' })
    expect((await call('write_file', { path: '/f', content: 'x' })).isError).toBe(false)
  })

  test('C2+: text that is UTF-8 is what it was, mark and all', async () => {
    const { call, served } = await rig()
    await put(served, '/f', Buffer.from('\ufeffä漢\u{1f600}\r\n'))
    const read = await call('read_text_file', { path: '/f' })
    expect(read.structured).toEqual({
      content: '\ufeffä漢\u{1f600}\r\n',
      version: expect.any(Number),
    })
    await call('write_file', { path: '/f', content: String(read.structured.content) })
    expect(await bytesOf(served, '/f')).toEqual(Buffer.from('\ufeffä漢\u{1f600}\r\n'))
  })

  test('C2+: what bytes are taken for', () => {
    const wide = Buffer.from('some text, and more of it\n', 'utf16le')
    expect(guessEncoding(wide)).toBe('utf-16le')
    expect(guessEncoding(Buffer.from(wide).swap16())).toBe('utf-16be')
    expect(guessEncoding(Buffer.from('plain\x1b[1m text\n'))).toBe('utf-8')
    expect(guessEncoding(Buffer.from('äöü ßäö \xc3\xa9 ', 'utf8'))).toBe('utf-8')
    expect(guessEncoding(Buffer.concat([Buffer.from('äöüß'), hex('ff')]))).toBe('utf-8')
    expect(guessEncoding(Buffer.alloc(4000))).toBe('binary')
    expect(guessEncoding(hex('ff fe 00 00 61 00 00 00'))).toBe('binary')
    expect(guessEncoding(Buffer.alloc(0))).toBe('utf-8')
  })
})
