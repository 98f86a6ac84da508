import { describe, expect, it } from 'vitest'
import { CONNECTION_LOST } from '../../src/engine/api.ts'
import { EngineWorld, settle } from './world.ts'

describe('waiting', () => {
  it('locks §10: a call waits, then answers with a ticket that keeps its place', async () => {
    const world = await EngineWorld.start()
    const first = await world.lock('ann', '/f', { intent: 'merge' })
    const asked = world.call('bob', 'acquire_lock', { path: '/f', wait: 20 })
    await settle()
    await world.clock.advance(20_000)
    const queued = await asked
    if (queued.status !== 'queued') throw new Error('granted')
    expect(queued).toMatchObject({ position: 1, holders: [{ agent: 'ann', intent: 'merge' }] })
    expect(queued.estimate_s).toBeGreaterThan(0)
    const going = world.call('bob', 'wait_for_lock', { ticket: queued.ticket, wait: 20 })
    await settle()
    await world.call('ann', 'release_lock', { id: first.lock.id })
    expect(await going).toMatchObject({ status: 'granted', lock: { owner: 'bob' } })
  })

  it('locks §10: a granted ticket that nobody claims passes on', async () => {
    const world = await EngineWorld.start()
    const first = await world.lock('ann', '/f')
    await world.call('bob', 'acquire_lock', { path: '/f', queue: true })
    const cyd = await world.call('cyd', 'acquire_lock', { path: '/f', queue: true })
    await world.call('ann', 'release_lock', { id: first.lock.id })
    await world.clock.advance(29_000)
    expect((await world.call('ann', 'list_locks', {})).locks[0]?.owner).toBe('bob')
    await world.clock.advance(2_000)
    expect((await world.call('ann', 'list_locks', {})).locks[0]?.owner).toBe('cyd')
    if (cyd.status !== 'queued') throw new Error('granted')
    const claimed = await world.call('cyd', 'wait_for_lock', { ticket: cyd.ticket })
    expect(claimed.status).toBe('granted')
    await world.clock.advance(40_000)
    expect((await world.call('cyd', 'list_locks', {})).locks[0]?.owner).toBe('cyd')
  })

  it('locks §10: a claimed ticket answers the same grant again; a given-up one is gone', async () => {
    const world = await EngineWorld.start()
    const first = await world.lock('ann', '/f')
    const queued = await world.call('bob', 'acquire_lock', { path: '/f', queue: true })
    if (queued.status !== 'queued') throw new Error('granted')
    await world.call('ann', 'release_lock', { id: first.lock.id })
    const { ticket } = queued
    const once = await world.call('bob', 'wait_for_lock', { ticket })
    expect(await world.call('bob', 'wait_for_lock', { ticket })).toMatchObject({
      lock: { id: once.status === 'granted' && once.lock.id },
    })
    expect(await world.code(world.call('cyd', 'wait_for_lock', { ticket }))).toBe('forbidden')
    await world.call('bob', 'leave_queue', { ticket })
    expect(await world.code(world.call('bob', 'wait_for_lock', { ticket }))).toBe('ticket_gone')
  })

  it('locks §10: a caller whose connection is lost stops waiting, its ticket stays', async () => {
    const world = await EngineWorld.start()
    await world.lock('ann', '/f')
    const away = new AbortController()
    const asked = world.call(
      'bob',
      'acquire_lock',
      { path: '/f', wait: 25 },
      undefined,
      away.signal,
    )
    await settle()
    away.abort(CONNECTION_LOST)
    expect((await asked).status).toBe('queued')
    expect((await world.call('bob', 'workspace_status', {})).tickets).toHaveLength(1)
  })
})

