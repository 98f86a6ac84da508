import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { exactReader } from '../../src/contract/exact-reading.ts'
import { OPERATION_NAMES, operationOf } from '../../src/contract/operations.ts'
import { Random, seedFrom } from '../chaos/random.ts'

/** What right and wrong calls are made of. */
const VALUES: readonly unknown[] = [
  ...['main', '', '/a.txt', '/A/../b', 'a b', '.', 'L12', 'T3', 'A4', 'write', 'read', 'file', 'x'],
  ...['\ud800', 'x'.repeat(200), 'ann:one', 'metadata', 'activity', '2026-01-01T00:00:00.000Z'],
  ...[0, 1, 5, 12.5, -1, 60, 1e9, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60],
  ...[true, false, null, undefined, [], ['/a'], {}, { start: 1, end: 2 }, [{ path: '/a' }]],
  ...[[{ path: '/a', level: 'write' }], [{ op: 'delete', path: '/a' }], 10n, new Date(0)],
]

describe('inputs that are right to the letter are read without a look at every field', () => {
  it('as their schema reads them, for every operation and whatever is given', () => {
    const seed = seedFrom(process.env.SLUICE_TEST_SEED)
    console.log(`exact reading: SLUICE_TEST_SEED=${seed}`)
    const random = new Random(seed)
    let read = 0
    for (const name of OPERATION_NAMES) {
      const { input } = operationOf(name)
      const reader = exactReader(input)
      const fields = [...Object.keys(input.shape), 'unknown', '__proto__']
      for (let turn = 0; turn < 400; turn++) {
        const given: Record<string, unknown> = {}
        for (let i = random.int(6); i > 0; i--) {
          const value = random.pick(VALUES)
          Object.defineProperty(given, random.pick(fields), {
            value,
            enumerable: true,
            configurable: true,
          })
        }
        const found = reader(given)
        if (found === undefined) continue
        read += 1
        expect(found, `${name} ${JSON.stringify(Object.keys(given))}`).toEqual(input.parse(given))
      }
    }
    expect(read).toBeGreaterThan(500)
  })

  it('calls as agents make them are among these', () => {
    const read = (name: 'acquire_lock' | 'release_lock' | 'write_file', given: object) =>
      exactReader(operationOf(name).input)(given)
    const request_id = 'r-1'
    const asked = { path: '/a/../b.md', level: 'write', ttl: 60, wait: 0, queue: false, request_id }
    expect(read('acquire_lock', asked)).toEqual({ ...asked, path: '/b.md', workspace: 'main' })
    expect(read('release_lock', { id: 'L12', workspace: 'other' })).toBeDefined()
    expect(read('write_file', { path: '/a.md', if_version: 3 })).toBeDefined()
  })

  it('what is no such object is left to the schema', () => {
    const type = z.strictObject({ a: z.string().optional() })
    for (const given of [null, 'a', 1, [], new Map(), { a: 1 }, { b: 'x' }, { a: undefined }]) {
      expect(exactReader(type)(given), String(given)).toBeUndefined()
    }
    expect(exactReader(type)({ a: 'x' })).toEqual({ a: 'x' })
    expect(exactReader(type)(Object.create(null))).toEqual({})
    const loose = z.object({ a: z.string() })
    const checked = type.refine(({ a }) => a !== 'x')
    const wide = z.strictObject({ a: z.string().toLowerCase() })
    const strange = z.strictObject({ a: z.coerce.number() })
    expect(exactReader(loose)({ a: 'x' })).toBeUndefined()
    expect(exactReader(checked)({ a: 'x' })).toBeUndefined()
    expect(exactReader(wide)({ a: 'ABC' })).toEqual({ a: 'abc' })
    expect(exactReader(strange)({ a: '7' })).toEqual({ a: 7 })
  })

  it('half a surrogate pair is not read, in whatever field', () => {
    const type = z.strictObject({ text: z.string(), list: z.array(z.string()).optional() })
    const half = '\ud800'
    expect(exactReader(type)({ text: half })).toBeUndefined()
    expect(exactReader(type)({ text: 'a', list: ['b', half] })).toBeUndefined()
    expect(exactReader(type)({ text: 'a', list: ['b'] })).toBeDefined()
  })
})
