import { describe, expect, it } from 'vitest'
import { actor, granted, World } from './world.ts'

/** Sessions that wait for a write on one path, in this order, behind `ann`. */
function line(world: World, path: string, ...who: string[]): number {
  const lock = granted(world.acquire('ann', path, 'write'))
  for (const one of who) world.acquire(one, path, 'write', { queue: true })
  return lock
}

describe('fcfs', () => {
  it('locks §18: by ticket', () => {
    const world = new World()
    const lock = line(world, '/a', 'bob', 'cyd', 'dee')
    expect(world.waiters).toEqual(['bob', 'cyd', 'dee'])
    world.release('ann', lock)
    expect(world.holders).toEqual(['bob'])
  })

  it('locks §18: when an exclusive leaves, all readers waiting then enter, past a waiting writer', () => {
    const world = new World()
    const lock = granted(world.acquire('ann', '/a', 'exclusive'))
    world.acquire('bob', '/a', 'exclusive', { queue: true })
    world.acquire('cyd', '/a', 'read', { queue: true })
    world.acquire('dee', '/a', 'read', { queue: true, stable: true })
    world.release('ann', lock)
    expect(world.holders.sort()).toEqual(['cyd', 'dee'])
    expect(world.waiters).toEqual(['bob'])
  })

  it('locks §18: while an exclusive waits, new readers wait, so it is passed once', () => {
    const world = new World()
    const lock = granted(world.acquire('ann', '/a', 'exclusive'))
    world.acquire('bob', '/a', 'exclusive', { queue: true })
    const first = world.acquire('cyd', '/a', 'read', { queue: true })
    const grants = world.release('ann', lock)
    world.acquire('dee', '/a', 'read', { queue: true })
    expect(world.waiters).toEqual(['bob', 'dee'])
    expect(first.events[0]?.kind).toBe('lock-queued')
    world.release('cyd', granted(grants))
    expect(world.holders).toEqual(['bob'])
  })

  it('locks §18: readers of a folder enter when the last writer below leaves', () => {
    const world = new World()
    const one = granted(world.acquire('ann', '/f/1', 'write'))
    const two = granted(world.acquire('bob', '/f/2', 'write'))
    world.acquire('cyd', '/f', 'exclusive', { queue: true, scope: 'subtree' })
    world.acquire('dee', '/f', 'read', { queue: true, scope: 'subtree', stable: true })
    world.release('ann', one)
    expect(world.holders).toEqual(['bob'])
    world.release('bob', two)
    expect(world.holders).toEqual(['dee'])
  })

  it('locks §18: who waits for something else too does not pass', () => {
    const world = new World()
    const lock = granted(world.acquire('ann', '/a', 'exclusive'))
    granted(world.acquire('eve', '/b', 'write'))
    world.acquire('bob', '/a', 'exclusive', { queue: true })
    world.acquire('cyd', '/b', 'write', { queue: true })
    world.acquire('cyd', '/a', 'read', { queue: true })
    world.release('ann', lock)
    expect(world.holders).toEqual(['eve', 'bob'])
  })
})

