/** Load and statistics. Everything that is timed in a benchmark is timed here. */

/** One timed cell. `driverCpu` is the share of one core that this process used meanwhile. */
export interface Load {
  operations: number
  seconds: number
  perSecond: number
  p50Ms: number
  p99Ms: number
  driverCpu: number
}

/** One operation of one worker; resolves when it is done for good. */
export type Work = () => Promise<unknown>

/** Runs every worker in a loop until the time is up, and waits for what is then under way. */
export async function runFor(durationMs: number, workers: readonly Work[]): Promise<Load> {
  const latencies: number[] = []
  const cpuBefore = process.cpuUsage()
  const start = performance.now()
  const end = start + durationMs
  const loop = async (work: Work): Promise<void> => {
    let before = performance.now()
    while (before < end) {
      await work()
      const after = performance.now()
      latencies.push(after - before)
      before = after
    }
  }
  await Promise.all(workers.map(loop))
  const seconds = (performance.now() - start) / 1000
  const cpu = process.cpuUsage(cpuBefore)
  return {
    operations: latencies.length,
    seconds,
    perSecond: latencies.length / seconds,
    p50Ms: percentile(latencies, 50),
    p99Ms: percentile(latencies, 99),
    driverCpu: (cpu.user + cpu.system) / 1e6 / seconds,
  }
}

/** Times each of `count` operations, one after the other. */
export async function timeEach(count: number, work: (index: number) => unknown): Promise<number[]> {
  const latencies: number[] = []
  for (let index = 0; index < count; index += 1) {
    const before = performance.now()
    await work(index)
    latencies.push(performance.now() - before)
  }
  return latencies
}

/** Nearest-rank percentile; NaN when nothing was measured. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = Float64Array.from(values).sort()
  const rank = Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)
  return sorted[rank] ?? Number.NaN
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort()
  const middle = sorted.subarray((sorted.length - 1) >> 1, (sorted.length >> 1) + 1)
  return mean([...middle])
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

export interface Spread {
  median: number
  min: number
  max: number
}

export function spread(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) }
}

/**
 * Measures every cell in turn, then all of them again: what the machine does beside us for a while
 * (A B C D, A B C D, …) hits all sides alike.
 */
export async function interleave<Cell, Result>(
  rounds: number,
  cells: readonly Cell[],
  measure: (cell: Cell, round: number) => Promise<Result>,
): Promise<Map<Cell, Result[]>> {
  const results = new Map<Cell, Result[]>(cells.map((cell) => [cell, []]))
  for (let round = 0; round < rounds; round += 1) {
    for (const cell of cells) results.get(cell)?.push(await measure(cell, round))
  }
  return results
}

export const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
