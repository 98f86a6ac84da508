import { expect, test } from 'vitest'
import { z } from 'zod'
import { connect } from '../../src/client/index.ts'
import { readLoosely } from '../../src/contract/loose-reading.ts'
import { nearName } from '../../src/contract/near-name.ts'
import { parseInput } from '../../src/contract/parse.ts'
import { createFailureLimit } from '../../src/face/http-kit/failure-limit.ts'
import { mountSocket } from '../../src/face/socket/server.ts'
import { connectMcp, serveMcpReal } from '../face/mcp-client.ts'
import { serveReal } from '../face/serve.ts'
import { openStdio } from './stdio-end.ts'

const optionalOf: [string, Record<string, unknown>][] = [
  ['write_file', { path: '/a', content: 'x\ny\n', lock_token: null, if_version: null }],
  ['read_text_file', { path: '/a', head: null, tail: null, offset: null, limit: null }],
  ['edit_file', { path: '/a', edits: [{ oldText: 'x', newText: 'z' }], dryRun: null }],
  ['directory_tree', { path: '/', excludePatterns: null }],
  ['search_files', { path: '/', pattern: '**', excludePatterns: null }],
  ['list_directory_with_sizes', { path: '/', sortBy: null }],
  [
    'acquire_lock',
    { path: '/a', paths: null, type: null, ttl: null, wait: null, lines: null, range: null },
  ],
  ['release_lock', { path: null, lock_id: null, all: true }],
  ['delete_file', { path: '/a', recursive: null, lock_token: null, if_version: null }],
  ['list_locks', { path: null }],
]

test('F1: an optional argument that is null counts as left out (stdio)', async () => {
  const { call } = await openStdio()
  for (const [name, args] of optionalOf) {
    const { result } = await call(name, args)
    expect(result, `${name}: ${result?.content[0]?.text}`).not.toHaveProperty('isError')
  }
})

test('F1: an optional argument that is null counts as left out (MCP over HTTP)', async () => {
  const { call } = await connectMcp(await serveMcpReal())
  for (const [name, args] of optionalOf) {
    const answer = await call(name, args)
    expect(answer.isError, `${name}: ${answer.text}`).toBe(false)
  }
})

test('F1: arguments that are null, missing or text, and params that are null, are answered (stdio)', async () => {
  const { ask, call } = await openStdio()
  for (const args of [null, undefined, '{}', '', 'null', ' { } ']) {
    const { result } = await call('workspace_status', args)
    expect(result?.structuredContent, String(args)).toMatchObject({ agent: 'agent-a' })
  }
  const named = await call('read_text_file', '{"path": "/none"}')
  expect(named.result?.structuredContent).toMatchObject({ code: 'not_found' })
  expect(await ask('{"jsonrpc":"2.0","id":90,"method":"ping","params":null}')).toEqual({
    jsonrpc: '2.0',
    id: 90,
    result: {},
  })
  expect(await ask('{"jsonrpc":"2.0","id":91,"method":"tools/list","params":null}')).toMatchObject({
    id: 91,
    result: { tools: expect.any(Array) },
  })
})

test('F1+: whatever has an id is answered under that id, in words (stdio)', async () => {
  const { ask, call } = await openStdio()
  const params = '"params":{"name":"workspace_status"'
  for (const [line, id, code] of [
    ['{"jsonrpc":"2.0","id":1,"method":"tools/call","params":null}', 1, -32602],
    ['{"jsonrpc":"2.0","id":2,"method":"tools/call","params":[1]}', 2, -32602],
    ['{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":null}}', 3, -32602],
    [`{"jsonrpc":"2.0","id":4,"method":"tools/call",${params},"arguments":[1]}}`, 4, -32602],
    [`{"jsonrpc":"2.0","id":5,"method":"tools/call",${params},"arguments":"x"}}`, 5, -32602],
    ['{"jsonrpc":"2.0","id":6,"method":7}', 6, -32600],
    ['{"jsonrpc":"1.0","id":7,"method":"ping"}', 7, -32600],
    ['{"id":"8","method":"ping"}', '8', -32600],
    ['{"jsonrpc":"2.0","id":9,"method":"ping",}', 9, -32700],
    ['{"jsonrpc":"2.0","id":"ten","method":', 'ten', -32700],
    ['{"jsonrpc":"2.0","id":null,"method":"ping"}', null, -32600],
    ['{"jsonrpc":"2.0","id":1.5,"method":"ping"}', null, -32600],
    ['[{"jsonrpc":"2.0","id":1,"method":"ping"}]', null, -32600],
    ['7', null, -32600],
  ] as const) {
    const answer = await ask(line)
    expect([answer.id, answer.error?.code], line).toEqual([id, code])
    expect(answer.error?.message, line).not.toContain('"expected"')
  }
  const extra = '{"jsonrpc":"2.0","id":11,"method":"ping","extra":1}'
  expect(await ask(extra)).toMatchObject({ id: 11, result: {} })
  const meta = `{"jsonrpc":"2.0","id":12,"method":"tools/call",${params},"_meta":null}}`
  expect((await ask(meta)).result?.structuredContent).toMatchObject({ agent: 'agent-a' })
  expect((await call('workspace_status', {})).result?.isError).toBeUndefined()
})

