import { describe, expect, it } from 'vitest'
import { actor, granted, World } from './world.ts'

describe('upgrade and downgrade', () => {
  it('locks §15: read to write waits for no reader', () => {
    const world = new World()
    const lock = granted(world.acquire('ann', '/a', 'read'))
    granted(world.acquire('bob', '/a', 'read'))
    const [event] = world.change('ann', lock, 'write').events
    expect(event).toMatchObject({ kind: 'lock-raised', lock, items: [{ level: 'write' }] })
  })

  it('locks §15: two upgraders to write take turns without deadlock', () => {
    const world = new World()
    const a = granted(world.acquire('ann', '/a', 'read'))
    const b = granted(world.acquire('bob', '/a', 'read'))
    world.change('ann', a, 'write')
    expect(world.change('bob', b, 'write', { queue: true }).events[0]?.kind).toBe('lock-queued')
    const step = world.release('ann', a)
    expect(step.events[1]).toMatchObject({ kind: 'lock-raised', lock: b })
  })

  it('locks §16: to exclusive goes ahead of those its own level blocks, and recalls the others', () => {
    const world = new World()
    const a = granted(world.acquire('ann', '/a', 'write'))
    const b = granted(world.acquire('bob', '/a', 'read'))
    world.acquire('cyd', '/a', 'write', { queue: true })
    const step = world.change('ann', a, 'exclusive', { queue: true })
    expect(step.events.map((event) => event.kind)).toEqual(['lock-queued', 'lock-recalled'])
    expect(step.events[1]).toMatchObject({ lock: b, reason: 'upgrade', for: 'ann' })
    expect(world.waiters).toEqual(['ann', 'cyd'])
    const freed = world.release('bob', b)
    expect(freed.events[1]).toMatchObject({ kind: 'lock-raised', lock: a })
  })

  it('locks §16: it closes the gate to new readers', () => {
    const world = new World()
    const a = granted(world.acquire('ann', '/a', 'read'))
    granted(world.acquire('bob', '/a', 'read'))
    world.change('ann', a, 'exclusive', { queue: true })
    expect(world.acquire('cyd', '/a', 'read').refusal?.code).toBe('lock_conflict')
    expect(world.acquire('ann', '/a', 'read').held?.id).toBe(a)
  })

  it('locks §16: a second one to exclusive is refused at once', () => {
    const world = new World()
    const a = granted(world.acquire('ann', '/a', 'read'))
    const b = granted(world.acquire('bob', '/a', 'read'))
    world.change('ann', a, 'exclusive', { queue: true })
    for (const queue of [true, false]) {
      const { refusal } = world.change('bob', b, 'exclusive', { queue })
      expect(refusal).toMatchObject({
        code: 'upgrade_conflict',
        data: { agent: 'ann', session: 'ann:default' },
      })
    }
    world.release('bob', b)
    expect(world.state.locks.locks.get(a)?.items[0]?.mode).toBe(7)
  })

  it('locks §16: nobody raises a lock that was handed over, so it stands in nobody’s way', () => {
    const world = new World()
    const a = granted(world.acquire('ann', '/a', 'read'))
    granted(world.acquire('bob', '/a', 'read'))
    world.change('ann', a, 'exclusive', { queue: true })
    world.run({ kind: 'hand-over-lock', actor: actor('ann'), lock: a, to: actor('bob') })
    const step = world.acquire('cyd', '/a', 'exclusive', { queue: true })
    expect(step.events).toMatchObject([{ kind: 'lock-queued' }])
  })

  it('locks §28: a raise never shortens, at once or through the queue', () => {
    const world = new World()
    const lock = granted(world.acquire('ann', '/a', 'read', { ttlMs: 60_000 }))
    world.acquire('ann', '/a', 'write', { ttlMs: 1000 })
    expect(world.state.locks.locks.get(lock)?.ttlMs).toBe(60_000)
    const other = granted(world.acquire('bob', '/a', 'read'))
    world.acquire('ann', '/a', 'exclusive', { ttlMs: 1000, queue: true })
    world.release('bob', other)
    expect(world.state.locks.locks.get(lock)).toMatchObject({ ttlMs: 60_000, items: [{ mode: 7 }] })
  })

  it('locks §17: an upgrade returns the version, and refuses one that is not current', () => {
    const world = new World()
    const first = world.write('ann', '/a', 'one').events[0]?.revision as number
    const lock = granted(world.acquire('bob', '/a', 'read'))
    const second = world.write('ann', '/a', 'two').events[0]?.revision as number
    expect(world.change('bob', lock, 'write', { ifVersion: first }).refusal).toMatchObject({
      code: 'stale_version',
      data: { yours: first, current: second },
    })
    const step = world.change('bob', lock, 'write', { ifVersion: second })
    expect(step.events[0]).toMatchObject({ versions: [second] })
  })

  it('locks §17: a waiting request whose version was passed leaves the queue and says so', () => {
    const world = new World()
    const first = world.write('ann', '/a', 'one').events[0]?.revision as number
    const lock = granted(world.acquire('ann', '/a', 'write'))
    const [queued] = world.acquire('bob', '/a', 'write', { queue: true, ifVersion: first }).events
    const second = world.write('ann', '/a', 'two').events[0]?.revision as number
    const step = world.release('ann', lock)
    expect(step.events[1]).toMatchObject({
      kind: 'ticket-left',
      ticket: queued?.revision,
      reason: 'stale',
      current: second,
    })
    expect(world.state.locks.stale.get(queued?.revision as number)?.yours).toBe(first)
  })

  it('locks §17: a downgrade is immediate, keeps the fence, and wakes waiters', () => {
    const world = new World()
    const lock = granted(world.acquire('ann', '/a', 'exclusive'))
    world.acquire('bob', '/a', 'read', { queue: true })
    const step = world.change('ann', lock, 'write')
    expect(step.events.map((event) => event.kind)).toEqual(['lock-lowered', 'lock-acquired'])
    expect(world.state.locks.locks.get(lock)?.fence).toBe(lock)
    expect(world.change('ann', lock, 'write').held?.id).toBe(lock)
  })

  it('locks §12: only the holder may change its lock; a lost one says how it was lost', () => {
    const world = new World()
    const lock = granted(world.acquire('ann', '/a', 'write'))
    expect(world.change('bob', lock, 'read').refusal?.code).toBe('forbidden')
    world.release('ann', lock)
    expect(world.change('ann', lock, 'read').refusal?.code).toBe('lock_lost')
  })

  it('locks §12: the same several paths again are held already, whatever else is held', () => {
    const world = new World()
    granted(world.acquire('bob', '/f', 'write', { scope: 'subtree' }))
    const two = granted(world.acquire('bob', ['/f/a', '/g'], 'read'))
    expect(world.acquire('bob', ['/f/a', '/g'], 'read').held?.id).toBe(two)
  })

  it('locks §15: a change of a lock on several paths is all or nothing', () => {
    const world = new World()
    const lock = granted(world.acquire('ann', ['/a', '/b'], 'read'))
    granted(world.acquire('bob', '/b', 'write'))
    expect(world.change('ann', lock, 'write').refusal?.code).toBe('lock_conflict')
    expect(world.state.locks.locks.get(lock)?.items.map((item) => item.mode)).toEqual([4, 4])
  })
})

