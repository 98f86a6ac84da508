import { expect, test, vi } from 'vitest'
import type { Sluice } from '../../src/client/index.ts'
import { isoTime, showTimesBy } from '../../src/contract/time.ts'
import { Killable } from '../client/killable.ts'
import { EngineWorld, settle } from '../engine/world.ts'
import { connectMcp, serveMcpReal } from '../face/mcp-client.ts'
import { serveReal } from '../face/serve.ts'

/** Waiting, cancelling, coming back: `cases` E1–E4 and E8. */
const LOCKS = '/v1/workspaces/main/locks'

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

async function waitingIn(world: EngineWorld): Promise<number> {
  return (await world.call('ann', 'list_locks', {})).waiting.length
}

test('E1, locks §10: a wait that is cancelled leaves the queue in the same instant', async () => {
  const world = await EngineWorld.start()
  const { lock } = await world.lock('ann', '/f')
  const stop = new AbortController()
  const asked = world.call('bob', 'acquire_lock', { path: '/f', wait: 25 }, undefined, stop.signal)
  await settle()
  expect(await waitingIn(world)).toBe(1)
  stop.abort()
  expect(await world.code(asked)).toBe('ticket_gone')
  expect(await waitingIn(world)).toBe(0)
  await world.call('ann', 'release_lock', { id: lock.id })
  expect((await world.lock('cyd', '/f')).status).toBe('granted')
})

test('E1, locks §10: what was granted in the instant of giving up goes back', async () => {
  for (const order of ['abort first', 'grant first'] as const) {
    const world = await EngineWorld.start()
    const { lock } = await world.lock('ann', '/f')
    const stop = new AbortController()
    const asked = world.call(
      'bob',
      'acquire_lock',
      { path: '/f', wait: 25 },
      undefined,
      stop.signal,
    )
    await settle()
    const release = () => world.call('ann', 'release_lock', { id: lock.id })
    const released = order === 'grant first' ? release() : undefined
    stop.abort()
    await (released ?? release())
    expect(await world.code(asked), order).toBe('ticket_gone')
    expect((await world.lock('cyd', '/f')).status, order).toBe('granted')
  }
})

test('E1+: a ticket that is gone on with, and one that another call waits with too', async () => {
  const world = await EngineWorld.start()
  await world.lock('ann', '/f')
  const queued = await world.call('bob', 'acquire_lock', { path: '/f', queue: true })
  const ticket = queued.status === 'queued' ? queued.ticket : ''
  const [stop, other] = [new AbortController(), new AbortController()]
  const wait = (signal: AbortSignal) =>
    world.call('bob', 'wait_for_lock', { ticket, wait: 25 }, undefined, signal)
  const first = wait(stop.signal)
  const second = wait(other.signal)
  await settle()
  stop.abort()
  expect(await world.code(first)).toBe('ticket_gone')
  expect(await waitingIn(world)).toBe(1)
  other.abort()
  expect(await world.code(second)).toBe('ticket_gone')
  expect(await waitingIn(world)).toBe(0)
})

test('E1+: giving up on a stronger level keeps the lock that was there', async () => {
  const world = await EngineWorld.start()
  const { lock } = await world.lock('bob', '/f', { level: 'read' })
  await world.lock('ann', '/f', { level: 'read' })
  const stop = new AbortController()
  const change = { id: lock.id, to: 'exclusive' as const, wait: 25 }
  const asked = world.call('bob', 'change_lock', change, undefined, stop.signal)
  await settle()
  stop.abort()
  expect(await world.code(asked)).toBe('ticket_gone')
  const { locks, waiting } = await world.call('bob', 'list_locks', {})
  expect([locks.length, waiting.length]).toEqual([2, 0])
})

