import { execFileSync } from 'node:child_process'
import { type Failed, loadModel, type Tally } from './batch.ts'
import { huntBugs } from './bug/hunt.ts'
import { collectUnheard, inMacrotask } from './drain.ts'
import { runJobs } from './jobs.ts'
import { keep } from './kept.ts'
import { type Options, optionsFrom } from './option.ts'
import { simulate } from './simulate.ts'
import { traceOf } from './trace.ts'

/** `npm run sim`: see README.md. */
const options = optionsFrom(process.argv.slice(2))
if (options.bugs !== undefined) process.exitCode = await huntBugs(options.bugs, options.ops)
else if (options.seed !== undefined) process.exitCode = await runOne(options, options.seed)
else process.exitCode = await runMany(options)

async function runOne({ ops, trace, modelEvery }: Options, seed: number): Promise<number> {
  collectUnheard()
  const Model = modelEvery > 0 ? await loadModel() : undefined
  const run = await inMacrotask(() => simulate({ seed, ops, isLinear: true, Model }))
  if (trace !== undefined) console.log(traceOf(run, trace))
  const { failure, hash, steps, events, simulatedMs } = run
  console.log(
    `seed ${seed}: ${run.ops} operations, ${steps} steps, ${events} facts, ` +
      `${(simulatedMs / 1000).toFixed(0)} s simulated, hash ${hash}`,
  )
  if (failure === undefined) return 0
  console.log(`\n${failure.rule} broken at step ${failure.step}\n${failure.stack}`)
  return 1
}

async function runMany({ seeds, from, jobs, ops, keep: isKept, ...rest }: Options) {
  const { twiceEvery, linearEvery, modelEvery } = rest
  const started = performance.now()
  let toldAt = started
  const order = { from, seeds, ops, twiceEvery, linearEvery, modelEvery }
  const told = new Set<number>()
  const tally = await runJobs(order, jobs, (now) => {
    for (const one of now.failed) {
      if (!told.has(one.seed)) tellFailed(one)
      told.add(one.seed)
    }
    if (performance.now() - toldAt < 5000) return
    toldAt = performance.now()
    console.log(`${now.runs} runs, ${now.failed.length} failed, ${rate(now)} runs/s a core`)
  })
  report(tally, (performance.now() - started) / 1000)
  if (isKept) keep(tally.failed, commitNow())
  return tally.failed.length === 0 ? 0 : 1
}

function rate({ runs, cpuMs }: Tally): string {
  return ((runs / cpuMs) * 1000).toFixed(1)
}

function report(tally: Tally, seconds: number): void {
  const { runs, ops, steps, events, simulatedMs, faults, failed } = tally
  console.log(
    `\n${runs} runs in ${seconds.toFixed(1)} s: ${rate(tally)} runs/s a core, ` +
      `${ops} operations, ${steps} steps, ${events} facts, ` +
      `${(simulatedMs / 3600_000).toFixed(1)} h simulated`,
  )
  const kinds = Object.entries(faults).sort(([, a], [, b]) => b - a)
  console.log(`faults: ${kinds.map(([kind, count]) => `${kind} ${count}`).join(', ') || 'none'}`)
  for (const one of failed) tellFailed(one)
  console.log(failed.length === 0 ? '\nno rule broken' : `\n${failed.length} seeds failed`)
}

function tellFailed({ seed, step, ops, what }: Failed): void {
  console.log(`\nseed ${seed}, step ${step}: ${what.slice(0, 600)}`)
  console.log(`  npm run sim -- --seed ${seed} --ops ${ops} --trace`)
}

function commitNow(): string {
  return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
}