describe('idempotency', () => {
  it('locks §11: the same request id gives the same grant, ticket or refusal', async () => {
    const world = await EngineWorld.start()
    const grant = () => world.call('ann', 'acquire_lock', { path: '/f', request_id: 'r1' })
    const first = await grant()
    expect(await grant()).toMatchObject({
      lock: { id: first.status === 'granted' && first.lock.id },
    })
    const ticket = () =>
      world.call('bob', 'acquire_lock', { path: '/f', queue: true, request_id: 'r1' })
    expect(await ticket()).toMatchObject({
      ticket: ((await ticket()) as { ticket: string }).ticket,
    })
    const refusal = () => world.call('cyd', 'acquire_lock', { path: '/f', request_id: 'r1' })
    expect(await world.code(refusal())).toBe('lock_conflict')
    const id = first.status === 'granted' ? first.lock.id : ''
    await world.call('bob', 'release_all_locks', {})
    await world.call('ann', 'release_lock', { id })
    expect(await world.code(refusal())).toBe('lock_conflict')
    expect(await world.call('cyd', 'acquire_lock', { path: '/f', request_id: 'r2' })).toMatchObject(
      {
        status: 'granted',
      },
    )
  })

  it('locks §11, I10: a lock that is made weaker twice by one request is told the same twice', async () => {
    const world = await EngineWorld.start()
    const { lock } = await world.lock('ann', '/f')
    const lower = () =>
      world.call('ann', 'change_lock', { id: lock.id, to: 'read', request_id: 'weaker' })
    expect(await lower()).toMatchObject({ status: 'granted', lock: { level: 'read' } })
    await world.call('ann', 'release_lock', { id: lock.id })
    expect(await lower()).toMatchObject({ status: 'granted', lock: { id: lock.id } })
  })

  it('locks §11, I10: a refusal that was only counted is answered again, not decided anew', async () => {
    const world = await EngineWorld.start()
    const { lock } = await world.lock('ann', '/f')
    const ask = (request_id: string) =>
      world.code(world.call('bob', 'acquire_lock', { path: '/f', request_id }))
    expect(await ask('one')).toBe('lock_conflict')
    expect(await ask('two')).toBe('lock_conflict')
    await world.call('ann', 'release_lock', { id: lock.id })
    expect(await ask('two')).toBe('lock_conflict')
    await world.clock.advance(2000)
    expect(await ask('two')).toBe('lock_conflict')
    expect(await ask('three')).toBe('none')
  })

  it('locks §11, I10: a write that is sent twice is done once, after a crash too', async () => {
    const world = await EngineWorld.start()
    const append = () =>
      world.call('ann', 'patch_file', { path: '/log', append: 'x', request_id: 'a' })
    const first = await append()
    expect(await append()).toEqual(first)
    await world.crash()
    expect((await append()).version).toBe(first.version)
    expect(await world.text('ann', '/log')).toBe('x')
  })

  it('locks §12, §17: who joins its own waiting request is not refused for a version it did not name', async () => {
    const world = await EngineWorld.start()
    const { version } = await world.call('ann', 'write_file', { path: '/f' }, 'one')
    const { lock } = await world.lock('ann', '/f')
    const ask = (input: object) =>
      world.call('bob', 'acquire_lock', { path: '/f', wait: 5, ...input })
    const first = world.code(ask({ if_version: version }))
    await settle()
    const joined = ask({ request_id: 'one' })
    await settle()
    await world.call('ann', 'write_file', { path: '/f' }, 'two')
    await world.call('ann', 'release_lock', { id: lock.id })
    expect(await first).toBe('stale_version')
    expect(await joined).toMatchObject({ status: 'granted' })
    expect(await ask({ request_id: 'one' })).toMatchObject({ status: 'granted' })
  })

  it('locks §11: a request id does not answer another kind of call', async () => {
    const world = await EngineWorld.start()
    await world.call('ann', 'acquire_lock', { path: '/f', request_id: 'same' })
    const other = world.call('ann', 'write_file', { path: '/g', request_id: 'same' }, 'x')
    expect(await world.code(other)).toBe('invalid_request')
  })

  it('locks §32: a retried acquire gives the same token; a token of another server proves nothing', async () => {
    const world = await EngineWorld.start()
    const grant = () => world.lock('ann', '/f', { request_id: 'r' })
    const { token, lock } = await grant()
    expect((await grant()).token).toBe(token)
    expect((await world.lock('ann', '/f')).token).toBe(token)
    const forged = `${lock.id}.AAAAAAAAAAAAAAAAAAAAAA`
    const write = world.call('bob', 'write_file', { path: '/f', locks: [forged] }, 'x')
    expect(await world.code(write)).toBe('invalid_request')
    await world.call('bob', 'write_file', { path: '/f', locks: [token] }, 'x')
  })
})