test('E1, locks §10: a request that is cut leaves the queue; one with a key may come back (HTTP)', async () => {
  const { ask, url, tokenOf } = await serveReal()
  const held = await ask('POST', LOCKS, { json: { path: '/f' }, token: 'token-b' })
  expect(held.status).toBe(201)
  const cut = async (key: Record<string, string>): Promise<number> => {
    const stop = new AbortController()
    const asked = fetch(`${url}${LOCKS}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${tokenOf('token-a')}`,
        'content-type': 'application/json',
        'sluice-session': 'run',
        ...key,
      },
      body: JSON.stringify({ path: '/f', wait: 25 }),
      signal: stop.signal,
    })
    const waiting = async (): Promise<number> => {
      const { waiting } = (await (await ask('GET', LOCKS)).json()) as { waiting: unknown[] }
      return waiting.length
    }
    await until(async () => ((await waiting()) === 1 ? true : undefined))
    stop.abort()
    await asked.catch(() => {})
    if (key['idempotency-key'] === undefined) {
      await until(async () => ((await waiting()) === 0 ? true : undefined))
    }
    return waiting()
  }
  expect(await cut({})).toBe(0)
  expect(await cut({ 'idempotency-key': 'k' })).toBe(1)
})

for (const era of ['legacy', 'auto'] as const) {
  test(`E1, locks §10: notifications/cancelled, or the request cut, gives the place up (MCP, ${era})`, async () => {
    const served = await serveMcpReal()
    const [a, b] = [
      await connectMcp(served, { era }),
      await connectMcp(served, { era, token: 'token-b' }),
    ]
    const held = await a.call('acquire_lock', { path: '/f' })
    const stop = new AbortController()
    const asked = b.client.callTool(
      { name: 'acquire_lock', arguments: { path: '/f', wait: 25 } },
      { signal: stop.signal },
    )
    asked.catch(() => {})
    const waiting = async () => {
      const { structured } = await a.call('list_locks')
      return (structured.waiting as unknown[]).length
    }
    await until(async () => ((await waiting()) === 1 ? true : undefined))
    stop.abort()
    await expect(asked).rejects.toThrow()
    await until(async () => ((await waiting()) === 0 ? true : undefined))
    await a.call('release_lock', { lock_id: (held.structured.lock as { id: string }).id })
    const { structured } = await a.call('list_locks')
    expect(structured.locks).toEqual([])
  })
}

test('E1, locks §30: an aborted lock() never resolves, and leaves nothing (SDK)', async () => {
  const server = await Killable.start()
  const [holder, waiter] = [await server.connect(), await server.connect()]
  const lock = await holder.workspace().lock('/f', { ttl: 600 })
  for (let round = 0; round < 40; round++) {
    const stop = new AbortController()
    const path = round % 2 === 0 ? '/f' : '/free'
    const asked = waiter.workspace().lock(path, { wait: 20, ttl: 600, signal: stop.signal })
    const ended = asked.then(
      () => (stop.signal.aborted ? 'resolved' : 'granted in time'),
      () => 'rejected',
    )
    for (let turns = round % 7; turns > 0; turns--) await Promise.resolve()
    if (round % 3 === 0) await new Promise((resolve) => setImmediate(resolve))
    stop.abort(new Error('enough'))
    expect(await ended).not.toBe('resolved')
    await until(async () => {
      const { locks, waiting } = await holder.workspace().locks()
      const left = locks.filter(({ id }) => id !== lock.id)
      const isGranted = (await ended) === 'granted in time'
      if (isGranted) await (await asked).release()
      return left.length === 0 && waiting.length === 0 ? true : undefined
    })
  }
  const early = waiter.workspace().lock('/x', { signal: AbortSignal.abort(new Error('before')) })
  await expect(early).rejects.toThrow('before')
})

