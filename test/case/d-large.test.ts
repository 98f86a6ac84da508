import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { LIMITS } from '../../src/contract/limits.ts'
import type { Content } from '../../src/engine/api.ts'
import { readText, type TextPart } from '../../src/engine/file/read-text.ts'
import { type RunningServer, startServer } from '../../src/server.ts'
import { Place, SLUICE } from '../cli/sluice.ts'
import { EngineWorld } from '../engine/world.ts'
import { connectMcp } from '../face/mcp-client.ts'

/** D2 and D4: files that do not fit where texts are worked on. */
const LINE = 50
const line = (i: number): string => `${String(i).padStart(LINE - 1, '0')}\n`

/** A log of any size that is nowhere: it is made as it is read, and counts what was. */
function log(lines: number): { content: Content; readBytes: () => number } {
  let read = 0
  const size = lines * LINE
  const content: Content = {
    size,
    sha256: '',
    async *stream(start = 0, end = size) {
      for (let at = start; at < end; ) {
        const stop = Math.min(end, at + 128 * 1024)
        const first = Math.floor(at / LINE)
        const count = Math.ceil(stop / LINE) - first
        const text = Array.from({ length: count }, (_, i) => line(first + i)).join('')
        read += stop - at
        yield Buffer.from(text).subarray(at - first * LINE, stop - first * LINE)
        at = stop
      }
    },
  }
  return { content, readBytes: () => read }
}

describe('D2: a part of a large text', () => {
  test('D2: reads no more than it needs of 1 GB, from either end', async () => {
    const lines = 20_000_000
    for (const [part, first, last] of [
      [{ head: 5 }, 0, 4],
      [{ tail: 6 }, lines - 5, lines - 1],
      [{ offset: 3000, limit: 5 }, 3000, 3004],
    ] as [TextPart, number, number][]) {
      const { content, readBytes } = log(lines)
      const { text, cut } = await readText(content, part, LIMITS.answerBytes)
      const shown = text.split('\n').filter((one) => one !== '')
      expect([shown[0], shown.at(-1), shown.length, cut]).toEqual([
        line(first).trim(),
        line(last).trim(),
        5,
        false,
      ])
      expect(readBytes()).toBeLessThan(600 * 1024)
    }
  })

  test('D2: what is too much for one answer is cut between lines, and goes on from an offset', async () => {
    const { content, readBytes } = log(1_000_000)
    let offset = 0
    const most = 10_000
    for (let i = 0; i < 3; i++) {
      const read = await readText(content, { offset, limit: undefined }, most)
      expect(read.cut).toBe(true)
      expect(read.text.length).toBe(10_000)
      expect(read.text.startsWith(line(offset))).toBe(true)
      expect(read.nextOffset).toBe(offset + 200)
      offset = read.nextOffset as number
    }
    expect(readBytes()).toBeLessThan(1024 * 1024)
    const tail = await readText(content, { tail: 5000 }, most)
    expect(tail.cut).toBe(true)
    expect(tail.text.startsWith(line(1_000_000 - 199))).toBe(true)
  })

  test('D2: a line that is longer than an answer is cut between characters', async () => {
    const bytes = Buffer.from('\u{1f600}'.repeat(5000))
    const long: Content = {
      size: bytes.length,
      sha256: '',
      stream: async function* (s = 0, e = bytes.length) {
        yield bytes.subarray(s, e)
      },
    }
    for (const part of [{ head: 1 }, { tail: 1 }]) {
      const { text, lossy } = await readText(long, part, 9_999)
      expect([text.isWellFormed(), text.includes('\ufffd'), lossy]).toEqual([true, false, false])
      expect(text.length).toBe(4998)
    }
  })

  test('D2+: parts are those of the official server, however the file comes in', async () => {
    const seed = Number(process.env.SLUICE_SEED ?? Date.now() % 1e9)
    const piece = fc.constantFrom('a', 'bc', '', '\n', '\r\n', '\n', '漢', '\u{1f600}')
    const property = fc.asyncProperty(
      fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join('')),
      fc.integer({ min: 2, max: 9 }),
      fc.nat(6),
      fc.nat(6),
      fc.constantFrom('utf8', 'utf16le' as const),
      async (text, chunk, count, offset, encoding) => {
        const isWide = encoding === 'utf16le'
        const bytes = Buffer.from(isWide ? `\ufeff${text}` : text, encoding as 'utf8')
        const step = isWide ? chunk * 2 : chunk
        const content: Content = {
          size: bytes.length,
          sha256: '',
          async *stream(start = 0, end = bytes.length) {
            for (let at = start; at < end; at += step)
              yield bytes.subarray(at, Math.min(end, at + step))
          },
        }
        const read = async (part: TextPart) => (await readText(content, part, 1e6)).text
        const lines = text.split('\n')
        const head = lines.at(-1) === '' ? lines.slice(0, -1) : lines
        expect(await read({ head: count })).toBe(head.slice(0, count).join('\n'))
        const tail = text.replaceAll('\r\n', '\n').split('\n')
        expect(await read({ tail: count })).toBe(count === 0 ? '' : tail.slice(-count).join('\n'))
        const tokens = text.split(/(?<=\n)/)
        expect(await read({ offset, limit: count })).toBe(
          tokens.slice(offset, offset + count).join(''),
        )
        expect(await read({ offset: 0, limit: undefined })).toBe(text)
      },
    )
    await fc.assert(property, { seed, numRuns: 300 })
  })
})

