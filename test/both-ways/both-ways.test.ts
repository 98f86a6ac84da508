import { expect, it } from 'vitest'
import { seedFrom } from '../chaos/random.ts'
import { runBothWays } from './run.ts'
import { told } from './told.ts'

const SECONDS = 8

it('folder §4, §7, §11, §13, §15: agents, shells, editors, git and a build on one tree lose nothing', async () => {
  const seed = seedFrom(process.env.SLUICE_TEST_SEED)
  console.log(`both ways at once, for ${SECONDS} s, SLUICE_TEST_SEED=${seed}`)
  const checked = await runBothWays({ seed, seconds: SECONDS })
  expect(checked.findings, told(checked)).toEqual([])
}, 60_000)
