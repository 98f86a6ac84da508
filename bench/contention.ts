/**
 * Contended locks: workers that want nothing but the next turn on one of a few hot files. Throughput,
 * waits, and whether everybody gets its share.
 */
import { startHot } from './handover.ts'
import { interleave, median, percentile, sleep, spread } from './measure.ts'
import { Crew, type HotLocks, type HotWorker } from './peer/hot-lock.ts'
import { type Figure, number, type Options, type Report, type Table } from './report.ts'
import { onStage } from './stage.ts'

const FILES = [1, 8, 64]
const WORKERS = [10, 100, 1000]

interface Cell {
  crew: Crew
  files: number
  workers: number
}

interface Outcome {
  perSecond: number
  waits: number[]
  /** Grants of the worker that had the least, over grants of the one that had the most. */
  fairness: number
  lostTriesPerGrant: number | undefined
  driverCpu: number
  /** Grants of a file that somebody else held at that moment. */
  doubles: number
}

export function runContention(options: Options): Promise<Report> {
  return onStage('contention', async (stage) => {
    const crews = (await startHot(stage, options)).map((service) => new Crew(service))
    const [fileCounts, workerCounts] = options.quick ? [[1, 2], [8]] : [FILES, WORKERS]
    const cells = fileCounts.flatMap((files) =>
      workerCounts.flatMap((workers) => crews.map((crew) => ({ crew, files, workers }))),
    )
    const outcomes = await interleave(options.rounds, cells, ({ crew, files, workers }, round) => {
      const folder = `/hot/${workers}-${files}-${round}`
      const paths = Array.from({ length: files }, (_, file) => `${folder}/${file}.md`)
      return crew.perform(workers, (all) => play(crew.service, all, paths, options.cellMs))
    })
    return reportOf(outcomes)
  })
}

async function play(
  service: HotLocks,
  workers: readonly HotWorker[],
  paths: readonly string[],
  durationMs: number,
): Promise<Outcome> {
  const waits: number[] = []
  const grants = workers.map(() => 0)
  const holders = new Set<string>()
  let doubles = 0
  // The first grants find cold code, an idle disk, and lines that are not as long as they become.
  const from = performance.now() + durationMs / 2 + workers.length * IN_LINE_MS
  const end = from + durationMs
  const loop = async (worker: HotWorker, index: number): Promise<void> => {
    // Everybody goes round all files in steps of its own, the same for every service.
    const stride = 1 + 2 * (index % 32)
    for (let turn = index; performance.now() < end; turn += stride) {
      const path = paths[turn % paths.length]!
      const asked = performance.now()
      const release = await worker.lock(path)
      const now = performance.now()
      if (now >= from) waits.push(now - asked)
      if (now >= from && now < end) grants[index]! += 1
      if (holders.has(path)) doubles += 1
      holders.add(path)
      // Held for one turn of the event loop: a second holder would be seen here.
      await new Promise((resolve) => setImmediate(resolve))
      holders.delete(path)
      await release()
    }
  }
  const [usage] = await Promise.all([
    usageBetween(service, from, end),
    ...workers.map((worker, index) => loop(worker, index)),
  ])
  const granted = grants.reduce((sum, count) => sum + count, 0)
  const { lostTries } = usage
  return {
    perSecond: granted / (durationMs / 1000),
    waits,
    fairness: Math.min(...grants) / Math.max(...grants),
    lostTriesPerGrant: lostTries === undefined ? undefined : lostTries / granted,
    driverCpu: usage.driverCpu,
    doubles,
  }
}

/** What is counted from without, between two moments. */
async function usageBetween(
  service: HotLocks,
  from: number,
  end: number,
): Promise<{ driverCpu: number; lostTries: number | undefined }> {
  await sleep(from - performance.now())
  const [before, lostBefore] = [performance.now(), service.lostTries?.()]
  const cpuBefore = process.cpuUsage()
  await sleep(end - performance.now())
  const cpu = process.cpuUsage(cpuBefore)
  const lost = service.lostTries?.()
  return {
    driverCpu: (cpu.user + cpu.system) / 1000 / (performance.now() - before),
    lostTries: lost === undefined || lostBefore === undefined ? undefined : lost - lostBefore,
  }
}

/** What a worker may take to get in line: more than any of the services needs. */
const IN_LINE_MS = 4

/** Undefined: the service got stuck. */
type Rounds = readonly (Outcome | undefined)[]