test('F1+: params and arguments that are null are answered over HTTP too', async () => {
  const { url, tokenOf } = await serveMcpReal()
  const post = async (message: object) => {
    const response = await fetch(`${url}/mcp`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${tokenOf('token-a')}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2025-11-25',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...message }),
    })
    return response.text()
  }
  expect(await post({ method: 'ping', params: null })).toContain('"result":{}')
  const status = { name: 'workspace_status', arguments: null, _meta: null }
  expect(await post({ method: 'tools/call', params: status })).toContain('"agent":"agent-a"')
  expect(await post({ method: 'tools/call', params: [1] })).toContain('"code":-32602')
})

test('F2: arguments given as text are taken as what they mean (stdio)', async () => {
  const { call } = await openStdio()
  const run = async (name: string, args: unknown) => {
    const { result } = await call(name, args)
    expect(result?.isError, `${name}: ${result?.content[0]?.text}`).toBeUndefined()
    return result
  }
  await run('write_file', { path: '/a', content: 'one\ntwo\nthree\n' })
  const edits = JSON.stringify([{ oldText: 'one', newText: '1' }])
  const edited = await run('edit_file', { path: '/a', edits, dryRun: 'false' })
  expect(edited?.content[0]?.text).toContain('+1')
  const read = async (args: object) =>
    (await run('read_text_file', { path: '/a', ...args }))?.content[0]?.text
  expect(await read({ head: '1' })).toBe('1')
  expect(await read({ offset: '1', limit: '1' })).toBe('two\n')
  const dry = { path: '/a', edits, dryRun: 'True' }
  expect((await call('edit_file', dry)).result?.structuredContent?.code).toBe('edit_conflict')
  const many = await run('read_multiple_files', { paths: '["/a"]' })
  expect(many?.content[0]?.text).toContain('two')
  const granted = await run('acquire_lock', {
    paths: '["/a", "/b"]',
    ttl: '60',
    wait: '0',
    stable: 'no',
  })
  expect(granted?.structuredContent?.lock).toMatchObject({ ttl: 60 })
  await run('release_lock', { all: 'true' })
  await run('acquire_lock', { path: '/a', lines: '{"from": "1", "to": 2}' })
  await run('release_lock', { path: '/a', all: 'false' })
  await run('edit_file', { path: '/a', edits: ['{"oldText":"two","newText":"2"}'] })
  expect(await read({})).toBe('1\n2\nthree\n')
})

test('F2: text stays text where text is wanted, whatever it looks like', async () => {
  const { call } = await connectMcp(await serveMcpReal())
  for (const content of ['null', 'true', '10', '[1]', '{"a":1}', '']) {
    await call('delete_file', { path: '/t' })
    await call('write_file', { path: '/t', content })
    expect((await call('read_text_file', { path: '/t' })).text).toBe(content)
  }
})

const NOT_TAKEN: [string, Record<string, unknown>, string][] = [
  ['acquire_lock', { path: '/a', ttl: '' }, 'ttl'],
  ['acquire_lock', { path: '/a', ttl: '0x10' }, 'ttl'],
  ['acquire_lock', { path: '/a', ttl: 'NaN' }, 'ttl'],
  ['acquire_lock', { path: '/a', ttl: true }, 'ttl'],
  ['acquire_lock', { path: '/a', ttl: [] }, 'ttl'],
  ['acquire_lock', { path: '/a', priority: '1.5' }, 'priority'],
  ['write_file', { path: '/a', content: 'x', if_version: '9007199254740993' }, 'if_version'],
  ['acquire_lock', { path: '/a', stable: 'maybe' }, 'stable'],
  ['acquire_lock', { path: '/a', stable: 2 }, 'stable'],
  ['acquire_lock', { paths: '/a' }, 'paths'],
  ['acquire_lock', { paths: '{"0":"/a"}' }, 'paths'],
  ['acquire_lock', { path: '/a', lines: '[1,2]' }, 'lines'],
  ['edit_file', { path: '/a', edits: '[{"oldText":' }, 'edits'],
  ['edit_file', { path: '/a', edits: 'oldText' }, 'edits'],
  ['write_file', { path: '/a', content: 5 }, 'content'],
  ['write_file', { path: '/a', content: null }, 'content'],
]

