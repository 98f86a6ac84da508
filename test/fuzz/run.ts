import { appendFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Random, seedFrom } from '../chaos/random.ts'
import { fuzzRound } from './round.ts'
import { REQUESTS_A_ROUND, SEEDS_FILE } from './seeds.ts'
import { toolRound } from './tool-round.ts'

/**
 * `node test/fuzz/run.ts --requests 100000 [--door tools] [--seed N]`: requests at every door, or calls
 * of MCP tools over stdio with their arguments in all forms. Exits 1 when an answer was not as promised,
 * and keeps the seed of the round in seeds.jsonl, which a test replays for ever.
 */
const { values } = parseArgs({
  options: { requests: { type: 'string' }, seed: { type: 'string' }, door: { type: 'string' } },
})
const requests = Number(values.requests ?? 100_000)
const seed = seedFrom(values.seed)
const door = values.door === 'tools' ? 'tools' : undefined
const playRound = door === 'tools' ? toolRound : fuzzRound
const random = new Random(seed)
console.log(`${requests} requests, --seed ${seed}`)
const broken: string[] = []
process.on('uncaughtException', (error) => {
  console.error(`round ${current}: the server would have died: ${error.stack}`)
  broken.push(`the server would have died: ${error.stack}`)
})
let current = 0
const started = performance.now()
let sent = 0
let refused = 0
let failed = 0
while (sent < requests && failed < 10) {
  current = random.int(2 ** 31)
  const round = await playRound(current, REQUESTS_A_ROUND)
  sent += round.requests
  refused += round.refused
  const faults = [...round.faults, ...broken.splice(0)]
  if (faults.length > 0) {
    failed += 1
    appendFileSync(
      SEEDS_FILE,
      `${JSON.stringify({ door, seed: round.seed, why: faults[0]?.slice(0, 200) })}\n`,
    )
    for (const fault of faults) console.error(`round ${round.seed}: ${fault}`)
  }
  if (sent % 10_000 === 0) console.log(`${sent} sent, ${refused} refused`)
}
console.log({
  seed,
  sent,
  refused,
  failed,
  seconds: Math.round((performance.now() - started) / 1000),
})
process.exit(failed === 0 ? 0 : 1)
