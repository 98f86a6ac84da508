import { describe, expect, it } from 'vitest'
import { runBatch } from '../../sim/batch.ts'
import { keptSeeds } from '../../sim/kept.ts'

const LINES = { twiceEvery: 1, linearEvery: 1, modelEvery: 1 }

describe('simulated', () => {
  it.each(keptSeeds())('seed $seed broke once: $what', { timeout: 60_000 }, async (kept) => {
    const { seed, ops } = kept
    const { failed } = await runBatch({ ...LINES, seeds: [seed], ops })
    expect(failed).toEqual([])
  })

  it('I1–I7, I9–I14: fresh seeds break no rule, and run the same twice', {
    timeout: 120_000,
  }, async () => {
    const from = Math.floor(Math.random() * 1e9)
    const seeds = [from, from + 1, from + 2, from + 3]
    const { failed } = await runBatch({ ...LINES, seeds, ops: 600 })
    expect(failed, `npm run sim -- --from ${from} --seeds 4 --ops 600`).toEqual([])
  })
})