describe('handover', () => {
  const handOver = (world: World, who: string, lock: number, to: string) =>
    world.run({ kind: 'hand-over-lock', actor: actor(who), lock, to: actor(to) })

  it('locks §41: moves a hold without a gap, under a new id and fence', () => {
    const world = new World()
    const lock = granted(world.acquire('ann', '/a', 'write'))
    world.acquire('cyd', '/a', 'write', { queue: true })
    const step = handOver(world, 'ann', lock, 'bob')
    expect(step.events.map((event) => event.kind)).toEqual(['lock-handed-over'])
    expect(world.holders).toEqual(['bob'])
    const [now] = world.state.locks.locks.values()
    expect(now?.fence).toBeGreaterThan(lock)
    expect(world.write('ann', '/a', 'late').refusal?.code).toBe('lock_lost')
    expect(world.write('bob', '/a', 'mine').refusal).toBeUndefined()
  })

  it('locks §41: needs the hold, and the rights of who gets it', () => {
    const world = new World()
    const lock = granted(world.acquire('ann', '/a', 'write'))
    expect(handOver(world, 'bob', lock, 'cyd').refusal?.code).toBe('forbidden')
    const reader = {
      ...actor('bob'),
      rights: [{ workspace: '*', path: '/', access: 'read' as const }],
    }
    const step = world.run({ kind: 'hand-over-lock', actor: actor('ann'), lock, to: reader })
    expect(step.refusal?.code).toBe('forbidden')
    expect(world.holders).toEqual(['ann'])
  })

  it('locks §41: is refused where it would close a cycle', () => {
    const world = new World()
    const lock = granted(world.acquire('ann', '/a', 'write'))
    granted(world.acquire('bob', '/b', 'write'))
    world.acquire('bob', '/a', 'write', { queue: true })
    world.acquire('cyd', '/b', 'write', { queue: true })
    const step = handOver(world, 'ann', lock, 'cyd')
    expect(step.refusal?.code).toBe('deadlock')
    expect(world.holders).toEqual(['ann', 'bob'])
  })
})