test('F2+: what could mean something else is refused by its field (MCP)', async () => {
  const { call } = await connectMcp(await serveMcpReal())
  for (const [name, args, field] of NOT_TAKEN) {
    const { structured } = await call(name, args)
    const about = `${name} ${JSON.stringify(args)}`
    const [first] = structured.fields as { field: string }[]
    expect([structured.code, first?.field], about).toEqual(['invalid_request', field])
  }
})

test('F2: bodies and queries of HTTP are read like arguments of tools', async () => {
  const { ask } = await serveReal()
  const ws = '/v1/workspaces/main'
  await ask('PUT', `${ws}/files/a`, { body: 'one\n' })
  const lock = { items: '[{"path":"/a","if_version":null}]', ttl: '60', stable: 'false', any: null }
  const granted = await ask('POST', `${ws}/locks`, { json: { ...lock, priority: null } })
  expect(granted.status).toBe(201)
  expect(await granted.json()).toMatchObject({ lock: { ttl: 60, items: [{ level: 'write' }] } })
  const edits = '[{"oldText":"one","newText":"1"}]'
  const dry = await ask('PATCH', `${ws}/files/a`, { json: { edits, dry_run: 'true' } })
  expect(await dry.json()).toMatchObject({ dry_run: true })
  const wet = await ask('PATCH', `${ws}/files/a`, { json: { edits, dry_run: 'false' } })
  expect(await wet.json()).not.toHaveProperty('dry_run')
  expect((await ask('GET', `${ws}/entries/?depth=2&limit=5`)).status).toBe(200)
  for (const query of ['depth=', 'depth=0x1', 'depth=true', 'limit=1&limit=2']) {
    expect((await ask('GET', `${ws}/entries/?${query}`)).status, query).toBe(400)
  }
  expect((await ask('DELETE', `${ws}/files/a?recursive=maybe`)).status).toBe(400)
  expect((await ask('DELETE', `${ws}/files/a?recursive=false`)).status).toBe(204)
})

test('F2+: null is never a number: a version, a wait or a priority that is null is none', () => {
  const lock = { path: '/a', if_version: null, wait: null, priority: null, lock_delay: null }
  expect(parseInput('acquire_lock', lock)).toEqual({
    ok: true,
    input: { workspace: 'main', path: '/a', wait: 0 },
  })
  expect(parseInput('acquire_lock', { path: '/a', ttl: 'null', intent: 'null' })).toEqual({
    ok: true,
    input: { workspace: 'main', path: '/a', wait: 0, intent: 'null' },
  })
  expect(parseInput('wait_for_lock', { ticket: 'T1', wait: null })).toMatchObject({
    input: { wait: 20 },
  })
  expect(parseInput('write_file', { path: '/a', if_version: '' })).toMatchObject({ ok: false })
  expect(parseInput('write_file', { path: '/a', if_version: false })).toMatchObject({ ok: false })
  const changes = '[{"op":"write","path":"/a","text":"10","if_version":"3","if_none":null}]'
  expect(parseInput('commit', { changes, release: 'false' })).toMatchObject({
    input: { changes: [{ op: 'write', text: '10', if_version: 3 }], release: false },
  })
})

test('F2: the socket reads calls and watches like all doors', async () => {
  const { engine, url, server, tokenOf } = await serveReal()
  const sockets = mountSocket(server.app.server, engine, createFailureLimit(), () => true)
  const sluice = await connect({ url, token: tokenOf('token-a') })
  try {
    const wire = { path: '/a', ttl: '60', wait: null, stable: 'false' } as unknown
    const { value } = await sluice.call('acquire_lock', wire as { path: string })
    expect(value).toMatchObject({ status: 'granted', lock: { ttl: 60 } })
    const strange = { pth: '/a' } as unknown as { path: string }
    await expect(sluice.call('acquire_lock', strange)).rejects.toThrow('did you mean "path"?')
    await expect(
      sluice.call('list_sessions', null as unknown as Record<string, never>),
    ).resolves.toBeDefined()
  } finally {
    await sluice.close()
    sockets.close()
  }
})