const LARGE_BYTES = 40_000_000

async function serveLog(): Promise<RunningServer & { ask: typeof fetch; token: string }> {
  const data = await mkdtemp(join(tmpdir(), 'sluice-large-'))
  const server = await startServer({ data, host: '127.0.0.1', port: 0 })
  onTestFinished(async () => {
    await server.close()
    await rm(data, { recursive: true, force: true })
  })
  const { readFile } = await import('node:fs/promises')
  const token = (await readFile(join(data, 'admin.token'), 'utf8')).trim()
  const ask: typeof fetch = (path, init = {}) =>
    fetch(server.url + String(path), {
      ...init,
      headers: { authorization: `Bearer ${token}`, ...init.headers },
    })
  return { ...server, ask, token }
}

const lines = LARGE_BYTES / LINE
const PARTS = [
  [{ head: 5 }, line(0) + line(1) + line(2) + line(3) + line(4).trim()],
  [{ tail: 3 }, `${line(lines - 2)}${line(lines - 1)}`],
  [{ offset: 700_000, limit: 2 }, line(700_000) + line(700_001)],
] as const

describe('D2, D4: a log of 40 MB', () => {
  const whole = Buffer.from(Array.from({ length: lines }, (_, i) => line(i)).join(''))
  const file = '/v1/workspaces/main/files/log'

  test('D2: its parts over MCP and HTTP; a part proves nothing', async () => {
    const { url, ask, token } = await serveLog()
    expect((await ask(file, { method: 'PUT', body: whole })).status).toBe(201)
    const { call } = await connectMcp({ url, tokenOf: () => token })
    for (const [part, text] of PARTS) {
      expect((await call('read_text_file', { path: '/log', ...part })).structured.content).toBe(
        text,
      )
      const query = new URLSearchParams(Object.entries(part).map(([k, v]) => [k, String(v)]))
      const read = await ask(`/v1/workspaces/main/text/log?${query}`)
      expect(await read.json()).toMatchObject({ text, encoding: 'utf-8', size: LARGE_BYTES })
    }
    const all = await call('read_text_file', { path: '/log' })
    const next = LIMITS.answerBytes / LINE
    expect(all.structured.next_offset).toBe(Math.floor(next))
    expect(all.text).toContain(`Go on with offset ${Math.floor(next)}.`)
    // It was shown a part of what it asked for, which proves nothing.
    const fresh = await connectMcp(
      { url, tokenOf: () => token },
      { headers: { 'sluice-session': 'other' } },
    )
    await fresh.call('read_text_file', { path: '/log' })
    const write = await fresh.call('write_file', { path: '/log', content: 'x' })
    expect(write.structured).toMatchObject({ code: 'unseen_version' })
  })

  test('D4: an append, and bytes replaced in the middle; an edit is too large', async () => {
    const { url, ask, token } = await serveLog()
    expect((await ask(file, { method: 'PUT', body: whole })).status).toBe(201)
    const { call } = await connectMcp({ url, tokenOf: () => token })
    const added = await call('append_file', { path: '/log', content: 'the end\n' })
    expect(added.isError).toBe(false)
    const sent = JSON.stringify({
      replace: { text: 'MIDDLE', range: { start: 20e6, end: 20e6 + 6 } },
    })
    const type = { 'content-type': 'application/json' }
    const replaced = await ask(file, { method: 'PATCH', body: sent, headers: type })
    const changed = Buffer.from(whole)
    changed.write('MIDDLE', 20e6)
    const sum = createHash('sha256').update(changed).update('the end\n').digest('hex')
    expect(await replaced.json()).toMatchObject({ size: LARGE_BYTES + 8, sha256: sum })
    const nothing = await call('append_file', { path: '/log', content: '' })
    expect(nothing.structured).toMatchObject({ unchanged: true })
    const edits = [{ oldText: 'the end', newText: 'x' }]
    const edit = await call('edit_file', { path: '/log', edits })
    expect(edit.structured).toMatchObject({ code: 'too_large', limit: LIMITS.textBytes })
  })

  test('D2: its parts over stdio', async () => {
    const place = new Place()
    const server = await place.serve()
    const whole = Array.from({ length: lines }, (_, i) => line(i)).join('')
    const headers = { authorization: `Bearer ${(await place.token()).trim()}` }
    const file = `${server.url}/v1/workspaces/main/files/log`
    expect((await fetch(file, { method: 'PUT', body: whole, headers })).status).toBe(201)
    const client = new Client({ name: 'test', version: '1' })
    const args = [SLUICE, 'mcp']
    const command = process.execPath
    await client.connect(new StdioClientTransport({ command, args, cwd: place.folder }))
    onTestFinished(() => client.close())
    for (const [part, text] of PARTS) {
      const answer = await client.callTool({
        name: 'read_text_file',
        arguments: { path: '/log', ...part },
      })
      expect(answer.structuredContent).toMatchObject({ content: text })
    }
  })
})

