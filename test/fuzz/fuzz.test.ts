import { expect, test } from 'vitest'
import { amountOf } from '../amount.ts'
import { Random, seedFrom } from '../chaos/random.ts'
import { fuzzRound } from './round.ts'
import { keptSeeds, REQUESTS_A_ROUND } from './seeds.ts'
import { toolRound } from './tool-round.ts'

const ROUNDS = amountOf(import.meta.url)

test('files §19: whatever comes in at any door, the server lives, refuses by the catalog, and a refusal changes nothing', async () => {
  const seed = seedFrom(process.env.SLUICE_TEST_SEED)
  console.log(`${ROUNDS * REQUESTS_A_ROUND} requests, SLUICE_TEST_SEED=${seed}`)
  const random = new Random(seed)
  for (let round = 0; round < ROUNDS; round++) {
    expect(await fuzzRound(random.int(2 ** 31), REQUESTS_A_ROUND)).toMatchObject({ faults: [] })
  }
}, 600_000)

for (const { door, seed, why } of keptSeeds()) {
  test(`files §19: the requests of seed ${seed} do no harm again (${why.slice(0, 80)})`, async () => {
    const play = door === 'tools' ? toolRound : fuzzRound
    expect(await play(seed, REQUESTS_A_ROUND)).toMatchObject({ faults: [] })
  }, 60_000)
}
