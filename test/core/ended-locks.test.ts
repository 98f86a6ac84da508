import { expect, it } from 'vitest'
import { EndedLocks } from '../../src/core/lock/ended-locks.ts'

const ended = (id: number, reason: string) => ({ lock: { id }, reason })

it('many locks that were given back do not push out what tells a late holder why', () => {
  const locks = new EndedLocks<ReturnType<typeof ended>>()
  locks.keep(ended(1, 'expired'))
  for (let id = 2; id < 50_000; id++) locks.keep(ended(id, 'released'))
  expect(locks.get(1)?.reason).toBe('expired')
  expect(locks.get(2)).toBeUndefined()
  expect(locks.get(49_999)?.reason).toBe('released')
  for (let id = 50_000; id < 75_000; id++) locks.keep(ended(id, 'forced'))
  expect(locks.get(1)).toBeUndefined()
  expect([...locks.values()].length).toBeLessThan(30_000)
})