describe('leases', () => {
  it('locks §25: a lock lives for its TTL, and any call of its owner renews it', async () => {
    const world = await EngineWorld.start()
    await world.lock('ann', '/f', { ttl: 10 })
    await world.clock.advance(9_000)
    await world.call('ann', 'get_entry', { path: '/' })
    await world.clock.advance(9_000)
    expect((await world.call('bob', 'list_locks', {})).locks).toHaveLength(1)
    await world.clock.advance(2_000)
    expect((await world.call('bob', 'list_locks', {})).locks).toHaveLength(0)
  })

  it('locks §25: renew "explicit" has a hard end unless it is renewed by name', async () => {
    const world = await EngineWorld.start()
    const { lock } = await world.lock('ann', '/f', { ttl: 10, renew: 'explicit' })
    await world.clock.advance(6_000)
    await world.call('ann', 'get_entry', { path: '/' })
    await world.call('ann', 'renew_lock', { id: lock.id })
    await world.clock.advance(9_000)
    await world.call('ann', 'get_entry', { path: '/' })
    await world.clock.advance(2_000)
    expect(await world.code(world.call('ann', 'renew_lock', { id: lock.id }))).toBe('lock_lost')
  })

  it('locks §27: renewals are not facts', async () => {
    const world = await EngineWorld.start()
    const { lock } = await world.lock('ann', '/f', { ttl: 10 })
    const before = world.engine.revision('main')
    for (let i = 0; i < 20; i++) {
      await world.call('ann', 'renew_lock', { id: lock.id })
      await world.clock.advance(5_000)
    }
    expect(world.engine.revision('main')).toBe(before)
  })

  it('locks §27: expiry is spread, at most 1,000 a batch', async () => {
    const world = await EngineWorld.start({ locks_per_agent: 10_000 })
    for (let i = 0; i < 25; i++) {
      const items = Array.from({ length: 1 }, (_, j) => ({ path: `/p${i}-${j}` }))
      await world.call('ann', 'acquire_lock', { items, ttl: 5 })
    }
    await world.clock.advance(6_000)
    expect(world.engine.health().workspaces.main?.locks).toBe(0)
  })

  it('locks §28: after a restart or a crash every lock has its full TTL anew', async () => {
    const world = await EngineWorld.start()
    await world.lock('ann', '/f', { ttl: 10 })
    for (const again of ['restart', 'crash'] as const) {
      await world.clock.advance(9_000)
      await world[again]()
      await world.clock.advance(9_000)
      expect((await world.call('bob', 'list_locks', {})).locks).toHaveLength(1)
      await world.restart()
    }
    await world.clock.advance(11_000)
    expect((await world.call('bob', 'list_locks', {})).locks).toHaveLength(0)
  })

  it('locks §28: after a crash a recalled holder has its grace anew', async () => {
    const world = await EngineWorld.start()
    const { lock } = await world.lock('ann', '/f')
    await world.clock.advance(10_000)
    await world.call('admin', 'recall_lock', { id: lock.id, reason: 'now', grace: 20 })
    await world.clock.advance(19_000)
    await world.crash()
    await world.clock.advance(19_000)
    expect((await world.call('bob', 'list_locks', {})).locks).toHaveLength(1)
    await world.clock.advance(2000)
    expect((await world.call('bob', 'list_locks', {})).locks).toEqual([])
  })

  it('locks §29: what a crash left in a queue does not hold it up one by one', async () => {
    const world = await EngineWorld.start()
    const { lock } = await world.lock('ann', '/f')
    const queue = async (who: string) => {
      const answer = world.call(who, 'acquire_lock', { path: '/f', wait: 1 })
      await settle()
      await world.clock.advance(1000)
      return answer
    }
    for (let i = 0; i < 20; i++) await queue(`bob:s${i}`)
    await world.crash()
    const queued = await queue('cyd')
    await world.clock.advance(40_000)
    await world.call('ann', 'release_lock', { id: lock.id })
    await world.clock.advance(10_000)
    const ticket = queued.status === 'queued' ? queued.ticket : ''
    expect(await world.call('cyd', 'wait_for_lock', { ticket })).toMatchObject({
      status: 'granted',
    })
  })

  it('locks §26: a session that loses its connection ends after 10 s, and its locks go', async () => {
    const world = await EngineWorld.start()
    const caller = await world.caller('ann', 'run')
    const disconnect = world.engine.connect(caller)
    await world.lock('ann:run', '/f')
    disconnect()
    await world.clock.advance(9_000)
    expect((await world.call('bob', 'list_locks', {})).locks).toHaveLength(1)
    await world.clock.advance(2_000)
    expect((await world.call('bob', 'list_locks', {})).locks).toHaveLength(0)
    expect(world.engine.registry.sessions.has('ann:run')).toBe(false)
  })

  it('locks §26: resumed within the grace, it keeps its locks', async () => {
    const world = await EngineWorld.start()
    const opened = await world.call('ann', 'open_session', { name: 'run' })
    const disconnect = world.engine.connect(await world.caller('ann', 'run'))
    await world.lock('ann:run', '/f')
    disconnect()
    await world.clock.advance(5_000)
    const resumed = await world.call('ann', 'open_session', { name: 'run', secret: opened.secret })
    expect(resumed).toMatchObject({ id: 'ann:run', resumed: true })
    world.engine.connect(await world.caller('ann', 'run'))
    await world.clock.advance(60_000)
    expect((await world.call('bob', 'list_locks', {})).locks).toHaveLength(1)
    const wrong = world.call('bob', 'open_session', { name: 'run', secret: opened.secret })
    expect(await world.code(wrong)).toBe('unauthenticated')
  })

  it('sessions that are idle and hold nothing end by themselves', async () => {
    const world = await EngineWorld.start()
    await world.call('ann', 'open_session', { name: 'short', ttl: 10 })
    await world.call('ann', 'open_session', { name: 'busy', ttl: 10 })
    await world.lock('ann:busy', '/f', { ttl: 3600 })
    await world.clock.advance(60_000)
    expect(world.engine.registry.sessions.has('ann:short')).toBe(false)
    expect(world.engine.registry.sessions.has('ann:busy')).toBe(true)
  })
})

describe('crashes between two streams', () => {
  it('locks §29: a session that ended in the server’s stream alone leaves nothing after a start', async () => {
    const world = await EngineWorld.start()
    await world.lock('ann:run', '/f')
    await world.call('bob', 'acquire_lock', { path: '/f', queue: true })
    // As if the power went after the first of the two decisions of an end.
    const actor = world.engine.registry.actorOf('ann:run')
    if (actor === undefined) throw new Error('no session')
    const id = 'ann:run'
    await world.engine.registry.run(
      { kind: 'close-session', actor, id, reason: 'ended' },
      'end_session',
    )
    await world.crash()
    expect((await world.call('cyd', 'list_locks', {})).locks).toMatchObject([{ owner: 'bob' }])
  })
})
