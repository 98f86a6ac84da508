import { describe, expect, it } from 'vitest'
import { overlaps, RangeList, reanchored } from '../../src/core/lock/range.ts'
import { actor, granted, World } from './world.ts'

const LETTERS = 'abcdefghijklmnopqrstuvwxyz'

/** A file with 26 bytes, that nobody holds. */
function withLetters(): World {
  const world = new World()
  world.write('ann', '/f', LETTERS)
  return world
}

function range(start: number, end?: number) {
  return { range: end === undefined ? { start } : { start, end } }
}

function heldRange(world: World, lock: number): [number, number] | undefined {
  const found = world.state.locks.locks.get(lock)?.items[0]?.range
  return found && [found.start, found.end]
}

describe('ranges', () => {
  it('locks §5: two of one file go together unless they overlap', () => {
    const world = withLetters()
    granted(world.acquire('ann', '/f', 'write', range(0, 10)))
    granted(world.acquire('bob', '/f', 'write', range(10, 20)))
    granted(world.acquire('cyd', '/f', 'read', range(0, 26)))
    expect(world.acquire('dee', '/f', 'write', range(9, 11)).refusal?.code).toBe('lock_conflict')
    expect(world.acquire('dee', '/f', 'exclusive', range(20)).refusal?.code).toBe('lock_conflict')
    const stable = world.acquire('dee', '/f', 'read', { ...range(5, 6), stable: true })
    expect(stable.refusal?.code).toBe('lock_conflict')
  })

  it('locks §5: a range stands below its file, as an intention', () => {
    const world = withLetters()
    granted(world.acquire('ann', '/f', 'write', range(0, 10)))
    expect(world.acquire('bob', '/f', 'write').refusal?.code).toBe('lock_conflict')
    expect(world.acquire('bob', '/f', 'exclusive').refusal?.code).toBe('lock_conflict')
    expect(world.acquire('bob', '/', 'write').refusal?.code).toBe('lock_conflict')
    granted(world.acquire('bob', '/f', 'read'))
  })

  it('locks §5: an open range is the end of the file and whatever is appended', () => {
    const world = withLetters()
    granted(world.acquire('ann', '/f', 'write', range(26)))
    const append = {
      kind: 'write',
      how: 'append',
      path: '/f',
      content: { sha256: `${LETTERS}!`, size: 27 },
      onto: 1,
    } as const
    expect(world.commit('bob', [append]).refusal).toMatchObject({
      code: 'locked',
      data: { holders: [{ agent: 'ann', range: { start: 26 } }] },
    })
    expect(world.commit('ann', [append]).refusal).toBeUndefined()
  })

  it('locks §5: a waiting range is served when what overlaps it leaves', () => {
    const world = withLetters()
    const lock = granted(world.acquire('ann', '/f', 'write', range(0, 10)))
    granted(world.acquire('bob', '/f', 'write', range(12, 20)))
    world.acquire('cyd', '/f', 'write', { ...range(5, 8), queue: true })
    world.acquire('dee', '/f', 'write', { ...range(7, 11), queue: true })
    world.acquire('eve', '/f', 'write', { ...range(9, 10), queue: true })
    const step = world.release('ann', lock)
    expect(step.events.slice(1).map((event) => event.agent)).toEqual(['cyd'])
    expect(world.waiters).toEqual(['dee', 'eve'])
  })

  it('locks §5: a commit under a range replaces just that range; holds behind it move along', () => {
    const world = withLetters()
    const ann = granted(world.acquire('ann', '/f', 'write', range(5, 10)))
    const bob = granted(world.acquire('bob', '/f', 'write', range(20, 24)))
    const [queued] = world.acquire('cyd', '/f', 'write', { ...range(22, 26), queue: true }).events
    world.splice('ann', '/f', 6, 9, '-----')
    expect(world.text('/f')).toBe('abcdef-----jklmnopqrstuvwxyz')
    expect(heldRange(world, ann)).toEqual([5, 12])
    expect(heldRange(world, bob)).toEqual([22, 26])
    const waiting = world.state.locks.tickets.get(queued?.revision as number)
    expect(waiting?.items[0]?.range).toEqual({ start: 24, end: 28 })
    // Nothing is left of what cyd waited behind.
    expect(world.splice('bob', '/f', 22, 26, '').events).toHaveLength(2)
    expect(world.text('/f')).toBe('abcdef-----jklmnopqrstyz')
    expect(heldRange(world, bob)).toEqual([22, 22])
    expect(heldRange(world, ann)).toEqual([5, 12])
  })

  it('locks §5: an edit outside all ranges needs none; one that touches a range is locked', () => {
    const world = withLetters()
    const ann = granted(world.acquire('ann', '/f', 'write', range(5, 10)))
    expect(world.splice('bob', '/f', 0, 2, 'AB!').refusal).toBeUndefined()
    expect(heldRange(world, ann)).toEqual([6, 11])
    expect(world.splice('bob', '/f', 10, 14, '').refusal).toMatchObject({
      code: 'locked',
      data: { holders: [{ range: { start: 6, end: 11 } }] },
    })
    expect(world.write('bob', '/f', 'all of it').refusal?.code).toBe('locked')
  })

  it('locks §5: inserting at the edge of a range leaves it alone; its holder may', () => {
    const world = withLetters()
    const ann = granted(world.acquire('ann', '/f', 'write', range(5, 10)))
    world.splice('bob', '/f', 5, 5, '<<')
    expect(heldRange(world, ann)).toEqual([7, 12])
    world.splice('bob', '/f', 12, 12, '>>')
    expect(heldRange(world, ann)).toEqual([7, 12])
    world.splice('ann', '/f', 12, 12, '+')
    expect(heldRange(world, ann)).toEqual([7, 13])
    expect(world.splice('bob', '/f', 9, 9, '?').refusal?.code).toBe('locked')
  })

  it('locks §33, I4: a lost range does not let its late writer in', () => {
    const world = withLetters()
    granted(world.acquire('ann', '/f', 'write', { ...range(5, 10), ttlMs: 1000 }))
    world.at += 1000
    world.expire()
    world.splice('bob', '/f', 0, 1, '')
    expect(world.splice('ann', '/f', 5, 6, '!').refusal?.code).toBe('lock_lost')
  })

  it('locks §5: bad ranges are refused and change nothing', () => {
    const world = withLetters()
    expect(world.acquire('ann', '/f', 'write', range(5, 5)).refusal?.code).toBe('range_invalid')
    expect(world.acquire('ann', '/f', 'write', range(6, 5)).refusal?.code).toBe('range_invalid')
    const subtree = world.acquire('ann', '/f', 'write', { ...range(0, 5), scope: 'subtree' })
    expect(subtree.refusal?.code).toBe('invalid_request')
    world.commit('ann', [{ kind: 'make-folder', path: '/dir' }])
    expect(world.acquire('ann', '/dir', 'write', range(0, 5)).refusal?.code).toBe('is_folder')
    expect(world.holders).toEqual([])
  })

  it('locks §12: asking for the same range again gives the same lock, more of it a new one', () => {
    const world = withLetters()
    const lock = granted(world.acquire('ann', '/f', 'write', range(5, 10)))
    expect(world.acquire('ann', '/f', 'write', range(6, 9)).held?.id).toBe(lock)
    expect(world.acquire('ann', '/f', 'exclusive', range(5, 10)).events[0]).toMatchObject({
      kind: 'lock-raised',
      lock,
    })
    granted(world.acquire('ann', '/f', 'write', range(4, 9)))
  })
})

