import { expect, it } from 'vitest'
import type { Deed } from './deed.ts'
import { play } from './play.ts'

/** Histories that the model and the core once did not agree on, cut down, by the seed that found them. */

type Acquire = Deed & { do: 'acquire' }
const MEANT: Omit<Acquire, 'who' | 'items' | 'range'> = {
  ...{ after: 0, metadata: false, any: 0, queue: true, priority: 0, ttlMs: 1000 },
  ...{ delayMs: undefined, ifVersion: 'none', do: 'acquire' },
}
const item = (level: Acquire['items'][number]['level'], stable = false) => ({
  ...{ path: '/', level, stable, subtree: false },
})

/** Bob waits for ann, and cyd has what neither wants. */
const START: readonly Deed[] = [
  { ...MEANT, who: 'ann', items: [item('read')], range: { start: 1 } },
  { ...MEANT, who: 'bob', items: [item('exclusive')], range: { start: 1 } },
  { ...MEANT, who: 'cyd', items: [item('write')], range: { start: 0, end: 1 } },
]

/** What each deed comes to, of the start as well. */
function outcomesOf(deeds: readonly Deed[]): string[] {
  const outcomes: string[] = []
  play({ order: 'fcfs' }, [...START, ...deeds], (outcome) => outcomes.push(outcome))
  return outcomes
}

it('locks §18, I7: seed 308193404: a hold that is made stronger is no writer that leaves', () => {
  const outcomes = outcomesOf([
    { ...MEANT, who: 'cyd', items: [item('read', true)], range: undefined },
    { do: 'change', who: 'cyd', after: 0, which: 0, to: 'exclusive', stable: false, queue: true },
  ])
  expect(outcomes.slice(1)).toEqual([
    ...['lock-acquired', 'lock-queued', 'lock-acquired', 'lock-queued', 'lock-raised'],
  ])
})

it('locks §18: an item of a hold that stays as it is is no writer that leaves, whatever becomes of others', () => {
  const outcomes = outcomesOf([
    { ...MEANT, who: 'dee', items: [item('read', true)], range: undefined },
    { do: 'change', who: 'cyd', after: 0, which: 0, to: 'exclusive', stable: false, queue: true },
    { do: 'change', who: 'cyd', after: 0, which: 0, to: 'write', stable: false, queue: true },
    { do: 'change', who: 'cyd', after: 0, which: 0, to: 'read', stable: false, queue: true },
  ])
  expect(outcomes.slice(-3)).toEqual(['lock-raised', 'lock-lowered', 'lock-lowered'])
})
