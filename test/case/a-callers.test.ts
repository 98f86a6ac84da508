import { expect, test } from 'vitest'
import { Killable } from '../client/killable.ts'
import { EngineWorld, UNNAMED } from '../engine/world.ts'
import { connectMcp, serveMcpReal } from '../face/mcp-client.ts'
import { serveReal } from '../face/serve.ts'

/** Who is calling: `cases` A1–A4 and A7, and what is of their kind. */
const FILES = '/v1/workspaces/main/files'
const LOCKS = '/v1/workspaces/main/locks'

for (const era of ['legacy', 'auto'] as const) {
  test(`A1, guard §1: two callers of one connection exclude each other (MCP, ${era})`, async () => {
    const one = await connectMcp(await serveMcpReal(), { era })
    await one.call('write_file', { path: '/plan.md', content: 'v1', as: 'first' })
    for (const as of ['first', 'second']) await one.call('read_text_file', { path: '/plan.md', as })
    const lock = { path: '/plan.md', type: 'exclusive', wait: 0 }
    expect((await one.call('acquire_lock', { ...lock, as: 'first' })).isError).toBe(false)
    const passed = await one.call('write_file', { path: '/plan.md', content: 'x', as: 'second' })
    expect(passed).toMatchObject({ isError: true, structured: { code: 'locked' } })
    const own = await one.call('write_file', { path: '/plan.md', content: 'v2', as: 'first' })
    expect(own.isError).toBe(false)
    await one.call('release_lock', { path: '/plan.md', as: 'first' })
    const late = await one.call('write_file', { path: '/plan.md', content: 'x', as: 'second' })
    expect(late.structured).toMatchObject({ code: 'stale_version', changed_by: 'agent-a' })
  })

  test(`A1, guard §1: each caller hears its own notes (MCP, ${era})`, async () => {
    const one = await connectMcp(await serveMcpReal(), { era })
    await one.call('acquire_lock', { path: '/a', as: 'first' })
    await one.call('acquire_lock', { path: '/a', wait: 0.05, as: 'second' })
    const other = await one.call('list_directory', { path: '/', as: 'third' })
    expect(other.text).not.toContain('Note:')
    const holder = await one.call('list_directory', { path: '/', as: 'first' })
    expect(holder.text).toMatch(/Note: agent-a:\S+\/second waits for \/a/)
  })

  test(`A1, guard §1: a name that is none is refused by field (MCP, ${era})`, async () => {
    const one = await connectMcp(await serveMcpReal(), { era })
    for (const as of ['', 'a b', 'x'.repeat(65), 7, {}, 'a/b']) {
      const answer = await one.call('write_file', { path: '/f', content: 'x', as })
      expect(answer.structured, String(as)).toMatchObject({
        code: 'invalid_request',
        fields: [{ field: 'as' }],
      })
    }
    const none = await one.call('read_text_file', { path: '/f' })
    expect(none.structured).toMatchObject({ code: 'not_found' })
  })
}

test('A1, guard §2: without a name, what is held already says what that may mean', async () => {
  const one = await connectMcp(await serveMcpReal(), { era: 'legacy' })
  await one.call('acquire_lock', { path: '/a' })
  const again = await one.call('acquire_lock', { path: '/a' })
  expect(again.structured).toMatchObject({ already_held: true })
  expect(again.text).toContain('If you are another agent on this connection')
})

test('A1, guard §1: callers of one socket exclude each other, and end one by one (SDK)', async () => {
  const server = await Killable.start()
  const sluice = await server.connect()
  const [first, second] = [sluice.as('first'), sluice.as('second')]
  await first.workspace().write('/f', 'v1')
  const lock = await first.workspace().lock('/f', { ttl: 600 })
  await expect(second.workspace().lock('/f')).rejects.toMatchObject({ code: 'lock_conflict' })
  await expect(sluice.workspace().append('/f', 'x')).rejects.toMatchObject({ code: 'locked' })
  expect(first.session).toBe(`${sluice.session}/first`)
  expect(lock.id).toMatch(/^L/)
  await first.close()
  const taken = await second.workspace().lock('/f')
  await taken.release()
  const { sessions } = (await sluice.call('list_sessions', {})).value
  const ids = sessions.map(({ id }) => id)
  expect(ids).toContain(second.session)
  expect(ids).not.toContain(first.session)
})

