import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { LeaseKeeper } from '../../src/client/lease.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  vi.useRealTimers()
})

function keeperWith(renew: () => Promise<unknown>) {
  const lost: string[] = []
  const given: string[] = []
  const keeper = new LeaseKeeper(
    renew,
    (error) => (error as Error).message === 'lost',
    (lock) => given.push(lock),
  )
  const keep = (ttlMs: number, byActivity = true) =>
    keeper.keep('L1', ttlMs, byActivity, performance.now(), () => lost.push('L1'))
  return { keeper, lost, given, keep }
}

const silent = () => new Promise<never>(() => {})

test('locks §30: without an answer a lock goes from held to suspect to lost before the server may end it', async () => {
  const { keeper, lost, keep } = keeperWith(silent)
  keep(10_000)
  expect(keeper.state('L1')).toBe('held')
  await vi.advanceTimersByTimeAsync(5_500)
  expect(keeper.state('L1')).toBe('suspect')
  expect(lost).toEqual([])
  await vi.advanceTimersByTimeAsync(5_500)
  expect(keeper.state('L1')).toBe('lost')
  expect(lost).toEqual(['L1'])
  keeper.stop()
})

test('locks §30: the deadline counts from when the last good renewal was sent, not from its answer', async () => {
  let answer = () => {}
  const { keeper, keep } = keeperWith(() => new Promise<void>((resolve) => (answer = resolve)))
  keep(9_000)
  await vi.advanceTimersByTimeAsync(8_000)
  answer()
  await vi.advanceTimersByTimeAsync(0)
  // Sent after a third of the TTL, so it is good until that much later; the answer's time is nothing.
  expect(keeper.state('L1')).toBe('suspect')
  keeper.stop()
})

test('locks §25: any answered call renews what activity renews, and nothing else', async () => {
  const { keeper, lost, keep } = keeperWith(silent)
  keep(10_000)
  keeper.keep('L2', 10_000, false, performance.now(), () => lost.push('L2'))
  for (let i = 0; i < 4; i++) {
    await vi.advanceTimersByTimeAsync(4_000)
    keeper.heard(performance.now())
  }
  expect(keeper.state('L1')).toBe('held')
  expect(lost).toEqual(['L2'])
  keeper.stop()
})

test('locks §30: a renewal that the server refuses as lost ends the lock at once; a failed one does not', async () => {
  const failing = keeperWith(() => Promise.reject(new Error('no connection')))
  failing.keep(9_000)
  await vi.advanceTimersByTimeAsync(4_200)
  expect(failing.lost).toEqual([])
  failing.keeper.stop()
  const refused = keeperWith(() => Promise.reject(new Error('lost')))
  refused.keep(9_000)
  await vi.advanceTimersByTimeAsync(4_200)
  expect(refused.lost).toEqual(['L1'])
})
