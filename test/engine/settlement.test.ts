import { describe, expect, it } from 'vitest'
import { Settlement } from '../../src/engine/stream/settlement.ts'
import type { StreamFailed } from '../../src/engine/stream/stream-failed.ts'

const failure = new Error('the disk is gone')

async function outcomeOf(waiting: Promise<void>): Promise<string> {
  return waiting.then(
    () => 'stored',
    (error: StreamFailed) => (error.isUnknown ? 'nobody knows' : 'lost'),
  )
}

describe('waiting for facts to be durable', () => {
  it('all that gathers for one batch shares one promise', async () => {
    const settlement = new Settlement()
    const first = settlement.until(5, 5)
    expect(settlement.until(6, 6)).toBe(first)
    expect(settlement.until(8, 9)).toBe(first)
    settlement.seal()
    const next = settlement.until(10, 10)
    expect(next).not.toBe(first)
    // Who looks at what is under way waits for no more than that.
    expect(settlement.until(7, 11)).toBe(first)
    settlement.settle(9)
    expect(await outcomeOf(first)).toBe('stored')
    expect(settlement.until(10, 11)).toBe(next)
    settlement.settle(11)
    expect(await outcomeOf(next)).toBe('stored')
  })

  it('nobody is told of less than is durable', async () => {
    const settlement = new Settlement()
    let isTold = false
    const waiting = settlement.until(5, 5)
    void settlement.until(7, 7)
    void waiting.then(() => {
      isTold = true
    })
    settlement.settle(6)
    await Promise.resolve()
    expect(isTold).toBe(false)
    settlement.settle(7)
    await waiting
    expect(isTold).toBe(true)
  })

  it('who waits for something older than all that waits is told with the newest', async () => {
    const settlement = new Settlement()
    void settlement.until(9, 9)
    const older = settlement.until(3, 9)
    settlement.settle(9)
    expect(await outcomeOf(older)).toBe('stored')
  })

  it('after a failure each batch is told apart by what is there', async () => {
    const settlement = new Settlement()
    const stored = settlement.until(1, 2)
    settlement.seal()
    const torn = settlement.until(3, 6)
    settlement.seal()
    const lost = settlement.until(7, 8)
    const unsettled = settlement.takeAll()
    unsettled.tell(4, failure)
    expect(await Promise.all([stored, torn, lost].map(outcomeOf))).toEqual([
      'stored',
      'nobody knows',
      'lost',
    ])
  })
})