function reportOf(outcomes: Map<Cell, Rounds>): Report {
  const groups = new Map<string, [Cell, Rounds][]>()
  for (const entry of outcomes) {
    const title = titleOf(entry[0])
    groups.set(title, [...(groups.get(title) ?? []), entry])
  }
  const notes = [...groups.values()][0]!.map(([{ crew }]) => crew.service.facts)
  notes.push(
    'A grant is held for one turn of the event loop of the one driver process, then given back; who gave back asks for the next file at once, which a service with a line puts at its end and which one that is polled mostly grants at once, past all that sleep. Throughput and fairness (grants of the worker that had the least, over those of the one that had the most) count what was granted within the cell, which begins when the lines are as long as they become; waits count those too that ended after it. "lost" are tries that found the lock taken, for each grant. Where a service stopped granting anything to anybody, that round is left out, the row says so, and a fresh one goes on.',
  )
  return {
    tables: [...groups].map(([title, cells]) => tableOf(title, cells)),
    figures: [...groups].flatMap(([title, cells]) => figuresOf(title, cells)),
    notes,
    faults: [...outcomes].flatMap(([cell, rounds]) => faultsOf(cell, rounds)),
  }
}

function titleOf({ files, workers }: Cell): string {
  return `${number(workers)} workers on ${files === 1 ? 'one hot file' : `${files} hot files`}`
}

function faultsOf(cell: Cell, all: Rounds): string[] {
  const rounds = completed(all)
  const where = `${cell.crew.service.name}, ${titleOf(cell)}`
  const doubles = rounds.reduce((sum, one) => sum + one.doubles, 0)
  return [
    ...(doubles > 0 ? [`${where}: ${doubles} grants of a file that was held`] : []),
    ...(rounds.some(({ perSecond }) => perSecond === 0) ? [`${where}: nothing was granted`] : []),
  ]
}

const completed = (rounds: Rounds): Outcome[] => rounds.filter((one) => one !== undefined)

const ratesOf = (rounds: Rounds): number[] => completed(rounds).map(({ perSecond }) => perSecond)

function tableOf(title: string, cells: [Cell, Rounds][]): Table {
  const own = median(ratesOf(cells[0]![1]))
  return {
    title,
    columns: [
      '',
      'grants/s',
      'min–max',
      'wait p50 ms',
      'p99 ms',
      'fair',
      'lost',
      'driver',
      'Sluice is',
    ],
    rows: cells.map(([{ crew }, all]) => {
      const rounds = completed(all)
      if (rounds.length === 0) return [crew.service.name, 'stuck']
      const { median: rate, min, max } = spread(ratesOf(rounds))
      const middle = (of: (one: Outcome) => number): number => median(rounds.map(of))
      return [
        rounds.length < all.length
          ? `${crew.service.name}, stuck in ${all.length - rounds.length}`
          : crew.service.name,
        number(rate),
        `${number(min)}–${number(max)}`,
        number(middle(({ waits }) => percentile(waits, 50))),
        number(middle(({ waits }) => percentile(waits, 99))),
        number(middle(({ fairness }) => fairness)),
        crew.service.lostTries === undefined
          ? '–'
          : number(middle(({ lostTriesPerGrant }) => lostTriesPerGrant ?? 0)),
        `${Math.round(middle(({ driverCpu }) => driverCpu) * 100)} %`,
        `${number(own / rate)} ×`,
      ]
    }),
  }
}

/** Ratios round by round: what the machine did meanwhile is in both halves of each. */
function figuresOf(title: string, cells: [Cell, Rounds][]): Figure[] {
  const [own, ...peers] = cells
  const rates = ratesOf(own![1])
  return [
    {
      name: `Sluice, ${title}`,
      unit: 'grants/s',
      values: rates,
      margin: 0.5,
      reason: 'depends on the machine and its disk; compare on one machine only',
    },
    {
      name: `Sluice, least / most grants of a worker, ${title}`,
      unit: '×',
      values: completed(own![1]).map(({ fairness }) => fairness),
      margin: 0.3,
      reason: 'turns are by ticket; coarse where each worker has few',
    },
    ...peers
      .filter(([, rounds]) => completed(rounds).length > 0)
      .map(
        ([{ crew }, rounds]): Figure => ({
          name: `Sluice / ${crew.service.name}, ${title}`,
          unit: '×',
          values: rounds.flatMap((one, round) =>
            one === undefined ? [] : [rates[round]! / one.perSecond],
          ),
          margin: 0.4,
          reason:
            'both in the same round on the same machine; who polls swings with who wakes when',
        }),
      ),
  ]
}