test('E2, locks §10: a turn that comes between two calls is told with the next answer (MCP)', async () => {
  const served = await serveMcpReal()
  const [a, b] = [await connectMcp(served), await connectMcp(served, { token: 'token-b' })]
  const held = await a.call('acquire_lock', { path: '/f' })
  const queued = await b.call('acquire_lock', { path: '/f', wait: 0.05 })
  expect(queued.structured).toMatchObject({ status: 'queued' })
  await a.call('release_lock', { lock_id: (held.structured.lock as { id: string }).id })
  const next = await b.call('list_directory', { path: '/' })
  expect(next.text).toMatch(/Note: Your turn came: T\d+ was granted, and you hold the lock L\d+/)
  const claimed = await b.call('wait_for_lock', { ticket: queued.structured.ticket })
  expect(claimed.text).not.toContain('Your turn came')
})

test('E2, locks §10: any use claims what was granted between two calls', async () => {
  const world = await EngineWorld.start()
  const { lock } = await world.lock('ann', '/f')
  await world.call('bob', 'acquire_lock', { path: '/f', queue: true, ttl: 600 })
  await world.call('ann', 'release_lock', { id: lock.id })
  await settle()
  await world.call('bob', 'write_file', { path: '/f' }, 'x')
  await world.clock.advance(60_000)
  const { locks } = await world.call('bob', 'list_locks', {})
  expect(locks).toMatchObject([{ owner: 'bob' }])
})

test('E2+: unclaimed and unused, it still passes on in time', async () => {
  const world = await EngineWorld.start()
  const { lock } = await world.lock('ann', '/f')
  await world.call('bob', 'acquire_lock', { path: '/f', queue: true, ttl: 600 })
  await world.call('ann', 'release_lock', { id: lock.id })
  await world.call('bob', 'write_file', { path: '/other' }, 'x')
  await world.clock.advance(60_000)
  expect((await world.call('bob', 'list_locks', {})).locks).toEqual([])
})

test('E3, guard §2: one’s own earlier run is told as that, and one call takes its lock back', async () => {
  const world = await EngineWorld.start()
  const tied = { session: 'run-1', tied: true }
  const before = await world.engine.callerOf({ name: 'bob', role: 'agent' }, tied)
  const input = { workspace: 'main', path: '/f', wait: 0 }
  await world.engine.call({ operation: 'acquire_lock', input, caller: before })
  await world.crash()
  const acquire = () => world.call('bob:run-2', 'acquire_lock', { path: '/f' })
  // Right after a start whoever is tied to a connection has the grace to come back.
  await expect(acquire()).rejects.toMatchObject({
    code: 'lock_conflict',
    problem: { holders: [{ own: 'there' }] },
  })
  await world.clock.advance(11_000)
  await expect(acquire()).rejects.toMatchObject({
    problem: {
      holders: [{ own: 'gone' }],
      detail: expect.stringMatching(/an earlier session of your own agent, which is gone/),
    },
  })
  const { locks } = await world.call('bob:run-2', 'list_locks', {})
  const id = locks[0]?.id ?? ''
  const others = world.call('ann', 'handover_lock', { id })
  expect(await world.code(others)).toBe('forbidden')
  const { lock } = await world.call('bob:run-2', 'handover_lock', { id })
  expect(lock).toMatchObject({ session: 'bob:run-2' })
  await world.call('bob:run-2', 'write_file', { path: '/f' }, 'mine again')
})

test('E3+: what a live session of the same agent holds is not taken back', async () => {
  const world = await EngineWorld.start()
  const tied = { session: 'run-1', tied: true }
  const live = await world.engine.callerOf({ name: 'bob', role: 'agent' }, tied)
  const leave = world.engine.connect(live)
  const { lock } = await world.lock('bob:run-1', '/f', { ttl: 3600 })
  await world.lock('bob:shell', '/g', { ttl: 3600 })
  await world.clock.advance(60_000)
  for (const id of [lock.id, 'L2']) {
    const take = world.call('bob:run-2', 'handover_lock', { id })
    expect(await world.code(take)).toBe('lock_conflict')
  }
  leave()
})

