import { parseArgs } from 'node:util'
import { seedFrom } from './random.ts'
import { killRounds } from './rounds.ts'

/** `node test/chaos/kill.ts --kills 500 [--seed N]`: exits 1 when a promise was broken. */
const { values } = parseArgs({ options: { kills: { type: 'string' }, seed: { type: 'string' } } })
const seed = seedFrom(values.seed)
const kills = Number(values.kills ?? 500)
console.log(`kill -9, ${kills} times, --seed ${seed}`)
const started = performance.now()
const result = await killRounds(seed, kills, console.log)
const { violations, ...figures } = result
console.log({ ...figures, seconds: Math.round((performance.now() - started) / 1000) })
for (const violation of violations) console.error(violation)
console.log(violations.length === 0 ? 'every promise was kept' : 'PROMISES WERE BROKEN')
process.exit(violations.length === 0 ? 0 : 1)
