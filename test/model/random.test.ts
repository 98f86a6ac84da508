import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { amountOf } from '../amount.ts'
import { deed } from './deed.ts'
import { inWords, play } from './play.ts'

const settings = fc.record({
  write_mode: fc.constantFrom('checked' as const, 'checked' as const, 'locked' as const),
  order: fc.constantFrom('fcfs' as const, 'priority' as const),
  wins_in_a_row: fc.constantFrom(1, 2, 3),
  max_hold_s: fc.constantFrom(5, 3600),
  minimum_hold_s: fc.constantFrom(0, 5),
  recall_grace_s: fc.constantFrom(1, 4, 30),
  recall_margin: fc.constantFrom(1, 3),
  recall_cooldown_s: fc.constantFrom(1, 30),
  lock_delay_s: fc.constantFrom(0, 0, 0, 3),
  waiting_per_agent: fc.constantFrom(3, 10),
  locks_per_agent: fc.constantFrom(4, 12),
})

describe('the model and the core', () => {
  it('locks §1–42, I1–I9: agree on every decision of random histories', {
    timeout: 3_600_000,
  }, () => {
    const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
    const numRuns = amountOf(import.meta.url)
    const outcomes = new Map<string, number>()
    let commands = 0
    const started = performance.now()
    const property = fc.property(
      settings,
      fc.array(deed, { maxLength: 60, size: 'max' }),
      (chosen, deeds) =>
        play(chosen, deeds, (outcome) => {
          commands += 1
          outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
        }),
    )
    const { failed, counterexample, errorInstance } = fc.check(property, { seed, numRuns })
    if (failed) throw inWords(seed, counterexample, errorInstance)
    const minutes = (performance.now() - started) / 60_000
    const counts = [...outcomes].sort(([, a], [, b]) => b - a).map((one) => one.join(' '))
    console.log(
      `SEED=${seed}: ${commands} commands, ${Math.round(commands / minutes)} a minute; ${counts.join(', ')}`,
    )
    expect(outcomes.get('deadlock') ?? 0).toBeGreaterThan(0)
  })
})
