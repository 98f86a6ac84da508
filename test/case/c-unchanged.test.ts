import { expect, test } from 'vitest'
import { EngineWorld } from '../engine/world.ts'
import { connectMcp, serveMcpReal } from '../face/mcp-client.ts'

/** C6: what changes nothing makes no version, and nobody's reading goes stale. */
test('C6: a whole write, an append, an edit and a replacement that change nothing', async () => {
  const world = await EngineWorld.start()
  const { version } = await world.call('ann', 'write_file', { path: '/f' }, 'one\n')
  await world.text('bob', '/f')
  const same = { path: '/f', version, unchanged: true }
  expect(await world.call('ann', 'write_file', { path: '/f' }, 'one\n')).toMatchObject({
    ...same,
    created: false,
  })
  expect(await world.call('ann', 'patch_file', { path: '/f', append: '' })).toMatchObject(same)
  const edits = [{ oldText: 'one', newText: 'one' }]
  for (const dry_run of [true, false]) {
    const answer = await world.call('ann', 'patch_file', { path: '/f', edits, dry_run })
    expect(answer).toMatchObject(same)
    expect(answer.diff).not.toContain('@@')
  }
  const replace = { text: 'n', range: { start: 1, end: 2 } }
  expect(await world.call('ann', 'patch_file', { path: '/f', replace })).toMatchObject(same)
  const { versions } = await world.call('ann', 'get_history', { path: '/f' })
  expect(versions).toHaveLength(1)
  // Whoever read it before may still write over it.
  await world.call('bob', 'write_file', { path: '/f' }, 'two\n')
})

test('C6: a commit leaves out what it does not change', async () => {
  const world = await EngineWorld.start()
  const { version } = await world.call('ann', 'write_file', { path: '/f' }, 'one')
  const changes = [
    { op: 'write' as const, path: '/f', text: 'one' },
    { op: 'make_folder' as const, path: '/' },
  ]
  const none = await world.call('ann', 'commit', { changes })
  expect(none).toMatchObject({ unchanged: true, files: [{ path: '/f', version, unchanged: true }] })
  const mixed = await world.call('ann', 'commit', {
    changes: [...changes, { op: 'write', path: '/g', text: 'new' }],
  })
  expect(mixed).not.toHaveProperty('unchanged')
  expect(mixed.files).toMatchObject([
    { path: '/g', version: mixed.revision },
    { path: '/f', version, unchanged: true },
  ])
})

test('C6+: a copy onto the same content, a folder that is there, a move to where it is', async () => {
  const world = await EngineWorld.start()
  await world.call('ann', 'commit', {
    changes: [
      { op: 'write', path: '/a', text: 'x' },
      { op: 'write', path: '/b', text: 'x' },
      { op: 'make_folder', path: '/d' },
    ],
  })
  const { revision } = await world.answer('ann', 'get_entry', { path: '/' })
  for (const change of [
    { op: 'copy' as const, path: '/a', to: '/b', overwrite: true },
    { op: 'make_folder' as const, path: '/d' },
    { op: 'move' as const, path: '/a', to: '/a' },
  ]) {
    expect(await world.call('ann', 'commit', { changes: [change] })).toMatchObject({
      revision,
      unchanged: true,
    })
  }
  // A copy that makes a file is one, whatever else holds the same.
  const changes = [{ op: 'copy' as const, path: '/a', to: '/c' }]
  expect(await world.call('ann', 'commit', { changes })).toMatchObject({ revision: revision + 1 })
})

test('C6+: a refusal comes first, also for what would change nothing', async () => {
  const world = await EngineWorld.start()
  const { version } = await world.call('ann', 'write_file', { path: '/f' }, 'one')
  const write = (who: string, more: { if_version?: number } = {}) =>
    world.code(world.call(who, 'write_file', { path: '/f', ...more }, 'one'))
  expect(await write('bob')).toBe('unseen_version')
  expect(await write('ann', { if_version: version - 1 })).toBe('stale_version')
  await world.lock('cyd', '/f')
  expect(await write('ann')).toBe('locked')
  const edits = [{ oldText: 'one', newText: 'one' }]
  expect(await world.code(world.call('ann', 'patch_file', { path: '/f', edits }))).toBe('locked')
})

test('C6+: the locks of a commit are given back, and its request id still answers once', async () => {
  const world = await EngineWorld.start()
  await world.call('ann', 'write_file', { path: '/f' }, 'one')
  const { token } = await world.lock('ann', '/f')
  const changes = [{ op: 'write' as const, path: '/f', text: 'one' }]
  const release = () =>
    world.call('ann', 'commit', { changes, locks: [token], release: true, request_id: 'r0' })
  const released = await release()
  expect(released).toMatchObject({ unchanged: true, files: [{ path: '/f', unchanged: true }] })
  expect(await release()).toEqual(released)
  expect((await world.call('ann', 'list_locks', {})).locks).toEqual([])
  const twice = [...changes, { op: 'append' as const, path: '/log', text: 'x' }]
  const send = () => world.call('ann', 'commit', { changes: twice, request_id: 'r1' })
  const first = await send()
  expect(await send()).toEqual(first)
  expect(await world.text('bob', '/log')).toBe('x')
})

test('C6+: writing the same whole file counts as knowing it', async () => {
  const world = await EngineWorld.start({ write_mode: 'open' })
  await world.call('ann', 'write_file', { path: '/f' }, 'one')
  await world.call('bob', 'write_file', { path: '/f' }, 'one')
  await world.call('admin', 'put_workspace', {
    workspace: 'main',
    settings: { write_mode: 'checked' },
  })
  await world.call('bob', 'write_file', { path: '/f' }, 'two')
  expect(await world.text('ann', '/f')).toBe('two')
})

test('C6: what an agent is told (MCP, HTTP)', async () => {
  const served = await serveMcpReal()
  const { call } = await connectMcp(served)
  const made = await call('write_file', { path: '/f', content: 'one' })
  const again = await call('write_file', { path: '/f', content: 'one' })
  const { version } = made.structured
  expect(again.structured).toMatchObject({ version, unchanged: true })
  expect(again.text).toContain('Nothing changed')
  const edits = [{ oldText: 'one', newText: 'one' }]
  expect((await call('edit_file', { path: '/f', edits })).text).toContain('Nothing changed')
  const put = await served.ask('PUT', '/v1/workspaces/main/files/f', { body: 'one' })
  expect(put.status).toBe(200)
  expect(put.headers.get('etag')).toBe(`"${version}"`)
  expect(await put.json()).toMatchObject({ version, unchanged: true })
})