test('E3, guard §2: after a restart an agent over MCP gets its lock back by one call', async () => {
  const served = await serveMcpReal()
  const first = await connectMcp(served, { era: 'legacy' })
  await first.call('acquire_lock', { path: '/f', ttl: 600 })
  const second = await connectMcp(served, { era: 'legacy' })
  const refused = await second.call('acquire_lock', { path: '/f', wait: 0 })
  expect(refused.text).toContain('another session of your own agent')
})

test('E4, locks §30: what the client has given up is given back, and writes nothing any more (SDK)', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  try {
    const server = await Killable.start()
    const sluice: Sluice = await server.connect()
    const other = await server.connect()
    const files = sluice.workspace()
    const lock = await files.lock('/f', { ttl: 5 })
    await files.write('/f', 'v1', { lock })
    // The server is away for longer than the lock can be believed in.
    const internals = files as unknown as { locking: { leases: { sweep(): void } } }
    vi.advanceTimersByTime(8000)
    internals.locking.leases.sweep()
    expect(lock.state).toBe('lost')
    expect(lock.signal.aborted).toBe(true)
    await expect(files.write('/f', 'late', { lock })).rejects.toMatchObject({ code: 'lock_lost' })
    const taken = await until(async () => {
      return other
        .workspace()
        .lock('/f')
        .catch(() => undefined)
    })
    const proof = { path: '/f', locks: [lock.token], if_version: 1 }
    await expect(files.call('write_file', proof, Buffer.from('late'))).rejects.toMatchObject({
      code: 'lock_lost',
    })
    await taken.release()
  } finally {
    vi.useRealTimers()
  }
})

test('D1, locks §25: who was heard while the server stood still keeps its lock', async () => {
  const world = await EngineWorld.start()
  await world.lock('ann', '/f', { ttl: 5 })
  await world.lock('bob', '/g', { ttl: 5 })
  // The renewal arrived in time and lies in the socket; the server wakes up late.
  const renewed = new Promise<void>((resolve) => {
    setImmediate(() => void world.call('ann', 'workspace_status', {}).then(() => resolve()))
  })
  await world.clock.stall(6000)
  await renewed
  const { locks } = await world.call('cyd', 'list_locks', {})
  expect(locks.map(({ owner }) => owner)).toEqual(['ann'])
})

test('E8: what is shown follows the machine’s clock; what is decided does not', async () => {
  const world = await EngineWorld.start()
  const at = world.clock.now()
  try {
    const hour = 3600_000
    const { lock } = await world.lock('ann', '/f', { ttl: 60 })
    world.clock.skewMs = hour
    await world.clock.advance(2000)
    const { locks } = await world.call('ann', 'list_locks', {})
    expect(Date.parse(locks[0]?.granted_at ?? '')).toBe(at + hour)
    expect(Date.parse(locks[0]?.expires_at ?? '') - Date.parse(lock.expires_at)).toBeGreaterThan(
      hour,
    )
    const { rows } = await world.call('admin', 'query_audit', { since: isoTime(at) })
    expect(rows.length).toBeGreaterThan(0)
    await world.clock.advance(50_000)
    expect((await world.call('bob', 'list_locks', {})).locks).toHaveLength(1)
  } finally {
    showTimesBy(0, Number.POSITIVE_INFINITY)
  }
})

test('A1, guard §2: two whole writes of one session at the same moment are told of each other', async () => {
  const world = await EngineWorld.start()
  await world.call('ann', 'write_file', { path: '/f' }, 'v1')
  await Promise.all([
    world.call('ann', 'write_file', { path: '/f' }, 'x'),
    world.call('ann', 'write_file', { path: '/f' }, 'y'),
  ])
  const told = world.engine.takeNotices(await world.caller('ann'), 'main')
  expect(told.map(({ kind }) => kind)).toEqual(['overlapped'])
  expect(told[0]?.text).toContain('"as"')
  await Promise.all([1, 2].map(() => world.call('ann', 'patch_file', { path: '/f', append: 'x' })))
  expect(world.engine.takeNotices(await world.caller('ann'), 'main')).toEqual([])
})
