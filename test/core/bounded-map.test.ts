import { describe, expect, it } from 'vitest'
import { BoundedMap } from '../../src/core/bounded-map.ts'

describe('a map of the newest keys', () => {
  it('keeps the newest, in the order they came, however often the ring comes round', () => {
    const map = new BoundedMap<number, string>(50)
    for (let key = 0; key < 1000; key++) {
      map.set(key, `${key}`)
      const oldest = Math.max(0, key - 49)
      expect([map.size, map.has(oldest), map.has(oldest - 1)]).toEqual([
        Math.min(key + 1, 50),
        true,
        false,
      ])
    }
    expect([...map.entries()].map(([key]) => key)).toEqual(
      Array.from({ length: 50 }, (_, i) => 950 + i),
    )
  })

  it('lets a key that is there already keep its age', () => {
    const map = new BoundedMap<string, number>(2)
    map.set('a', 1)
    map.set('b', 1)
    map.set('a', 2)
    map.set('c', 1)
    expect([...map.entries()]).toEqual([
      ['b', 1],
      ['c', 1],
    ])
  })

  it('drops the oldest ones when its limit is made smaller', () => {
    const map = new BoundedMap<number, number>(100)
    for (let key = 0; key < 100; key++) map.set(key, key)
    map.limit = 3
    map.set(100, 100)
    expect([...map.values()]).toEqual([98, 99, 100])
  })

  it('needs no more room for keys that come and go again and again', () => {
    const map = new BoundedMap<string, number>(1000)
    for (let turn = 0; turn < 10_000; turn++) {
      map.set('hot', turn)
      map.set(`other ${turn % 7}`, turn)
      map.delete('hot')
    }
    const { ring } = map as unknown as { ring: unknown[] }
    expect([map.size, ring.length <= 32]).toEqual([7, true])
    expect(map.get('other 3')).toBe(9999 - ((9999 - 3) % 7))
  })
})
