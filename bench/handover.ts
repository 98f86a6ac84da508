/**
 * Handing over: how long from a release until the next waiter has the lock in its hands, with few and
 * with many who wait for one file.
 */
import { syncMs } from './machine.ts'
import { interleave, median, percentile, sleep } from './measure.ts'
import { startEtcdHot } from './peer/etcd-hot.ts'
import { Crew, type HotLocks, type HotWorker, type Release } from './peer/hot-lock.ts'
import { startRedisHot } from './peer/redis-hot.ts'
import { startSluiceHot } from './peer/sluice-hot.ts'
import { type Figure, number, type Options, type Report, type Table } from './report.ts'
import { onStage, type Stage } from './stage.ts'

const WAITERS = [10, 100, 1000]

/** The first hand-overs of a cell find cold code and an idle disk. */
const WARM_UP = 20
const WARM_UP_QUICK = 3

/** After each hand-over, so that who gave the lock back is in line again and all is quiet. */
const SETTLE_MS = 5

interface Cell {
  crew: Crew
  waiters: number
}

interface Outcome {
  times: number[]
  /** Tries that found the lock taken, for each hand-over. */
  lostTries: number | undefined
  /** How long the disk took for a sync just before. */
  syncMs: number
}

export function runHandover(options: Options): Promise<Report> {
  return onStage('handover', async (stage) => {
    const crews = (await startHot(stage, options)).map((service) => new Crew(service))
    const counts = options.quick ? [1, 10] : WAITERS
    const cells = counts.flatMap((waiters) => crews.map((crew) => ({ crew, waiters })))
    const outcomes = await interleave(options.rounds, cells, ({ crew, waiters }, round) =>
      crew.perform(waiters + 1, async (workers) => {
        const sync = syncMs(stage.folder)
        const path = `/hot/${waiters}-${round}.md`
        return { ...(await play(crew.service, workers, path, options)), syncMs: sync }
      }),
    )
    return reportOf(counts, outcomes)
  })
}

/** All that lets many wait for one lock. */
export async function startHot(stage: Stage, { quick }: Options): Promise<HotLocks[]> {
  const services = [
    await startSluiceHot(stage),
    await startEtcdHot(stage, !quick),
    await startRedisHot(stage, !quick),
  ]
  return services.filter((service) => service !== null)
}

async function play(
  service: HotLocks,
  workers: readonly HotWorker[],
  path: string,
  { quick, cellMs }: Options,
): Promise<Omit<Outcome, 'syncMs'>> {
  let isOver = false
  const grants = new Grants()
  const loops = workers.map(async (worker) => {
    while (!isOver) {
      const release = await worker.lock(path)
      const at = performance.now()
      if (isOver) await release()
      else await new Promise<void>((waitAgain) => grants.put({ release, at, waitAgain }))
    }
  })
  const ended = Promise.all(loops).catch((error: Error) => grants.fail(error))
  let holder = await grants.take()
  // Everybody else is on the way into the line.
  await sleep(quick ? 100 : 200 + workers.length)
  const warmUp = quick ? WARM_UP_QUICK : WARM_UP
  const times: number[] = []
  let lostBefore = service.lostTries?.()
  const end = performance.now() + cellMs
  for (let turn = 0; performance.now() < end || turn < warmUp + 1; turn += 1) {
    if (turn === warmUp) lostBefore = service.lostTries?.()
    grants.mustBeEmpty()
    const asked = performance.now()
    const released = holder.release()
    const next = await grants.take()
    if (turn >= warmUp) times.push(next.at - asked)
    await released
    // Not before: it is the next waiter's turn, and who polls could be ahead of all that wait.
    holder.waitAgain()
    holder = next
    await sleep(SETTLE_MS)
  }
  const lost = service.lostTries?.()
  isOver = true
  await holder.release()
  holder.waitAgain()
  await ended
  grants.mustBeWell()
  const lostTries =
    lost === undefined || lostBefore === undefined ? undefined : (lost - lostBefore) / times.length
  return { times, lostTries }
}

interface Grant {
  release: Release
  at: number
  waitAgain(): void
}

/** What one puts, another takes; whoever comes first waits. */
class Grants {
  private readonly letters: Grant[] = []
  private wake = (): void => {}
  private fault: Error | undefined

  put(letter: Grant): void {
    this.letters.push(letter)
    this.wake()
  }

  /** Nobody will be granted anything any more. */
  fail(fault: Error): void {
    this.fault = fault
    this.wake()
  }

  mustBeWell(): void {
    if (this.fault !== undefined) throw this.fault
  }