describe('how ranges move', () => {
  const move = (at: [number, number], splice: [number, number, number], own = false) => {
    const [start, end, size] = splice
    const moved = reanchored({ start: at[0], end: at[1] }, { start, end, size }, own)
    return [moved.start, moved.end]
  }

  it('locks §5: contained, behind, before, in part', () => {
    expect(move([10, 20], [12, 15, 9])).toEqual([10, 26])
    expect(move([10, 20], [10, 20, 0], true)).toEqual([10, 10])
    expect(move([10, 20], [0, 5, 2])).toEqual([7, 17])
    expect(move([10, 20], [20, 25, 0])).toEqual([10, 20])
    expect(move([10, 20], [5, 15, 1])).toEqual([6, 11])
    expect(move([10, 20], [15, 25, 1])).toEqual([10, 16])
    expect(move([20, 30], [15, 25, 1])).toEqual([16, 21])
    expect(move([10, Number.POSITIVE_INFINITY], [10, 10, 5])).toEqual([
      15,
      Number.POSITIVE_INFINITY,
    ])
  })

  it('locks §5: points and edges', () => {
    const point = { start: 5, end: 5 }
    expect(overlaps(point, { start: 5, end: 9 })).toBe(false)
    expect(overlaps(point, { start: 1, end: 5 })).toBe(false)
    expect(overlaps(point, { start: 4, end: 6 })).toBe(true)
    expect(overlaps(point, { start: 5, end: Number.POSITIVE_INFINITY })).toBe(false)
    expect(overlaps({ start: 4, end: 6 }, point)).toBe(true)
    expect(overlaps(point, { ...point })).toBe(false)
  })

  it('locks §5: the list finds what overlaps, however long one that began before it is', () => {
    const list = new RangeList<{ range: { start: number; end: number } }>()
    const ranges = [
      [0, 100],
      [1, 2],
      [3, 4],
      [50, 60],
      [70, 71],
    ].map(([start, end]) => ({ range: { start: start as number, end: end as number } }))
    for (const one of ranges) list.add(one)
    const found = [...list.overlapping({ start: 55, end: 58 })].map((one) => one.range.start)
    expect(found).toEqual([0, 50])
    list.delete(ranges[0] as (typeof ranges)[number])
    expect([...list.overlapping({ start: 55, end: 58 })]).toEqual([ranges[3]])
  })
})

describe('keys for metadata', () => {
  const metadata = { key: 'metadata' as const }

  it('locks §6: relabelling never waits for content', () => {
    const world = withLetters()
    granted(world.acquire('ann', '/f', 'exclusive'))
    granted(world.acquire('bob', '/f', 'write', metadata))
    expect(world.acquire('cyd', '/f', 'write', metadata).refusal?.code).toBe('lock_conflict')
  })

  it('locks §6: a hold of the folder covers it', () => {
    const world = withLetters()
    const lock = granted(world.acquire('ann', '/', 'write', { scope: 'subtree' }))
    expect(world.acquire('bob', '/f', 'write', metadata).refusal?.code).toBe('lock_conflict')
    expect(world.acquire('ann', '/f', 'write', metadata).held?.id).toBe(lock)
  })

  it('locks §6: it covers no write, and has no bytes and nothing below', () => {
    const world = new World({ write_mode: 'locked' })
    granted(world.acquire('ann', '/f', 'write', metadata))
    expect(world.write('ann', '/f', 'x').refusal?.code).toBe('lock_required')
    const both = world.acquire('ann', '/f', 'write', { ...metadata, ...range(0, 1) })
    expect(both.refusal?.code).toBe('invalid_request')
    expect(world.acquire('ann', '/', 'write', metadata).refusal?.code).toBe('invalid_path')
    expect(actor('ann').agent).toBe('ann')
  })
})