test('A1+, guard §1: who shares a session ends with it, and its locks go', async () => {
  const world = await EngineWorld.start()
  await world.caller('ann', 'run')
  await world.lock('ann:run/first', '/a')
  await world.lock('ann:run/second', '/b')
  await world.call('ann:run', 'end_session', { id: 'ann:run' })
  const { locks } = await world.call('bob', 'list_locks', {})
  expect(locks).toEqual([])
  const { sessions } = await world.call('admin', 'list_sessions', {})
  expect(sessions.filter(({ id }) => id.startsWith('ann:run'))).toEqual([])
})

test('A1+, guard §1: a caller is known again after a restart, with its locks (HTTP)', async () => {
  const world = await EngineWorld.start()
  await world.lock('ann:run/first', '/a')
  await world.restart()
  const again = await world.lock('ann:run/first', '/a')
  expect(again.already_held).toBe(true)
  const other = world.call('ann:run/second', 'write_file', { path: '/a' }, 'x')
  expect(await world.code(other)).toBe('locked')
})

test('A1+: Sluice-As over HTTP, and a session that is named in full', async () => {
  const { ask } = await serveReal()
  const first = { 'sluice-session': 'run', 'sluice-as': 'first' }
  expect((await ask('PUT', `${FILES}/f`, { body: 'x', headers: first })).status).toBe(201)
  const locked = await ask('POST', LOCKS, { json: { path: '/f' }, headers: first })
  expect(await locked.json()).toMatchObject({ lock: { session: 'agent-a:run/first' } })
  const second = { 'sluice-session': 'run', 'sluice-as': 'second' }
  expect(
    (await ask('PATCH', `${FILES}/f`, { json: { append: 'y' }, headers: second })).status,
  ).toBe(423)
  const full = { 'sluice-session': 'agent-a:run/first' }
  expect((await ask('PATCH', `${FILES}/f`, { json: { append: 'y' }, headers: full })).status).toBe(
    200,
  )
  const ended = await ask('DELETE', `/v1/sessions/${encodeURIComponent('agent-a:run/first')}`)
  expect(ended.status).toBe(204)
  expect(
    (await ask('PATCH', `${FILES}/f`, { json: { append: 'y' }, headers: second })).status,
  ).toBe(200)
  const bad = await ask('GET', `${FILES}/f`, { headers: { 'sluice-as': 'no name' } })
  expect([bad.status, ((await bad.json()) as { code: string }).code]).toEqual([
    400,
    'invalid_request',
  ])
})

test('A2, guard §2: two shells with one token do not overwrite each other (HTTP)', async () => {
  const { ask } = await serveReal()
  const shell = { unnamed: true }
  expect((await ask('PUT', `${FILES}/f`, { ...shell, body: 'v1' })).status).toBe(201)
  await ask('GET', `${FILES}/f`, shell)
  const read = await ask('GET', `${FILES}/f`, shell)
  const etag = read.headers.get('etag') ?? ''
  const blind = await ask('PUT', `${FILES}/f`, { ...shell, body: 'v2' })
  expect(blind.status).toBe(428)
  const problem = (await blind.json()) as { code: string; detail: string }
  expect(problem.code).toBe('unseen_version')
  expect(problem.detail).toMatch(/If-Match.*Sluice-Session/)
  const known = { ...shell, body: 'v2', headers: { 'if-match': etag } }
  expect((await ask('PUT', `${FILES}/f`, known)).status).toBe(200)
  expect((await ask('PUT', `${FILES}/f`, known)).status).toBe(412)
})

test('A2, guard §2: a lock goes to nobody who did not take it, and its token proves it (HTTP)', async () => {
  const { ask } = await serveReal()
  const shell = { unnamed: true }
  await ask('PUT', `${FILES}/f`, { ...shell, body: 'v1' })
  const taken = await ask('POST', LOCKS, { ...shell, json: { path: '/f' } })
  const { token, lock } = (await taken.json()) as { token: string; lock: { id: string } }
  const second = await ask('POST', LOCKS, { ...shell, json: { path: '/f' } })
  const refused = await second.text()
  expect(second.status).toBe(409)
  expect(refused).not.toContain(token)
  expect((await ask('PATCH', `${FILES}/f`, { ...shell, json: { append: 'x' } })).status).toBe(423)
  const proof = { ...shell, headers: { 'sluice-lock': token } }
  expect((await ask('PATCH', `${FILES}/f`, { ...proof, json: { append: 'x' } })).status).toBe(200)
  const release = await ask('DELETE', `${LOCKS}/${lock.id}`, shell)
  expect(release.status).toBe(403)
  expect(((await release.json()) as { detail: string }).detail).toContain('Sluice-Lock')
  expect((await ask('POST', `${LOCKS}/${lock.id}/renew`, proof)).status).toBe(200)
  expect((await ask('DELETE', `${LOCKS}/${lock.id}`, proof)).status).toBe(204)
  expect((await ask('DELETE', `${LOCKS}`, shell)).status).toBe(400)
})

