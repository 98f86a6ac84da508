import { expect, test } from 'vitest'
import type { Output } from '../../src/contract/operations.ts'
import { LedgerFull } from '../../src/store/ledger.ts'
import { gatedWorld } from '../engine/gate.ts'
import { type EngineWorld, settle } from '../engine/world.ts'

/** `cases` E1: what becomes of a call that is given up when something else goes wrong or meets it. */
async function heldIn(world: EngineWorld): Promise<string[]> {
  const { locks } = await world.call('ann', 'list_locks', {})
  return locks.map(({ id }) => id)
}

function idOf(answer: Output<'acquire_lock'>): string | undefined {
  return answer.status === 'granted' ? answer.lock.id : undefined
}

/** The grant is on the disk, and its caller has given up; what gives it back found the disk full. */
async function keptByFullDisk() {
  const { world, gate } = await gatedWorld()
  gate.isShut = true
  const stop = new AbortController()
  const asked = world.call('bob', 'acquire_lock', { path: '/f' }, undefined, stop.signal)
  await settle()
  stop.abort()
  gate.failAfter = { appends: 1, error: new LedgerFull() }
  gate.open()
  await world.code(asked)
  await settle()
  const kept = await heldIn(world)
  expect(kept).toHaveLength(1)
  gate.failAfter = undefined
  return { world, kept: kept[0] }
}

test('E1+: a full disk does not keep what was given up; it goes back when there is room', async () => {
  const { world } = await keptByFullDisk()
  await world.clock.advance(2000)
  expect(await heldIn(world)).toEqual([])
})

test('E1+: what is given up while the disk is full is not what its caller is told of next', async () => {
  const { world, kept } = await keptByFullDisk()
  // The pause of a full disk is over; no sweep has come by since.
  await world.clock.advance(1000)
  const next = idOf(await world.call('bob', 'acquire_lock', { path: '/f' }))
  expect(next).not.toBe(kept)
  await world.clock.advance(2000)
  expect(await heldIn(world)).toEqual([next])
})

test('E1+: a call that is sent again is told, though the one before it gives up, and gives that up too', async () => {
  const { world, gate } = await gatedWorld()
  const ask = (signal: AbortSignal) =>
    world.call('bob', 'acquire_lock', { path: '/f', request_id: 'one' }, undefined, signal)
  for (const [who, survivors] of [
    ['first', 1],
    // Nobody looks at the answer to the first any more.
    ['second', 0],
    ['both', 0],
  ] as const) {
    // So that the calls arrive in this order.
    await world.caller('bob')
    gate.isShut = true
    const [stop, other] = [new AbortController(), new AbortController()]
    const calls = [ask(stop.signal), ask(other.signal)]
    await settle()
    if (who !== 'second') stop.abort()
    if (who !== 'first') other.abort()
    gate.open()
    const codes = await Promise.all(calls.map((call) => world.code(call)))
    expect(
      codes.filter((code) => code === 'none'),
      who,
    ).toHaveLength(survivors)
    expect(await heldIn(world), who).toHaveLength(survivors)
    await world.call('bob', 'release_all_locks', {})
    // A request id answers one call for ever; the next round is another session.
    await world.call('bob', 'end_session', { id: 'bob:default' })
  }
})

test('E1+: two calls are about to be told of one lock, and one gives up', async () => {
  const { world, gate } = await gatedWorld()
  gate.isShut = true
  const stop = new AbortController()
  const first = world.call('bob', 'acquire_lock', { path: '/f' }, undefined, stop.signal)
  await settle()
  const second = world.call('bob', 'acquire_lock', { path: '/f' })
  await settle()
  stop.abort()
  gate.open()
  expect(await world.code(first)).toBe('ticket_gone')
  expect(await heldIn(world)).toEqual([idOf(await second)])
})

test('E1+: a resent call that is given up at once gives back before the next is decided', async () => {
  const { world } = await gatedWorld()
  const ask = (signal?: AbortSignal) =>
    world.call('bob', 'acquire_lock', { path: '/f', request_id: 'one' }, undefined, signal)
  const old = idOf(await ask())
  const again = ask(AbortSignal.abort())
  const next = idOf(await world.call('bob', 'acquire_lock', { path: '/f' }))
  expect(await world.code(again)).toBe('ticket_gone')
  expect(next).not.toBe(old)
  expect(await heldIn(world)).toEqual([next])
})

test('E1+: whose turn came is told, though what was decided after it could not be stored', async () => {
  const { world, gate } = await gatedWorld()
  const { lock } = await world.lock('ann', '/f')
  const waiting = world.call('bob', 'acquire_lock', { path: '/f', wait: 25 })
  await settle()
  gate.isShut = true
  const release = world.call('ann', 'release_lock', { id: lock.id })
  const write = world.call('cyd', 'write_file', { path: '/g' }, 'x')
  await settle()
  gate.failAfter = { appends: 1, error: new LedgerFull() }
  gate.open()
  expect(await release).toEqual({ released: true })
  expect(await world.code(write)).toBe('server_full')
  expect(idOf(await waiting)).toBe((await heldIn(world))[0])
})

test('E1+: what was granted by a call that a failing disk ended is told, and passes on unclaimed', async () => {
  for (const isClaimed of [true, false]) {
    const { world, gate } = await gatedWorld()
    gate.failLate = new Error('no answer from the disk')
    gate.failOpens = 1
    expect(await world.code(world.call('bob', 'acquire_lock', { path: '/f' }))).toBe('overloaded')
    await world.clock.advance(1000)
    const [held] = await heldIn(world)
    const [notice] = world.engine.takeNotices(await world.caller('bob'), 'main')
    expect(notice).toMatchObject({ kind: 'granted', lock: held, paths: ['/f'] })
    if (isClaimed) await world.call('bob', 'renew_lock', { id: held as string })
    for (let i = 0; i < 20; i++) {
      await world.clock.advance(10_000)
      await world.call('bob', 'list_locks', {})
    }
    expect(await heldIn(world)).toEqual(isClaimed ? [held] : [])
  }
})

test('E1+, locks §41: after a crash each session is told what it holds, is asked and has to give back', async () => {
  const { world } = await gatedWorld()
  const { lock } = await world.lock('ann', '/f')
  const { lock: given } = await world.call('ann', 'handover_lock', { id: lock.id, to: 'bob' })
  await world.lock('bob', '/g')
  const { lock: asked } = await world.lock('bob', '/h')
  await world.call('ann', 'ask_holder', { id: asked.id, message: 'soon?' })
  await world.call('admin', 'recall_lock', { id: asked.id, reason: 'a release' })
  await world.crash()
  const notices = world.engine.takeNotices(await world.caller('bob'), 'main')
  const kinds = notices.map((notice) => `${notice.kind} ${notice.paths?.join()}`)
  expect(kinds.sort()).toEqual(['asked /h', 'granted /f', 'granted /g', 'recalled /h'])
  expect(notices.find((one) => one.lock === given.id)?.text).toContain('You hold the lock')
  expect(notices.find((one) => one.kind === 'recalled')?.text).toContain('is recalled. Commit and')
  expect(world.engine.takeNotices(await world.caller('ann'), 'main')).toEqual([])
})
