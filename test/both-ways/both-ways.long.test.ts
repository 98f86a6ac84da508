import { expect, it } from 'vitest'
import { seedFrom } from '../chaos/random.ts'
import { runBothWays } from './run.ts'
import { told } from './told.ts'

const MINUTES = Number(process.env.BOTH_WAYS_MINUTES ?? 2)

it(
  'folder §4, §7, §11, §13, §15: for long, agents, shells, editors, git and a build on one tree lose nothing',
  async () => {
    const seed = seedFrom(process.env.SLUICE_TEST_SEED)
    console.log(`both ways at once, for ${MINUTES} minutes, SLUICE_TEST_SEED=${seed}`)
    const checked = await runBothWays({ seed, seconds: MINUTES * 60, say: console.log })
    console.log(told(checked))
    expect(checked.findings, told(checked)).toEqual([])
  },
  (MINUTES * 3 + 3) * 60_000,
)
