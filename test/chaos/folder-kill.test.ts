import { expect, test } from 'vitest'
import { amountOf } from '../amount.ts'
import { folderRounds } from './folder-rounds.ts'
import { seedFrom } from './random.ts'

const kills = Number(process.env.FOLDER_KILLS ?? amountOf(import.meta.url))

test(
  'folder §6, §7, §8, §9: after kill -9 under load, folder, heads and promises agree',
  async () => {
    const seed = seedFrom(process.env.SLUICE_TEST_SEED)
    console.log(`kill -9 over a folder, ${kills} times, SLUICE_TEST_SEED=${seed}`)
    const result = await folderRounds(seed, kills)
    console.log(result)
    expect(result.violations).toEqual([])
    expect(result.complaints).toBe('')
    expect(result.acknowledged).toBeGreaterThan(0)
    expect(result.writtenOutside).toBeGreaterThan(0)
  },
  60_000 + kills * 10_000,
)