describe('priority', () => {
  const order = 'priority' as const

  it('locks §19: the more urgent goes first, ties by ticket', () => {
    const world = new World({ order })
    const lock = granted(world.acquire('ann', '/a', 'write'))
    for (const [who, priority] of [
      ['bob', 5],
      ['cyd', 7],
      ['dee', undefined],
      ['eve', 9],
    ] as const) {
      world.acquire(who, '/a', 'write', { queue: true, priority })
    }
    expect(world.waiters).toEqual(['eve', 'cyd', 'bob', 'dee'])
    world.release('ann', lock)
    expect(world.holders).toEqual(['eve'])
  })

  it('locks §19: after 45 s the lowest outranks every newcomer', () => {
    const world = new World({ order })
    granted(world.acquire('ann', '/a', 'write'))
    world.acquire('low', '/a', 'write', { queue: true, priority: 0 })
    world.at += 44_999
    world.acquire('bob', '/a', 'write', { queue: true, priority: 9 })
    world.at += 1
    world.acquire('cyd', '/a', 'write', { queue: true, priority: 9 })
    expect(world.waiters).toEqual(['bob', 'low', 'cyd'])
  })

  it('locks §19: the order of two waiters never turns round with time', () => {
    const world = new World({ order })
    granted(world.acquire('ann', '/a', 'write'))
    world.acquire('bob', '/a', 'write', { queue: true, priority: 5 })
    world.at += 4000
    world.acquire('cyd', '/a', 'write', { queue: true, priority: 6 })
    for (let second = 0; second < 30; second++) {
      world.at += 1000
      world.followUp()
      expect(world.waiters).toEqual(['cyd', 'bob'])
    }
  })

  it('locks §22: a holder inherits the priority of those it blocks, where it waits itself', () => {
    const world = new World({ order })
    granted(world.acquire('ann', '/x', 'write'))
    granted(world.acquire('bob', '/y', 'write'))
    world.acquire('cyd', '/x', 'write', { queue: true, priority: 6 })
    world.acquire('bob', '/x', 'write', { queue: true, priority: 2 })
    expect(world.waiters).toEqual(['cyd', 'bob'])
    const step = world.acquire('dee', '/y', 'write', { queue: true, priority: 9 })
    expect(step.events.map((event) => event.kind)).toEqual(['lock-queued', 'ticket-moved'])
    expect(world.waiters).toEqual(['bob', 'dee', 'cyd'])
  })

  it('locks §22: transitively, along the whole chain', () => {
    const world = new World({ order })
    granted(world.acquire('ann', '/1', 'write'))
    granted(world.acquire('bob', '/2', 'write'))
    granted(world.acquire('cyd', '/3', 'write'))
    world.acquire('eve', '/1', 'write', { queue: true, priority: 6 })
    world.acquire('bob', '/1', 'write', { queue: true, priority: 1 })
    world.acquire('cyd', '/2', 'write', { queue: true, priority: 1 })
    world.acquire('dee', '/3', 'write', { queue: true, priority: 9 })
    expect(world.waiters.indexOf('bob')).toBeLessThan(world.waiters.indexOf('eve'))
  })

  it('locks §22: whoever begins to wait takes what those behind it have already', () => {
    const world = new World({ order })
    granted(world.acquire('ann', '/x', 'write'))
    granted(world.acquire('bob', '/y', 'write'))
    world.acquire('dee', '/y', 'write', { queue: true, priority: 9 })
    world.acquire('cyd', '/x', 'write', { queue: true, priority: 6 })
    world.acquire('bob', '/x', 'write', { queue: true, priority: 2 })
    expect(world.waiters.indexOf('bob')).toBeLessThan(world.waiters.indexOf('cyd'))
  })
})

