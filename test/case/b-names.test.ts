import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ShownEvent } from '../../src/contract/events.ts'
import { EngineWorld } from '../engine/world.ts'
import { connectMcp, serveMcpReal } from '../face/mcp-client.ts'

/** Names: `cases` B1–B3. What files take for one name is one for locks, rights, copies and watches. */
test('B1: two spellings of a name that is not there yet are one lock', async () => {
  const world = await EngineWorld.start()
  await world.lock('ann', '/Plan.md', { level: 'exclusive' })
  const write = world.call('bob', 'write_file', { path: '/plan.md' }, 'x')
  expect(await world.code(write)).toBe('locked')
  expect(await world.code(world.call('bob', 'acquire_lock', { path: '/plan.md' }))).toBe(
    'lock_conflict',
  )
  const again = await world.lock('ann', '/PLAN.md', { level: 'exclusive' })
  expect(again.already_held).toBe(true)
  const { locks } = await world.call('bob', 'list_locks', { path: '/pLAN.md' })
  expect(locks.map(({ items }) => items[0]?.path)).toEqual(['/Plan.md'])
})

test('B1: a folder in another case is the folder: its lock, its rights, its watch, its audit', async () => {
  const world = await EngineWorld.start()
  await world.call('admin', 'write_file', { path: '/Team/a' }, 'x')
  await world.lock('ann', '/team', { level: 'exclusive', scope: 'subtree' })
  const write = world.call('bob', 'patch_file', { path: '/Team/a', append: 'x' })
  expect(await world.code(write)).toBe('locked')
  await world.addAgent('eve', { rights: [{ path: '/TEAM', access: 'none' }] })
  expect(await world.code(world.call('eve', 'read_file', { path: '/Team/a' }))).toBe('forbidden')
  const stop = new AbortController()
  const kinds = ['files-committed', 'lock-acquired'] as const
  const query = { workspace: 'main', since: 0, path: '/tEAM', kinds, signal: stop.signal }
  const told: ShownEvent[] = []
  for await (const events of world.engine.watch(await world.caller('bob'), query)) {
    told.push(...events)
    if (told.length >= 2) break
  }
  stop.abort()
  expect(told.map(({ kind }) => kind)).toEqual(['files-committed', 'lock-acquired'])
  const { rows } = await world.call('admin', 'query_audit', { path: '/team' })
  expect(rows.length).toBeGreaterThanOrEqual(3)
})

test('B1+: byte ranges, tickets and releases know a file by any spelling', async () => {
  const world = await EngineWorld.start()
  await world.call('ann', 'write_file', { path: '/Log' }, '0123456789')
  await world.lock('ann', '/log', { range: { start: 0, end: 5 } })
  const replace = (start: number) => ({ text: 'x', range: { start, end: start + 1 } })
  const inside = world.call('bob', 'patch_file', { path: '/Log', replace: replace(2) })
  expect(await world.code(inside)).toBe('locked')
  await world.call('bob', 'patch_file', { path: '/Log', replace: replace(7) })
  const own = await world.call('ann', 'patch_file', { path: '/Log', replace: { text: 'abc' } })
  expect(own.version).toBeGreaterThan(0)
  expect(await world.text('bob', '/Log')).toBe('abc56x89')
})

test('B1+: release_lock by path finds the lock under another spelling (MCP)', async () => {
  const client = await connectMcp(await serveMcpReal())
  await client.call('acquire_lock', { path: '/Plan.md' })
  expect((await client.call('release_lock', { path: '/plan.md' })).text).toMatch(/Released L\d+/)
})

test('B1+: where a workspace tells case apart, so do its locks and rights', async () => {
  const world = await EngineWorld.start()
  const settings = { portable_names: false }
  await world.call('admin', 'put_workspace', { workspace: 'posix', settings })
  await world.lock('ann', '/Plan', { workspace: 'posix', level: 'exclusive' })
  await world.lock('bob', '/plan', { workspace: 'posix', level: 'exclusive' })
  await world.restart()
  const third = world.call('cyd', 'acquire_lock', { workspace: 'posix', path: '/PLAN' })
  expect(await world.code(third)).toBe('none')
})

test('B2: a copy onto another case of its own name passes nothing and changes nothing', async () => {
  const world = await EngineWorld.start()
  await world.call('ann', 'write_file', { path: '/a.txt' }, 'x')
  const change = { op: 'copy' as const, path: '/a.txt', to: '/A.txt' }
  const copy = { changes: [change] }
  const own = world.call('ann', 'commit', copy)
  expect(await world.code(own)).toBe('already_exists')
  await world.lock('ann', '/a.txt', { level: 'exclusive' })
  expect(await world.code(world.call('bob', 'commit', copy))).toBe('locked')
  const overwrite = { changes: [{ ...change, overwrite: true }] }
  expect(await world.code(world.call('ann', 'commit', overwrite))).toBe('already_exists')
  expect(await world.text('ann', '/a.txt')).toBe('x')
  expect((await world.call('ann', 'get_history', { path: '/a.txt' })).versions).toHaveLength(1)
})

test('B2+: a folder is not copied or moved into itself under another spelling', async () => {
  const world = await EngineWorld.start()
  await world.call('ann', 'write_file', { path: '/Dir/f' }, 'x')
  for (const op of ['copy', 'move'] as const) {
    const call = world.call('ann', 'commit', { changes: [{ op, path: '/Dir', to: '/dir/sub' }] })
    expect(await world.code(call), op).toBe('invalid_path')
  }
  await world.call('ann', 'commit', { changes: [{ op: 'move', path: '/Dir', to: '/dir' }] })
  expect(await world.text('ann', '/dir/f')).toBe('x')
})

