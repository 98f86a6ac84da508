import { fork } from 'node:child_process'
import { type BatchOptions, emptyTally, runBatch, type Tally } from './batch.ts'

/** What a job is told: every so many seeds, from one on. */
export interface JobOrder extends Omit<BatchOptions, 'seeds'> {
  from: number
  seeds: number
  step: number
}

export function* seedsOf({ from, seeds, step }: JobOrder): Generator<number> {
  for (let seed = from; seed < from + seeds; seed += step) yield seed
}

/** Runs a batch on as many processes as there are jobs, in this one if it is one. */
export async function runJobs(
  order: Omit<JobOrder, 'step'>,
  jobs: number,
  onProgress: (tally: Tally) => void,
): Promise<Tally> {
  if (jobs === 1) {
    const whole = { ...order, step: 1 }
    return runBatch({ ...whole, seeds: seedsOf(whole) }, onProgress)
  }
  const latest = new Map<number, Tally>()
  const parts = Array.from({ length: jobs }, (_, index) => {
    const part: JobOrder = {
      ...order,
      from: order.from + index,
      seeds: order.seeds - index,
      step: jobs,
    }
    return runJob(part, (tally) => {
      latest.set(index, tally)
      onProgress(sum([...latest.values()]))
    })
  })
  return sum(await Promise.all(parts))
}

function runJob(order: JobOrder, onProgress: (tally: Tally) => void): Promise<Tally> {
  const child = fork(new URL('job.ts', import.meta.url))
  child.send(order)
  return new Promise((resolve, reject) => {
    let latest = emptyTally()
    child.on('message', (tally: Tally) => {
      latest = tally
      onProgress(tally)
    })
    child.on('error', reject)
    child.on('exit', (code) => {
      if (code === 0) resolve(latest)
      else reject(new Error(`A job from seed ${order.from} on ended with ${code}.`))
    })
  })
}

function sum(tallies: readonly Tally[]): Tally {
  const all = emptyTally()
  for (const one of tallies) {
    for (const key of ['runs', 'ops', 'steps', 'events', 'simulatedMs', 'cpuMs'] as const) {
      all[key] += one[key]
    }
    for (const [kind, count] of Object.entries(one.faults)) {
      all.faults[kind] = (all.faults[kind] ?? 0) + count
    }
    all.failed.push(...one.failed)
  }
  return all
}
