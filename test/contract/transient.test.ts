import { describe, expect, it } from 'vitest'
import { TransientMap, TransientSet } from '../../src/contract/transient.ts'
import { Random, seedFrom } from '../chaos/random.ts'

describe('what comes and goes', () => {
  it('is there and gone as in a Map, in the same order', () => {
    const seed = seedFrom(process.env.SLUICE_TEST_SEED)
    console.log(`transient: SLUICE_TEST_SEED=${seed}`)
    const random = new Random(seed)
    const map = new Map<number, number>()
    const mine = new TransientMap<number, number>()
    for (let turn = 0; turn < 20_000; turn++) {
      const key = random.int(random.happens(0.1) ? 400 : 40)
      if (random.happens(0.5)) {
        map.set(key, turn)
        mine.set(key, turn)
      } else expect(mine.delete(key)).toBe(map.delete(key))
      expect([mine.size, mine.get(key), mine.has(key)]).toEqual([
        map.size,
        map.get(key),
        map.has(key),
      ])
      if (turn % 500 === 0) expect([...mine]).toEqual([...map])
    }
    expect([[...mine.keys()], [...mine.values()]]).toEqual([[...map.keys()], [...map.values()]])
    mine.clear()
    expect([mine.size, mine.get(1)]).toEqual([0, undefined])
  })

  it('whoever deletes what it is shown is shown the rest, and nothing that is gone', () => {
    const map = new TransientMap<number, number>()
    const set = new TransientSet<number>()
    for (let key = 0; key < 300; key++) {
      map.set(key, key)
      set.add(key)
    }
    const shown: number[] = []
    for (const key of map.keys()) {
      shown.push(key)
      map.delete(key)
      map.delete(key + 1)
    }
    expect(shown).toEqual(Array.from({ length: 150 }, (_, i) => 2 * i))
    for (const value of set) set.delete(value)
    expect([map.size, set.size]).toEqual([0, 0])
  })

  it('begins anew when more was deleted than is there', () => {
    const map = new TransientMap<number, object>()
    const set = new TransientSet<object>()
    const mapsSeen = new Set<unknown>()
    const setsSeen = new Set<unknown>()
    for (let key = 0; key < 1000; key++) {
      const value = {}
      map.set(key, value)
      set.add(value)
      if (key >= 10) {
        set.delete(map.get(key - 10) as object)
        map.delete(key - 10)
      }
      mapsSeen.add((map as unknown as { map: unknown }).map)
      setsSeen.add((set as unknown as { set: unknown }).set)
    }
    expect([map.size, set.size]).toEqual([10, 10])
    expect(mapsSeen.size).toBeGreaterThan(20)
    expect(setsSeen.size).toBeGreaterThan(20)
    expect([...map.keys()]).toEqual([990, 991, 992, 993, 994, 995, 996, 997, 998, 999])
    expect([...set]).toEqual([...map.values()])
  })
})