test('B3: what means something elsewhere is refused with what to write instead (MCP)', async () => {
  const client = await connectMcp(await serveMcpReal())
  const forms: [string, string][] = [
    ['~/notes/a.md', '/notes/a.md'],
    ['~ann/notes/a.md', '/notes/a.md'],
    ['file:///docs/a.md', '/docs/a.md'],
    ['https://host/docs/a.md', '/docs/a.md'],
    ['/c:/notes/a.md', '/notes/a.md'],
    ['C:\\notes\\a.md', '/notes/a.md'],
    ['\\docs\\a.md', '/docs/a.md'],
    ['docs\\a.md', '/docs/a.md'],
    ['%2Fdocs%2Fa.md', '/docs/a.md'],
    ['/docs%5ca.md', '/docs/a.md'],
  ]
  for (const [path, instead] of forms) {
    for (const [tool, more] of [
      ['write_file', { content: 'x' }],
      ['acquire_lock', {}],
      ['create_directory', {}],
    ] as const) {
      const answer = await client.call(tool, { path, ...more })
      expect(answer.structured, `${tool} ${path}`).toMatchObject({ code: 'invalid_path' })
      expect(answer.text, `${tool} ${path}`).toContain(`"${instead}"`)
    }
  }
  const tree = await client.call('list_directory', { path: '/' })
  expect(tree.structured.content).toBe('')
})

test('B3: a path of the client’s machine is refused, saying where files live (MCP)', async () => {
  const client = await connectMcp(await serveMcpReal())
  for (const path of ['/home/ann/notes/a.md', '/Users/ann/notes/a.md', '/root/notes/a.md']) {
    const write = await client.call('write_file', { path, content: 'x' })
    expect(write.structured, path).toMatchObject({ code: 'invalid_path' })
    expect(write.text).toMatch(/Files live in Sluice here.*Write "\/notes\/a.md"/)
    expect((await client.call('acquire_lock', { path })).isError, path).toBe(true)
  }
  // Meant on purpose, it is a folder like any other.
  await client.call('create_directory', { path: '/home' })
  const meant = await client.call('write_file', { path: '/home/ann/notes/a.md', content: 'x' })
  expect(meant.isError).toBe(false)
})

test('B3+: an odd name that was made before can still be read, moved and deleted', async () => {
  const world = await EngineWorld.start()
  const odd = '/docs\\a.md'
  // As a release wrote it that did not refuse the form yet: past the contract's parsing.
  const caller = await world.caller('ann')
  for (const path of [odd, '/%2Fb']) {
    const input = { workspace: 'main', path }
    const content = Buffer.from('x')
    await world.engine.call({ operation: 'write_file', input, caller, content })
  }
  expect(await world.text('ann', odd)).toBe('x')
  for (const operation of ['get_history', 'get_entry'] as const) {
    expect(await world.code(world.call('ann', operation, { path: odd })), operation).toBe('none')
  }
  const move = { op: 'move' as const, path: odd, to: '/docs/a.md' }
  await world.call('ann', 'commit', { changes: [move] })
  await world.call('ann', 'delete_file', { path: '/%2Fb' })
  expect(await world.text('ann', '/docs/a.md')).toBe('x')
})

/** Names in spellings that a case-insensitive file system may take for one. */
const letter = fc.constantFrom(
  'a',
  'A',
  'é',
  'É',
  'e\u0301',
  'ß',
  'σ',
  'Σ',
  'ς',
  'K',
  'k',
  'K',
  'İ',
  'i',
  'ı',
  'ǆ',
  'ǅ',
  'Ǆ',
)
const spelled = fc.array(letter, { minLength: 1, maxLength: 3 }).map((letters) => letters.join(''))

test('B1: any two names that files take for one are one for locks, rights, copies and watches', async () => {
  await fc.assert(
    fc.asyncProperty(spelled, spelled, async (one, other) => {
      const world = await EngineWorld.start()
      const [a, b] = [`/${one}`, `/${other}`]
      await world.call('admin', 'write_file', { path: a }, 'x')
      const entry = world.call('admin', 'write_file', { path: b, if_none: true }, 'y')
      const isOne = (await world.code(entry)) === 'already_exists'
      await world.lock('ann', a, { level: 'exclusive' })
      const locked = await world.code(world.call('bob', 'acquire_lock', { path: b }))
      expect(locked === 'lock_conflict', 'locks').toBe(isOne)
      await world.addAgent('eve', { rights: [{ path: a, access: 'none' }] })
      const read = await world.code(world.call('eve', 'read_file', { path: b }))
      expect(read === 'forbidden', 'rights').toBe(isOne)
      const copy = { changes: [{ op: 'copy' as const, path: a, to: b, overwrite: true }] }
      const copied = await world.code(world.call('ann', 'commit', copy))
      expect(copied === 'already_exists', 'copies').toBe(isOne)
      const { rows } = await world.call('admin', 'query_audit', { path: b, kind: 'lock-acquired' })
      expect(
        rows.some(({ agent }) => agent === 'ann'),
        'watches and audit',
      ).toBe(isOne)
    }),
    { numRuns: 150 },
  )
})
