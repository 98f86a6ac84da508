import { describe, expect, it } from 'vitest'
import { BoundedMap } from '../../src/core/bounded-map.ts'

const keysOf = (map: BoundedMap<unknown, number>) => [...map.entries()].map(([key]) => key)

describe('a map of the newest keys', () => {
  it('keeps at least the newest, and fewer than twice as many, in the order they came', () => {
    const map = new BoundedMap<number, number>(50)
    for (let key = 0; key < 1000; key++) {
      map.set(key, key)
      expect(map.get(Math.max(0, key - 49))).toBe(Math.max(0, key - 49))
      expect(map.has(key - 100)).toBe(false)
      const keys = keysOf(map)
      expect(keys.length < 100).toBe(true)
      expect(keys).toEqual(Array.from({ length: keys.length }, (_, i) => key - keys.length + 1 + i))
    }
  })

  it('takes a key that is set again for as new as any, with its new value alone', () => {
    const map = new BoundedMap<string, number>(3)
    for (const key of ['a', 'b', 'c', 'd']) map.set(key, 1)
    map.set('a', 2)
    expect([...map.entries()]).toEqual([
      ['b', 1],
      ['c', 1],
      ['d', 1],
      ['a', 2],
    ])
    map.set('e', 1)
    expect([map.get('a'), map.get('b')]).toEqual([2, undefined])
  })

  it('forgets what is deleted, wherever it stood', () => {
    const map = new BoundedMap<string, number>(3)
    for (const key of ['a', 'b', 'c', 'd', 'a']) map.set(key, 1)
    map.delete('a')
    map.delete('c')
    expect([map.get('a'), map.has('c'), map.isEmpty]).toEqual([undefined, false, false])
    expect(keysOf(map)).toEqual(['b', 'd'])
    map.delete('b')
    map.delete('d')
    expect([keysOf(map), map.isEmpty]).toEqual([[], true])
  })

  it('keeps few when its limit is made smaller', () => {
    const map = new BoundedMap<number, number>(100)
    for (let key = 0; key < 99; key++) map.set(key, key)
    map.limit = 3
    for (let key = 99; key < 103; key++) map.set(key, key)
    expect([...map.values()].slice(-3)).toEqual([100, 101, 102])
    expect([...map.values()].length < 6).toBe(true)
  })

  it('gives the newest alone, each once', () => {
    const map = new BoundedMap<number, number>(10)
    const newest = () => {
      const found: number[] = []
      map.forEachNewest((_, key) => found.push(key))
      return found
    }
    for (let key = 0; key < 7; key++) map.set(key, key)
    expect(newest()).toEqual([0, 1, 2, 3, 4, 5, 6])
    for (let key = 7; key < 17; key++) map.set(key, key)
    expect(newest()).toEqual([7, 8, 9, 10, 11, 12, 13, 14, 15, 16])
    map.set(9, 9)
    expect(newest().filter((key) => key === 9)).toEqual([9])
    expect(newest().at(-1)).toBe(9)
  })

  it('a map of what was there is the same map', () => {
    const map = new BoundedMap<number, number>(10)
    for (let key = 0; key < 35; key++) map.set(key % 23, key)
    const again = new BoundedMap<number, number>(10)
    for (const [key, value] of map.entries()) again.set(key, value)
    expect([...again.entries()]).toEqual([...map.entries()])
  })
})
