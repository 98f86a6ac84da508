import { describe, expect, it } from 'vitest'
import type { Refusal } from '../../src/contract/errors.ts'
import { granted, World } from './world.ts'

function cycleOf(refusal: Refusal | undefined): { session: string }[] {
  return (refusal?.data?.cycle ?? []) as { session: string }[]
}

describe('deadlock', () => {
  it('locks §23: two in a ring are refused at enqueue, with the cycle by name', () => {
    const world = new World()
    const a = granted(world.acquire('ann', '/a', 'write'))
    const b = granted(world.acquire('bob', '/b', 'write'))
    world.acquire('ann', '/b', 'write', { queue: true })
    const { refusal, events } = world.acquire('bob', '/a', 'write', { queue: true })
    expect(events).toEqual([])
    expect(refusal?.code).toBe('deadlock')
    expect(refusal?.data?.cycle).toEqual([
      {
        session: 'bob:default',
        agent: 'bob',
        waits_for: { path: '/a', level: 'write' },
        held_by: 'ann:default',
        lock: `L${a}`,
        path: '/a',
      },
      {
        session: 'ann:default',
        agent: 'ann',
        waits_for: { path: '/b', level: 'write' },
        held_by: 'bob:default',
        lock: `L${b}`,
        path: '/b',
      },
    ])
    expect(refusal?.data?.release).toEqual([{ lock: `L${b}`, path: '/b' }])
    expect(refusal?.detail).toContain(`Release L${b} on /b first`)
    // What it says helps.
    world.release('bob', b)
    expect(world.acquire('bob', '/a', 'write', { queue: true }).refusal).toBeUndefined()
  })

  it.each([3, 5, 10])('locks §23: a ring of %i sessions', (count) => {
    const world = new World()
    const who = Array.from({ length: count }, (_, index) => `s${index}`)
    for (const one of who) granted(world.acquire(one, `/${one}`, 'write'))
    for (const [index, one] of who.slice(0, -1).entries()) {
      world.acquire(one, `/s${index + 1}`, 'write', { queue: true })
    }
    const { refusal } = world.acquire(`s${count - 1}`, '/s0', 'write', { queue: true })
    expect(refusal?.code).toBe('deadlock')
    expect(cycleOf(refusal).map((step) => step.session)).toEqual([
      `s${count - 1}:default`,
      ...who.slice(0, -1).map((one) => `${one}:default`),
    ])
  })

  it('locks §23: through subtrees, ranges and several paths', () => {
    const world = new World()
    granted(world.acquire('ann', '/f', 'write', { scope: 'subtree' }))
    granted(world.acquire('bob', ['/g', '/h'], 'write'))
    granted(world.acquire('cyd', '/r', 'write', { range: { start: 0, end: 10 } }))
    world.acquire('ann', ['/x', '/h'], 'write', { queue: true })
    world.acquire('cyd', '/f/deep/file', 'read', { queue: true, stable: true })
    const range = { start: 5, end: 7 }
    const step = world.acquire('bob', '/r', 'write', { queue: true, range })
    expect(step.refusal?.code).toBe('deadlock')
    expect(step.refusal?.data?.cycle).toHaveLength(3)
    const beside = { start: 10, end: 12 }
    expect(world.acquire('bob', '/r', 'write', { range: beside }).refusal).toBeUndefined()
  })

  it('locks §23: two stable readers that both want to write', () => {
    const world = new World()
    const a = granted(world.acquire('ann', '/a', 'read', { stable: true }))
    const b = granted(world.acquire('bob', '/a', 'read', { stable: true }))
    world.change('ann', a, 'write', { queue: true })
    expect(world.change('bob', b, 'write', { queue: true }).refusal?.code).toBe('deadlock')
  })

  it('locks §23: a waiter goes ahead of another where that ends the cycle', () => {
    const world = new World()
    granted(world.acquire('dee', '/x', 'read', { stable: true }))
    granted(world.acquire('ann', '/z', 'write'))
    world.acquire('bob', '/x', 'exclusive', { queue: true })
    world.acquire('ann', '/x', 'read', { queue: true, stable: true })
    // dee waits for ann, ann only for her place behind bob, bob for dee: ann may go first.
    const step = world.acquire('dee', '/z', 'write', { queue: true })
    expect(step.refusal).toBeUndefined()
    expect(step.events.map((event) => event.kind)).toEqual([
      'lock-queued',
      'ticket-moved',
      'lock-acquired',
    ])
    expect(world.waiters).toEqual(['bob', 'dee'])
  })

  it('locks §23: any of several is no deadlock while one of them can still come free', () => {
    const world = new World()
    granted(world.acquire('ann', '/a', 'write'))
    const b = granted(world.acquire('bob', '/b', 'write'))
    granted(world.acquire('cyd', '/c', 'write'))
    world.acquire('ann', ['/b', '/c'], 'write', { queue: true, any: 1 })
    expect(world.acquire('bob', '/a', 'write', { queue: true }).refusal).toBeUndefined()
    const step = world.acquire('cyd', '/a', 'write', { queue: true })
    expect(step.refusal?.code).toBe('deadlock')
    expect(step.refusal?.data?.cycle).not.toEqual([])
    world.release('bob', b)
    expect(world.holders).toContain('ann')
  })

  it('locks §24: who waits for nobody of its own making is never refused', () => {
    const world = new World()
    const lock = granted(world.acquire('ann', '/a', 'write'))
    granted(world.acquire('bob', '/b', 'write'))
    world.acquire('bob', '/a', 'write', { queue: true })
    world.acquire('cyd', '/b', 'write', { queue: true })
    expect(world.acquire('cyd', '/a', 'write', { queue: true }).refusal).toBeUndefined()
    world.release('ann', lock)
    expect(world.holders).toEqual(['bob', 'bob'])
  })
})