describe('the win limit', () => {
  it('locks §21: the same agent does not win a fourth time while another could take it', () => {
    const world = new World()
    let lock = granted(world.acquire('ann:0', '/a', 'write'))
    for (const session of ['ann:1', 'ann:2', 'ann:3', 'ann:4', 'bob', 'ann:5']) {
      world.acquire(session, '/a', 'write', { queue: true })
    }
    const winners: string[] = []
    for (let turn = 0; turn < 6; turn++) {
      const step = world.run({
        kind: 'release-lock',
        actor: actor('boss', 'admin'),
        lock,
        force: true,
        reason: 'next',
      })
      lock = granted(step)
      winners.push(world.state.locks.locks.get(lock)?.owner.session as string)
    }
    expect(winners).toEqual(['ann:1', 'ann:2', 'ann:3', 'bob:default', 'ann:4', 'ann:5'])
  })

  it('locks §21: a newcomer at its limit does not pass who waits', () => {
    const world = new World({ order: 'priority' })
    granted(world.acquire('eve', '/a', 'read', { stable: true }))
    world.acquire('bob', '/a', 'write', { queue: true, priority: 1 })
    for (let turn = 0; turn < 3; turn++) {
      const lock = granted(world.acquire('ann', '/a', 'read', { stable: true, priority: 9 }))
      world.release('ann', lock)
    }
    expect(world.acquire('ann', '/a', 'read', { stable: true, priority: 9 }).refusal?.code).toBe(
      'lock_conflict',
    )
    world.acquire('ann', '/a', 'read', { stable: true, priority: 9, queue: true })
    expect(world.waiters).toEqual(['bob', 'ann'])
  })

  it('locks §21: a request for any of several is not held to the limit', () => {
    const world = new World({ order: 'priority' })
    granted(world.acquire('eve', '/a', 'read', { stable: true }))
    world.acquire('bob', '/a', 'write', { queue: true, priority: 1 })
    const options = { stable: true, priority: 9, any: 1 }
    for (let turn = 0; turn < 5; turn++) {
      world.release('ann', granted(world.acquire('ann', ['/a', '/b'], 'read', options)))
    }
    // What it won counts for who asks for the path by its name.
    expect(world.acquire('ann', '/a', 'read', { stable: true, priority: 9 }).refusal?.code).toBe(
      'lock_conflict',
    )
  })

  it('locks §21: one grant of two ranges of a file is one win of it', () => {
    const world = new World({ order: 'priority', wins_in_a_row: 2 })
    const ranged = (who: string, starts: number[]) =>
      world.run({
        kind: 'acquire-lock',
        actor: actor(who),
        items: starts.map((start) => ({
          path: '/f',
          level: 'write',
          range: { start, end: start + 1 },
        })),
        renew: 'activity',
        priority: 9,
        queue: false,
      })
    granted(ranged('bob', [0]))
    world.acquire('ann', '/f', 'write', { queue: true })
    granted(ranged('dee', [4, 6]))
    granted(ranged('dee:2', [8]))
    expect(ranged('dee:3', [9]).refusal?.code).toBe('lock_conflict')
  })

  it('locks §21: who waits for this session anyway is passed at the limit too', () => {
    const world = new World({ order: 'priority', wins_in_a_row: 1 })
    granted(world.acquire('ann', '/x'))
    world.acquire('bob', ['/a', '/x'], 'write', { queue: true })
    for (let turn = 0; turn < 3; turn++) {
      world.release('ann', granted(world.acquire('ann', '/a')))
    }
    expect(world.waiters).toEqual(['bob'])
  })

  it('locks §21: nobody else waiting, there is no limit', () => {
    const world = new World()
    for (let turn = 0; turn < 10; turn++) {
      world.release('ann', granted(world.acquire('ann', '/a', 'write')))
    }
    expect(world.holders).toEqual([])
  })
})

describe('any of several', () => {
  it('locks §9: takes the first that are free, in the order given', () => {
    const world = new World()
    granted(world.acquire('ann', '/q/2', 'write'))
    const step = world.acquire('bob', ['/q/2', '/q/3', '/q/1'], 'write', { any: 1 })
    expect(step.events[0]).toMatchObject({ kind: 'lock-acquired', items: [{ path: '/q/3' }] })
  })

  it('locks §9: waits for whichever is free first, and leaves the other queues', () => {
    const world = new World()
    granted(world.acquire('ann', '/q/1', 'write'))
    const two = granted(world.acquire('ann', '/q/2', 'write'))
    world.acquire('bob', ['/q/1', '/q/2'], 'write', { any: 1, queue: true })
    world.acquire('cyd', '/q/1', 'write', { queue: true })
    const step = world.release('ann', two)
    expect(step.events[1]).toMatchObject({ kind: 'lock-acquired', items: [{ path: '/q/2' }] })
    expect(world.waiters).toEqual(['cyd'])
  })

  it('locks §9: a work queue: each asks for any one, none is given twice', () => {
    const world = new World()
    const jobs = ['/q/1', '/q/2', '/q/3']
    const taken = ['ann', 'bob', 'cyd'].map((who) => {
      const [event] = world.acquire(who, jobs, 'write', { any: 1, queue: true }).events
      return event?.kind === 'lock-acquired' ? event.items[0]?.path : undefined
    })
    expect(taken).toEqual(jobs)
    world.acquire('dee', jobs, 'write', { any: 1, queue: true })
    expect(world.waiters).toEqual(['dee'])
  })

  it('locks §9: what the session holds is passed over; too few left is refused', () => {
    const world = new World()
    granted(world.acquire('ann', '/q/1', 'write'))
    const step = world.acquire('ann', ['/q/1', '/q/2'], 'write', { any: 1 })
    expect(step.events[0]).toMatchObject({ items: [{ path: '/q/2' }] })
    const again = world.acquire('ann', ['/q/1', '/q/2'], 'write', { any: 1 })
    expect(again.refusal?.code).toBe('invalid_request')
    expect(world.acquire('bob', ['/q/1'], 'write', { any: 2 }).refusal?.code).toBe(
      'invalid_request',
    )
  })
})
