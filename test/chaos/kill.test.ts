import { expect, test } from 'vitest'
import { amountOf } from '../amount.ts'
import { seedFrom } from './random.ts'
import { killRounds } from './rounds.ts'

const kills = amountOf(import.meta.url)

test(
  'I14: what was acknowledged is there after kill -9 under mixed load, whole and once',
  async () => {
    const seed = seedFrom(process.env.SLUICE_TEST_SEED)
    console.log(`kill -9, ${kills} times, SLUICE_TEST_SEED=${seed}`)
    const { violations, acknowledged, locksHeldOver } = await killRounds(seed, kills)
    expect(violations).toEqual([])
    expect(acknowledged).toBeGreaterThan(0)
    expect(locksHeldOver).toBeGreaterThan(0)
  },
  60_000 + kills * 20_000,
)
