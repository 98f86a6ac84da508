/**
 * Uncontended locks: durable acquire–release pairs a second, each worker on a path of its own, beside
 * services that people take locks from today.
 */
import { interleave, type Load, median, runFor, spread, type Work } from './measure.ts'
import { startEtcd } from './peer/etcd.ts'
import type { LockService } from './peer/lock-service.ts'
import { startPostgres } from './peer/postgres.ts'
import { startRedis } from './peer/redis.ts'
import { startSluiceLocks } from './peer/sluice.ts'
import { type Figure, number, type Options, type Report, type Table } from './report.ts'
import { onStage, type Stage } from './stage.ts'

const WORKERS = [1, 64, 256]

/** More sockets than the others have: PostgreSQL groups its syncs by backends, not by requests. */
const POSTGRES_BACKENDS = 32

interface Cell {
  service: LockService
  workers: number
}

export function runLocks(options: Options): Promise<Report> {
  return onStage('locks', async (stage) => {
    const services = await startServices(stage, options)
    const cells = WORKERS.flatMap((workers) => services.map((service) => ({ service, workers })))
    const loads = await interleave(options.rounds, cells, async ({ service, workers }) => {
      const works = await Promise.all(
        Array.from({ length: workers }, (_, index) => service.worker(index)),
      )
      // The first operations of a cell find cold code and an idle disk.
      await runFor(options.cellMs / 5, works)
      return runFor(options.cellMs, works satisfies Work[])
    })
    return reportOf(services, loads)
  })
}

async function startServices(stage: Stage, { quick }: Options): Promise<LockService[]> {
  const services = [
    await startSluiceLocks(stage),
    await startRedis(stage, !quick),
    await startEtcd(stage, !quick),
    await startPostgres(stage, !quick),
    quick ? null : await startPostgres(stage, true, POSTGRES_BACKENDS),
  ]
  return services.filter((service) => service !== null)
}

function reportOf(services: LockService[], loads: Map<Cell, Load[]>): Report {
  const notes = services.map(({ facts }) => facts)
  notes.push(
    'Every half of a pair is on disk when it is answered. All clients run in the one driver process; "driver" is the share of one core it used in the median round, so a driver near 100 % means that the client, not the service, is the limit.',
  )
  return {
    tables: WORKERS.map((workers) => tableOf(workers, loads)),
    figures: WORKERS.flatMap((workers) => figuresOf(workers, loads)),
    notes,
    faults: [...loads]
      .filter(([, rounds]) => rounds.some(({ operations }) => operations === 0))
      .map(([{ service, workers }]) => `${service.name} did nothing with ${workers} workers`),
  }
}

function tableOf(workers: number, loads: Map<Cell, Load[]>): Table {
  const cells = [...loads].filter(([cell]) => cell.workers === workers)
  const own = median(ratesOf(cells[0]![1]))
  return {
    title: `Acquire–release pairs a second, ${workers} ${workers === 1 ? 'worker' : 'workers'}`,
    columns: ['', 'pairs/s', 'min–max', 'p50 ms', 'p99 ms', 'driver', 'Sluice is'],
    rows: cells.map(([{ service }, rounds]) => {
      const { median: rate, min, max } = spread(ratesOf(rounds))
      return [
        service.name,
        number(rate),
        `${number(min)}–${number(max)}`,
        number(median(rounds.map(({ p50Ms }) => p50Ms))),
        number(median(rounds.map(({ p99Ms }) => p99Ms))),
        `${Math.round(median(rounds.map(({ driverCpu }) => driverCpu)) * 100)} %`,
        `${number(own / rate)} ×`,
      ]
    }),
  }
}

/** Ratios round by round: what the machine did meanwhile is in both halves of each. */
function figuresOf(workers: number, loads: Map<Cell, Load[]>): Figure[] {
  const [own, ...peers] = [...loads].filter(([cell]) => cell.workers === workers)
  const rates = ratesOf(own![1])
  const figures: Figure[] = [
    {
      name: `Sluice, ${workers} workers`,
      unit: 'pairs/s',
      values: rates,
      margin: 0.5,
      reason: 'depends on the machine and its disk; compare on one machine only',
    },
  ]
  for (const [{ service }, rounds] of peers) {
    const target = workers === 256 ? TARGETS[service.name] : undefined
    figures.push({
      name: `Sluice / ${service.name}, ${workers} workers`,
      unit: '×',
      values: ratesOf(rounds).map((rate, round) => rates[round]! / rate),
      margin: 0.3,
      reason: 'both in the same round on the same machine; what is left is how they share cores',
      ...(target === undefined ? {} : { target: { atLeast: target } }),
    })
  }
  return figures
}

const TARGETS: Record<string, number> = {
  Redis: 0.8,
  etcd: 3,
  PostgreSQL: 3,
  [`PostgreSQL ×${POSTGRES_BACKENDS}`]: 3,
}

const ratesOf = (loads: readonly Load[]): number[] => loads.map(({ perSecond }) => perSecond)
