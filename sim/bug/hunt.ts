import { fork } from 'node:child_process'
import type { Failed, Tally } from '../batch.ts'
import type { JobOrder } from '../jobs.ts'
import { SEEDS_WITH_LOOKER } from '../simulate.ts'
import { BUGS, type Bug } from './list.ts'

export interface Hunt {
  bug: Bug
  /** Runs until the first rule broke; undefined: none did. */
  seeds: number | undefined
  failed: Failed | undefined
  /** It could not even be planted. */
  error: string | undefined
}

/** Runs a bug until it is caught, in a process of its own, at most so many seeds. */
export function hunt(bug: Bug, most: number, ops: number): Promise<Hunt> {
  const child = fork(new URL('../job.ts', import.meta.url), {
    execArgv: ['--import', new URL('hook.ts', import.meta.url).href],
    env: { ...process.env, SIM_BUG: bug.name },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  const order: JobOrder = {
    ...{ from: SEEDS_WITH_LOOKER, seeds: most, step: 1, ops },
    ...{ twiceEvery: 0, linearEvery: 5, modelEvery: 1, isShort: true },
  }
  child.send(order)
  return new Promise((resolve) => {
    let latest: Tally | undefined
    let error = ''
    child.stderr?.on('data', (data: Buffer) => {
      error += data.toString()
    })
    child.on('message', (tally: Tally) => {
      latest = tally
    })
    child.on('exit', (code) => {
      const failed = latest?.failed[0]
      resolve({
        bug,
        seeds: failed === undefined ? undefined : latest?.runs,
        failed,
        error: code === 0 ? undefined : error.slice(0, 500),
      })
    })
  })
}

/** `npm run sim -- --bugs [name]`. Gives the exit code. */
export async function huntBugs(name: string, ops: number): Promise<number> {
  const wanted = name === 'all' ? BUGS : BUGS.filter((bug) => bug.name.includes(name))
  if (wanted.length === 0) {
    console.log(
      `No planted bug is called "${name}". There are: ${BUGS.map((b) => b.name).join(', ')}`,
    )
    return 2
  }
  let missed = 0
  for (const bug of wanted) {
    const { seeds, failed, error } = await hunt(bug, MOST_SEEDS, ops)
    if (!isCaught({ bug, seeds, failed, error })) missed += 1
    const how = failed === undefined ? (error ?? `not caught in ${MOST_SEEDS}`) : failed.what
    console.log(`${String(seeds ?? '—').padStart(5)}  ${bug.name}: ${how.slice(0, 160)}`)
  }
  console.log(missed === 0 ? '\nall caught' : `\n${missed} not caught as they should be`)
  return missed === 0 ? 0 : 1
}

/** By a rule that it was planted for: another one breaking may be no credit to the checkers. */
export function isCaught({ bug, failed, error }: Hunt): boolean {
  return error === undefined && failed !== undefined && bug.caughtBy.includes(failed.rule)
}

const MOST_SEEDS = 3000
