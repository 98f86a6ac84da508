import { assertDrains, collectUnheard, inMacrotask } from './drain.ts'
import type { LockModel } from './model/lock-model.ts'
import { type Run, type RunOptions, simulate } from './simulate.ts'

export interface Failed {
  seed: number
  ops: number
  step: number
  rule: string
  what: string
}

/** What many runs came to. */
export interface Tally {
  runs: number
  ops: number
  steps: number
  events: number
  simulatedMs: number
  cpuMs: number
  faults: Record<string, number>
  failed: Failed[]
}

export interface BatchOptions extends Omit<RunOptions, 'seed' | 'isLinear' | 'Model'> {
  seeds: Iterable<number>
  twiceEvery: number
  linearEvery: number
  /** Every so many seeds is judged by the independent model; 0: none. Planted bugs: all are. */
  modelEvery: number
  /** Ends the batch at the first failure. */
  isShort?: boolean
}

export function emptyTally(): Tally {
  return {
    ...{ runs: 0, ops: 0, steps: 0, events: 0, simulatedMs: 0, cpuMs: 0 },
    faults: {},
    failed: [],
  }
}

/** Runs seed after seed in this process, each in a macrotask of its own. */
export async function runBatch(
  { seeds, twiceEvery, linearEvery, modelEvery, isShort = false, ...rest }: BatchOptions,
  onRun: (tally: Tally) => void = () => {},
): Promise<Tally> {
  const tally = emptyTally()
  const model = modelEvery > 0 ? await loadModel() : undefined
  // Where an error was made matters once it broke a rule; then the seed is run again with it.
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  collectUnheard()
  try {
    for (const seed of seeds) {
      const started = process.cpuUsage()
      const isLinear = linearEvery > 0 && seed % linearEvery === 0
      const Model = modelEvery > 0 && seed % modelEvery === 0 ? model : undefined
      const options = { ...rest, seed, isLinear, Model }
      const run = await inMacrotask(() => {
        assertDrains()
        return simulate(options)
      })
      const isTwice = twiceEvery > 0 && seed % twiceEvery === 0
      const again = isTwice ? await inMacrotask(() => simulate(options)) : run
      const { user, system } = process.cpuUsage(started)
      tally.cpuMs += (user + system) / 1000
      add(tally, run, again)
      onRun(tally)
      if (isShort && tally.failed.length > 0) break
    }
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
  return tally
}

/** Only where it is asked for: the simulator works without it. */
export async function loadModel(): Promise<typeof LockModel> {
  return (await import('./model/lock-model.ts')).LockModel
}

function add(tally: Tally, run: Run, again: Run): void {
  const { seed, failure } = run
  tally.runs += again === run ? 1 : 2
  tally.ops += run.ops
  tally.steps += run.steps
  tally.events += run.events
  tally.simulatedMs += run.simulatedMs
  for (const [kind, count] of run.faults) tally.faults[kind] = (tally.faults[kind] ?? 0) + count
  if (failure !== undefined) {
    const { step, rule, what } = failure
    tally.failed.push({ seed, ops: run.asked, step, rule, what })
  } else if (run.hash !== again.hash) {
    const what = `the same seed gave ${run.hash} and ${again.hash}`
    tally.failed.push({ seed, ops: run.asked, step: run.steps, rule: 'determinism', what })
  }
}