test('F3: head 0 and tail 0 give no lines; other nonsense is refused by its field', async () => {
  const { call } = await connectMcp(await serveMcpReal())
  await call('write_file', { path: '/a', content: 'one\ntwo\n' })
  for (const part of [{ head: 0 }, { tail: 0 }, { head: '0' }]) {
    expect(await call('read_text_file', { path: '/a', ...part })).toMatchObject({
      isError: false,
      text: '',
    })
  }
  for (const field of ['head', 'tail', 'offset', 'limit']) {
    for (const nonsense of [-1, 1.5, 'x', 'NaN', true, 2 ** 60]) {
      const { structured } = await call('read_text_file', { path: '/a', [field]: nonsense })
      const [first] = structured.fields as { field: string }[]
      expect([structured.code, first?.field], `${field} ${nonsense}`).toEqual([
        'invalid_request',
        field,
      ])
    }
  }
  const both = await call('read_text_file', { path: '/a', head: 0, tail: 5 })
  expect(both.structured).toMatchObject({ code: 'invalid_request' })
})

const UNKNOWN: [string, Record<string, unknown>, string][] = [
  ['read_text_file', { path: '/a', haed: 5 }, 'haed: unknown argument; did you mean "head"?'],
  ['read_text_file', { file_path: '/a' }, 'file_path: unknown argument; did you mean "path"?'],
  ['write_file', { path: '/a', content: 'x', contents: 'y' }, 'did you mean "content"?'],
  ['edit_file', { path: '/a', edits: [], dry_run: true }, 'did you mean "dryRun"?'],
  ['edit_file', { path: '/a', edits: [{ old_text: 'x' }] }, 'did you mean "oldText"?'],
  ['move_file', { source: '/a', dest: '/b' }, 'did you mean "destination"?'],
  ['search_files', { path: '/', pattern: '*', exclude: [] }, 'did you mean "excludePatterns"?'],
  ['list_directory', { path: '/', zzz: 1 }, 'zzz: unknown argument; it takes path'],
  ['list_allowed_directories', { path: '/' }, 'path: unknown argument; it takes none'],
  ['acquire_lock', { path: '/a', tll: 5 }, 'tll: unknown argument; did you mean "ttl"?'],
  ['acquire_lock', { path: '/a', lines: { from: 1, until: 2 } }, 'lines.until: unknown argument'],
]

test('F4: an unknown argument is refused, naming the near one (MCP)', async () => {
  const { call } = await connectMcp(await serveMcpReal())
  for (const [name, args, words] of UNKNOWN) {
    const answer = await call(name, args)
    expect(answer.structured, name).toMatchObject({ code: 'invalid_request' })
    expect(answer.text, name).toContain(words)
  }
})

test('F4+: an unknown field of a body or a query is refused alike (HTTP)', async () => {
  const { ask } = await serveReal()
  const lock = await ask('POST', '/v1/workspaces/main/locks', {
    json: { path: '/a', levl: 'read' },
  })
  expect(await lock.json()).toMatchObject({
    detail: 'levl: unknown argument; did you mean "level"?',
    fields: [{ field: 'levl' }],
  })
  const list = await ask('GET', '/v1/workspaces/main/entries/?dpeth=1')
  expect(((await list.json()) as { detail: string }).detail).toContain('did you mean "depth"?')
  const events = await ask('GET', '/v1/workspaces/main/events?form=1')
  expect(events.status).toBe(400)
})

test('F4+: the near name is the one that was meant, or none', () => {
  const known = ['path', 'paths', 'lock_token', 'if_version', 'excludePatterns', 'destination']
  for (const [given, near] of [
    ['pth', 'path'],
    ['PATH', 'path'],
    ['lockToken', 'lock_token'],
    ['ifVersion', 'if_version'],
    ['exclude_patterns', 'excludePatterns'],
    ['dest', 'destination'],
    ['apth', 'path'],
    ['filepath', 'path'],
    ['x', undefined],
    ['', undefined],
    ['__proto__', undefined],
    ['encoding', undefined],
  ] as const) {
    expect(nearName(given, known), given).toBe(near)
  }
  expect(nearName('x'.repeat(100_000), known)).toBeUndefined()
})

test('F2+: a reading changes nothing that fits already, and never touches a prototype', () => {
  const type = z.strictObject({ a: z.number().optional(), b: z.array(z.string()).default([]) })
  expect(readLoosely(type, { a: 1, b: ['2', '[3]'] })).toEqual({ a: 1, b: ['2', '[3]'] })
  const hostile = JSON.parse('{"__proto__": {"a": 1}, "constructor": null}') as unknown
  const read = readLoosely(type, hostile) as object
  expect(Object.getPrototypeOf(read)).toBe(Object.prototype)
  expect(Object.keys(read)).toEqual(['__proto__', 'constructor'])
})
