import { percentile, timeEach } from '../measure.ts'
import { number, type Options, type Report } from '../report.ts'
import { startSluice } from '../server.ts'
import { onStage, residentMib } from '../stage.ts'
import { inParallel } from './parallel.ts'

/** Under the limit that a workspace sets by default for one agent. */
const LOCKS_PER_AGENT = 9000

/** Latency of one lock pair, one at a time, while others hold nothing, little and much. */
export function measureHeldLocks({ quick }: Options): Promise<Report> {
  const counts = quick ? [0, 100] : [0, 1000, 100_000]
  const pairs = quick ? 50 : 2000
  return onStage('growth-locks', async (stage) => {
    const server = await startSluice(stage)
    const admin = await server.connect()
    const workspace = admin.workspace('main')
    const takePair = async (index: number): Promise<void> => {
      const lock = await workspace.lock(`/free/${index % 1000}.md`, { level: 'write' })
      await lock.release()
    }
    await timeEach(pairs / 2, takePair)
    // Under load first, holding nothing: the room a busy server has for short-lived objects, about
    // 100 MiB, is not what held locks take.
    await inParallel(quick ? 100 : 30_000, 256, takePair)
    const rows: string[][] = []
    const p50s: number[] = []
    const memories: number[] = []
    let held = 0
    for (const count of counts) {
      while (held < count) {
        const more = Math.min(LOCKS_PER_AGENT, count - held)
        await hold(server, held, more)
        held += more
      }
      const times = await timeEach(pairs, takePair)
      const { totals } = await workspace.status()
      if (totals.locks < count) throw new Error(`${totals.locks} locks are held, not ${count}`)
      const memory = await residentMib(server.pid)
      const p50 = percentile(times, 50)
      p50s.push(p50)
      memories.push(memory ?? Number.NaN)
      rows.push([number(count), number(p50), number(percentile(times, 99)), mib(memory)])
    }
    return {
      tables: [
        {
          title: 'One lock pair at a time while others hold locks',
          columns: ['locks held', 'p50 ms', 'p99 ms', 'server RSS MiB'],
          rows,
        },
      ],
      figures: [
        {
          name: `lock pair p50 with ${number(counts.at(-1)!)} locks held / with none`,
          unit: '×',
          values: [p50s.at(-1)! / p50s[0]!],
          margin: 0.5,
          reason: 'two syncs dominate either; a rise means a cost that grows with the table',
        },
        {
          name: `RSS growth with ${number(counts.at(-1)!)} locks held`,
          unit: 'MiB',
          values: [memories.at(-1)! - memories[0]!],
          margin: 0.2,
          reason: 'what a lock takes, and what collection of garbage has left of making them',
          ...(quick ? {} : { target: { atMost: 200 } }),
        },
      ],
      notes: ['Locks held: each on a file of its own, 1,000 files a folder, by several agents.'],
      faults: [],
    }
  })
}

async function hold(
  server: Awaited<ReturnType<typeof startSluice>>,
  from: number,
  count: number,
): Promise<void> {
  const agent = `holder-${from}`
  const admin = await server.connect()
  await admin.call('put_agent', { name: agent })
  await admin.close()
  const sluice = await server.connect({ agent })
  const workspace = sluice.workspace('main')
  await inParallel(count, 256, async (index) => {
    const file = from + index
    const path = `/held/${Math.floor(file / 1000)}/${file}.md`
    await workspace.lock(path, { level: 'write', ttl: 3600 })
  })
}

const mib = (memory: number | undefined): string => (memory === undefined ? '–' : number(memory))
