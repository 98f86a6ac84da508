import { expect, test } from 'vitest'
import type { ShownEvent } from '../../src/contract/events.ts'
import { SERVER_STREAM } from '../../src/contract/events.ts'
import { EngineWorld } from '../engine/world.ts'
import { serveReal } from '../face/serve.ts'

/** Rights that are all there is, and facts about agents: `cases` A5 and A6. */
test('A5, contract §10: rights given are all there is; what leads to them can be listed', async () => {
  const world = await EngineWorld.start()
  await world.call('admin', 'write_file', { path: '/secret.txt' }, 'x')
  await world.call('admin', 'write_file', { path: '/team/drafts/a' }, 'x')
  await world.addAgent('eve', { rights: [{ path: '/team/drafts', access: 'write' }] })
  await world.call('eve', 'write_file', { path: '/team/drafts/b' }, 'x')
  const elsewhere = world.call('eve', 'write_file', { path: '/other/x' }, 'x')
  await expect(elsewhere).rejects.toMatchObject({
    code: 'forbidden',
    problem: { detail: expect.stringContaining('write on /team/drafts') },
  })
  for (const operation of ['read_file', 'get_history', 'acquire_lock'] as const) {
    const call = world.call('eve', operation, { path: '/secret.txt' })
    expect(await world.code(call), operation).toBe('forbidden')
  }
  const root = await world.call('eve', 'get_entry', { path: '/', depth: 5 })
  const listed = root.kind === 'folder' ? root.entries.map(({ path }) => path) : []
  expect(listed).toEqual(['/team', '/team/drafts', '/team/drafts/a', '/team/drafts/b'])
})

test('A5, contract §10: who is only kept out of some places may do everything else', async () => {
  const world = await EngineWorld.start()
  await world.addAgent('eve', { rights: [{ path: '/secret', access: 'none' }] })
  await world.call('eve', 'write_file', { path: '/other' }, 'x')
  const secret = world.call('eve', 'write_file', { path: '/secret/x' }, 'x')
  expect(await world.code(secret)).toBe('forbidden')
})

test('A5+, contract §10: rights in one workspace are none in another', async () => {
  const world = await EngineWorld.start()
  await world.call('admin', 'put_workspace', { workspace: 'lab', settings: {} })
  await world.addAgent('eve', { rights: [{ workspace: 'lab', path: '/', access: 'write' }] })
  await world.call('eve', 'write_file', { workspace: 'lab', path: '/x' }, 'x')
  expect(await world.code(world.call('eve', 'write_file', { path: '/x' }, 'x'))).toBe('forbidden')
})

test('A5, contract §10: a group that is not there is refused, groups can be listed, and where rights are from', async () => {
  const world = await EngineWorld.start()
  const unknown = world.addAgent('eve', { group: 'readers' })
  await expect(unknown).rejects.toMatchObject({ code: 'not_found' })
  const rights = [{ workspace: '*', path: '/docs', access: 'read' as const }]
  await world.call('admin', 'put_group', { name: 'readers', rights })
  expect(await world.call('admin', 'list_groups', {})).toEqual({
    groups: [{ name: 'readers', rights }],
  })
  await world.addAgent('eve', {
    group: 'readers',
    rights: [{ path: '/eve', access: 'write' }],
  })
  const { in_force } = await world.call('admin', 'get_agent', { name: 'eve' })
  expect(in_force).toEqual([
    { workspace: '*', path: '/eve', access: 'write', from: 'own' },
    { workspace: '*', path: '/docs', access: 'read', from: 'group' },
  ])
  const plain = await world.call('admin', 'get_agent', { name: 'ann' })
  expect(plain.in_force).toEqual([{ workspace: '*', path: '/', access: 'write', from: 'default' }])
})

test('A6, contract §11: what is done to agents, tokens and groups is in the audit, for who may see it', async () => {
  const world = await EngineWorld.start()
  await world.call('admin', 'put_group', { name: 'g', rights: [] })
  await world.addAgent('eve', { group: 'g', rights: [{ path: '/e', access: 'write' }] })
  await world.call('admin', 'create_token', { name: 'eve', label: 'laptop' })
  await world.call('admin', 'delete_agent', { name: 'eve' })
  const { rows } = await world.call('admin', 'query_audit', { workspace: SERVER_STREAM })
  const kinds = rows.map(({ kind, agent }) => `${agent} ${kind}`)
  for (const kind of ['group-set', 'agent-set', 'token-created', 'agent-removed']) {
    expect(kinds).toContain(`admin ${kind}`)
  }
  expect(rows.find(({ detail }) => detail === 'eve, agent, g, /e=write')).toBeDefined()
  expect(JSON.stringify(rows)).not.toMatch(/sha256|[0-9a-f]{64}/)
  const { ok } = await world.call('admin', 'verify_audit', { workspace: SERVER_STREAM })
  expect(ok).toBe(true)
  for (const operation of ['query_audit', 'verify_audit'] as const) {
    const call = world.call('ann', operation, { workspace: SERVER_STREAM })
    expect(await world.code(call), operation).toBe('forbidden')
  }
})

test('A6: a watch of the server’s facts tells them, to supervisors alone', async () => {
  const world = await EngineWorld.start()
  const stop = new AbortController()
  const told: ShownEvent[] = []
  const query = { workspace: SERVER_STREAM, since: 0, signal: stop.signal }
  const admin = await world.caller('admin')
  const reading = (async () => {
    for await (const events of world.engine.watch(admin, { ...query, kinds: ['agent-set'] })) {
      told.push(...events)
      if (told.some((one) => one.kind === 'agent-set' && one.name === 'eve')) break
    }
  })()
  await world.addAgent('eve')
  await reading
  const ann = await world.caller('ann')
  expect(() => world.engine.watch(ann, query)).toThrow('Only supervisors')
})

test('A6: waiting in a workspace for a fact of the server is refused, saying where it is', async () => {
  const { ask } = await serveReal()
  const silent = await ask('GET', '/v1/workspaces/main/events?kind=agent-set&since=0')
  expect(silent.status).toBe(400)
  expect(((await silent.json()) as { detail: string }).detail).toContain('".server"')
  const there = await ask('GET', '/v1/workspaces/.server/audit', { token: 'token-admin' })
  expect(there.status).toBe(200)
  const made = await ask('PUT', '/v1/workspaces/.server', {
    token: 'token-admin',
    json: { settings: {} },
  })
  expect(made.status).toBe(400)
})