test('A2+, guard §2: a place in a queue is gone on with by its ticket (HTTP, no session)', async () => {
  const { ask } = await serveReal()
  const shell = { unnamed: true }
  const first = await ask('POST', LOCKS, { ...shell, json: { path: '/f' } })
  const { token, lock } = (await first.json()) as { token: string; lock: { id: string } }
  const queued = await ask('POST', LOCKS, { ...shell, json: { path: '/f', queue: true } })
  const { ticket } = (await queued.json()) as { ticket: string }
  expect(queued.status).toBe(202)
  await ask('DELETE', `${LOCKS}/${lock.id}`, { ...shell, headers: { 'sluice-lock': token } })
  const claimed = await ask('GET', `/v1/workspaces/main/tickets/${ticket}?wait=1`, shell)
  expect(claimed.status).toBe(201)
  expect(((await claimed.json()) as { token: string }).token).not.toBe(token)
})

test('A2+, locks §11: a retry with the same key is the same caller and gets the same lock', async () => {
  const { ask } = await serveReal()
  const shell = { unnamed: true, headers: { 'idempotency-key': 'k1' } }
  const [first, again] = [
    await ask('POST', LOCKS, { ...shell, json: { path: '/f' } }),
    await ask('POST', LOCKS, { ...shell, json: { path: '/f' } }),
  ]
  const [one, two] = [await first.json(), await again.json()] as { token: string }[]
  expect(two?.token).toBe(one?.token)
})

test('A2, guard §2: nothing is assumed of stateless MCP without a session', async () => {
  const served = await serveMcpReal()
  const shell = await connectMcp(served, { unnamed: true })
  await shell.call('write_file', { path: '/f', content: 'v1' })
  await shell.call('read_text_file', { path: '/f' })
  const blind = await shell.call('write_file', { path: '/f', content: 'v2' })
  expect(blind.structured).toMatchObject({ code: 'unseen_version' })
  expect(blind.text).toMatch(/\bas\b/)
  const lock = await shell.call('acquire_lock', { path: '/f' })
  const { token } = lock.structured as { token: string }
  expect(lock.text).toContain(`lock_token "${token}"`)
  const version = (lock.structured.versions as Record<string, number>)['/f']
  const under = { path: '/f', content: 'v2', lock_token: token, if_version: version }
  expect((await shell.call('write_file', under)).isError).toBe(false)
  expect((await shell.call('append_file', { path: '/f', content: 'x' })).structured).toMatchObject({
    code: 'locked',
  })
  const named = { path: '/f', as: 'me' }
  await shell.call('read_text_file', named)
  const id = (lock.structured.lock as { id: string }).id
  expect((await shell.call('release_lock', { lock_id: id })).isError).toBe(true)
  expect((await shell.call('release_lock', { lock_id: id, lock_token: token })).isError).toBe(false)
  expect((await shell.call('write_file', { ...named, content: 'v3' })).isError).toBe(false)
})

test('A2+: what a default session holds by name does not cover who names none', async () => {
  const world = await EngineWorld.start()
  await world.call('ann', 'write_file', { path: '/f' }, 'x')
  await world.lock('ann', '/f')
  const write = world.call(`ann:${UNNAMED}`, 'write_file', { path: '/f', if_version: 1 }, 'y')
  expect(await world.code(write)).toBe('locked')
})

