import { expect, test } from 'vitest'
import { amountOf } from '../amount.ts'
import { seedFrom } from './random.ts'
import { playStorm } from './storm.ts'

const seconds = amountOf(import.meta.url)

test(
  'contract: through a network that delays, tears and cuts, counters are what was acknowledged and no lock has two holders',
  async () => {
    const seed = seedFrom(process.env.SLUICE_TEST_SEED)
    console.log(`storm of ${seconds} s, SLUICE_TEST_SEED=${seed}`)
    const { violations, acknowledged, ...figures } = await playStorm(seed, seconds)
    console.log({ acknowledged, ...figures })
    expect(violations).toEqual([])
    expect(acknowledged).toBeGreaterThan(0)
  },
  seconds * 3000 + 60_000,
)
