import { parseArgs } from 'node:util'
import { seedFrom } from '../chaos/random.ts'
import { runBothWays } from './run.ts'
import { told } from './told.ts'

/** `node test/both-ways/both-ways.ts --seconds 300 [--seed N]`: exits 1 when a promise was broken. */
const { values } = parseArgs({ options: { seconds: { type: 'string' }, seed: { type: 'string' } } })
const seed = seedFrom(values.seed)
const seconds = Number(values.seconds ?? 120)
console.log(`both ways at once, for ${seconds} s, --seed ${seed}`)
const checked = await runBothWays({ seed, seconds, say: console.log })
console.log(told(checked))
process.exit(checked.findings.length === 0 ? 0 : 1)