describe('D4: changes of large files', () => {
  test('D4+: a commit appends to and replaces in what it made before', async () => {
    const world = await EngineWorld.start()
    const big = 'x'.repeat(100_000)
    await world.call('ann', 'write_file', { path: '/f' }, big)
    await world.call('ann', 'commit', {
      changes: [
        { op: 'append', path: '/f', text: 'one ' },
        { op: 'edit', path: '/f', edits: [{ oldText: 'one', newText: 'two' }] },
        { op: 'append', path: '/f', base64: Buffer.from('three').toString('base64') },
        { op: 'append', path: '/g', text: big },
        { op: 'append', path: '/g', text: '!' },
      ],
    })
    expect(await world.text('bob', '/f')).toBe(`${big}two three`)
    expect(await world.text('bob', '/g')).toBe(`${big}!`)
    const replace = { text: 'TWO', range: { start: 100_000, end: 100_003 } }
    await world.call('ann', 'patch_file', { path: '/f', replace })
    expect(await world.text('bob', '/f')).toBe(`${big}TWO three`)
  })

  test('D4+: many appends to a large file in one commit cost about one', async () => {
    const world = await EngineWorld.start()
    await world.call('ann', 'write_file', { path: '/log' }, 'x'.repeat(100_000))
    const stored = world.blobs.contents.size
    const changes = Array.from({ length: 500 }, (_, i) => ({
      op: 'append' as const,
      path: i % 100 === 50 ? '/other' : '/log',
      text: `${i}\n`,
    }))
    await world.call('ann', 'commit', { changes })
    expect(world.blobs.contents.size - stored).toBeLessThanOrEqual(6)
    const lines = (await world.text('bob', '/log')).slice(100_000).trim().split('\n')
    expect(lines).toHaveLength(495)
    expect(lines.slice(0, 2)).toEqual(['0', '1'])
  })

  test('D4+: an append that would make it larger than a file may be is refused', async () => {
    const world = await EngineWorld.start({ file_bytes: 150_000 })
    await world.call('ann', 'write_file', { path: '/f' }, 'x'.repeat(100_000))
    const append = world.call('ann', 'patch_file', { path: '/f', append: 'x'.repeat(60_000) })
    expect(await world.code(append)).toBe('too_large')
    expect(await world.text('ann', '/f')).toHaveLength(100_000)
  })

  test('D4+: dry_run is not taken for what it does not do', async () => {
    const world = await EngineWorld.start()
    const dry = world.call('ann', 'patch_file', { path: '/f', append: 'x', dry_run: true })
    expect(await world.code(dry)).toBe('invalid_request')
    expect(await world.code(world.text('ann', '/f'))).toBe('not_found')
  })
})
