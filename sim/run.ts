import { assertDrains, collectUnheard, inMacrotask } from './drain.ts'
import { simulate } from './simulate.ts'

const seeds = Number(process.argv[2] ?? 10)
const from = Number(process.argv[3] ?? 1)
await inMacrotask(() => {
  assertDrains()
  collectUnheard()
  const start = performance.now()
  let ops = 0
  let steps = 0
  let events = 0
  let sim = 0
  const rules = new Map<string, number>()
  for (let seed = from; seed < from + seeds; seed++) {
    const run = simulate({ seed, ops: 1000 })
    ops += run.ops
    steps += run.steps
    events += run.events
    sim += run.simulatedMs
    if (run.failure) {
      const key = run.failure.rule + ' ' + run.failure.what.slice(0, 150)
      rules.set(run.failure.rule, (rules.get(run.failure.rule) ?? 0) + 1)
      console.log(seed, key)
      if (process.env.STACK) console.log(run.failure.stack)
    }
  }
  const s = (performance.now() - start) / 1000
  console.log({
    seeds,
    s,
    rate: seeds / s,
    ops: ops / seeds,
    steps: steps / seeds,
    events: events / seeds,
    sim: sim / seeds,
    rules,
  })
})