test('A3, files §9: a stale reader that takes the lock does not overwrite', async () => {
  const world = await EngineWorld.start()
  await world.call('ann', 'write_file', { path: '/f' }, 'v1')
  await world.text('bob', '/f')
  await world.text('ann', '/f')
  await world.call('ann', 'write_file', { path: '/f' }, 'v2')
  const grant = await world.lock('bob', '/f')
  expect(grant.to_read).toMatchObject([
    { path: '/f', version: 2, yours: 1, changed_by: { agent: 'ann' } },
  ])
  expect(grant.to_read?.[0]?.why).toMatch(/changed since you last knew it.*by ann/)
  const write = world.call('bob', 'write_file', { path: '/f' }, 'v1, by bob')
  await expect(write).rejects.toMatchObject({
    code: 'stale_version',
    problem: { yours: 1, current: 2, changed_by: 'ann' },
  })
  expect(await world.text('bob', '/f')).toBe('v2')
  await world.call('bob', 'write_file', { path: '/f' }, 'v3')
})

test('A3, files §9: the grant says in words what changed, and by whom (MCP)', async () => {
  const served = await serveMcpReal()
  const [a, b] = [await connectMcp(served), await connectMcp(served, { token: 'token-b' })]
  await a.call('write_file', { path: '/f', content: 'v1' })
  await b.call('read_text_file', { path: '/f' })
  await a.call('append_file', { path: '/f', content: '!' })
  const grant = await b.call('acquire_lock', { path: '/f' })
  expect(grant.text).toMatch(/\/f changed since you last knew it .* by agent-a .*Read it before/)
})

test('A4, files §9: never read, locked, written over: unseen, unless the version is named', async () => {
  const world = await EngineWorld.start()
  await world.call('ann', 'write_file', { path: '/f' }, 'v1')
  const grant = await world.lock('bob', '/f', { level: 'exclusive' })
  expect(grant.to_read).toMatchObject([{ path: '/f', version: 1 }])
  const blind = world.call('bob', 'write_file', { path: '/f' }, 'x')
  expect(await world.code(blind)).toBe('unseen_version')
  const version = grant.versions['/f']
  await world.call('bob', 'write_file', { path: '/f', if_version: version }, 'x')
})

test('A4+, files §9: neither an append, an edit nor a copy onto it makes a file known', async () => {
  const world = await EngineWorld.start()
  for (const path of ['/log', '/text', '/from']) {
    await world.call('ann', 'write_file', { path }, 'one')
  }
  await world.call('bob', 'patch_file', { path: '/log', append: 'two' })
  const edits = [{ oldText: 'one', newText: 'two' }]
  await world.call('bob', 'patch_file', { path: '/text', edits })
  await world.call('bob', 'commit', { changes: [{ op: 'copy', path: '/from', to: '/to' }] })
  for (const path of ['/log', '/text', '/to']) {
    expect(await world.code(world.call('bob', 'write_file', { path }, 'x')), path).toBe(
      'unseen_version',
    )
  }
  await world.text('bob', '/log')
  await world.call('bob', 'patch_file', { path: '/log', append: 'three' })
  await world.call('bob', 'write_file', { path: '/log' }, 'all of it')
})

test('A4+, files §9: a folder’s lock is no knowledge of what lies in it', async () => {
  const world = await EngineWorld.start()
  await world.call('ann', 'write_file', { path: '/d/f' }, 'v1')
  await world.lock('bob', '/d', { level: 'exclusive' })
  expect(await world.code(world.call('bob', 'write_file', { path: '/d/f' }, 'x'))).toBe(
    'unseen_version',
  )
  const remove = world.call('bob', 'delete_file', { path: '/d/f' })
  expect(await world.code(remove)).toBe('unseen_version')
})

test('A7, files §11: a write or stable lock keeps appends of others out; elsewhere none', async () => {
  const world = await EngineWorld.start()
  await world.call('ann', 'write_file', { path: '/log' }, 'one')
  const append = () => world.call('bob', 'patch_file', { path: '/log', append: 'x' })
  for (const terms of [{ level: 'write' }, { level: 'read', stable: true }] as const) {
    const { lock } = await world.lock('ann', '/log', terms)
    await expect(append()).rejects.toMatchObject({ code: 'locked', problem: { path: '/log' } })
    await world.call('ann', 'release_lock', { id: lock.id })
  }
  await world.lock('ann', '/log', { range: { start: 0, end: 3 } })
  await append()
  await world.lock('cyd', '/log', { range: { start: 4 } })
  expect(await world.code(append())).toBe('locked')
})