  /** Before a release: only its holder has the lock. */
  mustBeEmpty(): void {
    if (this.letters.length > 0) throw new Error('two were granted one lock')
  }

  async take(): Promise<Grant> {
    for (;;) {
      const letter = this.letters.shift()
      if (letter !== undefined) return letter
      this.mustBeWell()
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    }
  }
}

/** Undefined: the service got stuck. */
type Rounds = readonly (Outcome | undefined)[]

const completed = (rounds: Rounds): Outcome[] => rounds.filter((one) => one !== undefined)

function reportOf(counts: readonly number[], outcomes: Map<Cell, Rounds>): Report {
  const notes = [...outcomes.keys()]
    .filter(({ waiters }) => waiters === counts[0])
    .map(({ crew }) => crew.service.facts)
  notes.push(
    'Measured in the one driver process, from the call of the release to the arrival of the next grant: one decision, one sync and two ways over loopback where the service hands over, what is left of the shortest sleep where waiters poll. One hand-over at a time; whoever gave the lock back waits again once the next one has it. etcd brings a new watch up to date every 100 ms, so where few wait, one that has just come may hear late. "lost" are tries that found the lock taken, for each hand-over.',
  )
  return {
    tables: counts.map((waiters) => tableOf(waiters, outcomes)),
    figures: figuresOf(counts, outcomes),
    notes,
    faults: [],
  }
}

const p50sOf = (rounds: Rounds): number[] =>
  completed(rounds).map(({ times }) => percentile(times, 50))

function cellsOf(waiters: number, outcomes: Map<Cell, Rounds>): [Cell, Rounds][] {
  return [...outcomes].filter(([cell]) => cell.waiters === waiters)
}

function tableOf(waiters: number, outcomes: Map<Cell, Rounds>): Table {
  const cells = cellsOf(waiters, outcomes)
  const own = median(p50sOf(cells[0]![1]))
  return {
    title: `From a release to the next waiter's grant, ${number(waiters)} waiting for one file`,
    columns: ['', 'hand-overs', 'p50 ms', 'p99 ms', 'lost', 'of Sluice p50'],
    rows: cells.map(([{ crew }, all]) => {
      const rounds = completed(all)
      if (rounds.length === 0) return [crew.service.name, 'stuck']
      return [
        crew.service.name,
        number(rounds.reduce((sum, { times }) => sum + times.length, 0)),
        number(median(p50sOf(rounds))),
        number(median(rounds.map(({ times }) => percentile(times, 99)))),
        crew.service.lostTries === undefined
          ? '–'
          : number(median(rounds.map(({ lostTries }) => lostTries ?? 0))),
        `${number(median(p50sOf(rounds)) / own)} ×`,
      ]
    }),
  }
}

function figuresOf(counts: readonly number[], outcomes: Map<Cell, Rounds>): Figure[] {
  const ownOf = (waiters: number): Outcome[] => completed(cellsOf(waiters, outcomes)[0]![1])
  const [few, most] = [counts[0]!, counts.at(-1)!]
  const base = p50sOf(ownOf(few))
  return [
    {
      name: `Sluice, hand-over p50 with ${number(most)} waiting / with ${number(few)}`,
      unit: '×',
      values: p50sOf(ownOf(most)).map((p50, round) => p50 / base[round]!),
      margin: 0.5,
      reason: 'a rise means a cost that grows with the line',
      target: { atMost: 3 },
    },
    ...counts.map(
      (waiters): Figure => ({
        name: `Sluice, hand-over p50 above one sync, ${number(waiters)} waiting`,
        unit: 'ms',
        values: ownOf(waiters).map(({ times, syncMs: sync }) => percentile(times, 50) - sync),
        margin: 0.5,
        reason: 'two ways over loopback and one decision; a busy core shows at once',
        target: { atMost: 2 },
      }),
    ),
    ...counts.flatMap((waiters) => peerFiguresOf(waiters, outcomes)),
  ]
}

/** Ratios round by round: what the machine did meanwhile is in both halves of each. */
function peerFiguresOf(waiters: number, outcomes: Map<Cell, Rounds>): Figure[] {
  const [own, ...peers] = cellsOf(waiters, outcomes)
  const p50s = p50sOf(own![1])
  return peers
    .filter(([, rounds]) => completed(rounds).length > 0)
    .map(([{ crew }, rounds]) => ({
      name: `${crew.service.name} / Sluice, hand-over p50, ${number(waiters)} waiting`,
      unit: '×',
      values: rounds.flatMap((one, round) =>
        one === undefined ? [] : [percentile(one.times, 50) / p50s[round]!],
      ),
      margin: 0.4,
      reason: 'both in the same round on the same machine; what is left is how they share cores',
    }))
}
