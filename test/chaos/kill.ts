import { parseArgs } from 'node:util'
import { folderRounds } from './folder-rounds.ts'
import { seedFrom } from './random.ts'
import { killRounds } from './rounds.ts'

/**
 * `node test/chaos/kill.ts --kills 500 [--seed N] [--folder]`: exits 1 when a promise was broken.
 * `--folder`: of a server whose workspace is a real folder.
 */
const { values } = parseArgs({
  options: {
    ...{ kills: { type: 'string' }, seed: { type: 'string' } },
    folder: { type: 'boolean', default: false },
  },
})
const seed = seedFrom(values.seed)
const kills = Number(values.kills ?? 500)
console.log(`kill -9, ${kills} times, --seed ${seed}`)
const started = performance.now()
const rounds = values.folder ? folderRounds : killRounds
const result = await rounds(seed, kills, console.log)
const { violations, ...figures } = result
console.log({ ...figures, seconds: Math.round((performance.now() - started) / 1000) })
for (const violation of violations) console.error(violation)
console.log(violations.length === 0 ? 'every promise was kept' : 'PROMISES WERE BROKEN')
process.exit(violations.length === 0 ? 0 : 1)
