import { readFile } from 'node:fs/promises'
import { sleep } from '../measure.ts'
import { number, type Options, type Report } from '../report.ts'
import { type SluiceServer, startSluice } from '../server.ts'
import { onStage, residentMib } from '../stage.ts'
import { inParallel } from './parallel.ts'

/** Clock ticks a second in /proc/PID/stat; 100 on every Linux that Node runs on. */
const TICKS = 100

interface Sample {
  seconds: number
  mib: number
}

/** Ten thousand sessions, each of which waits for the same lock: does memory stay where it is? */
export function measureManySessions({ quick, cellMs }: Options): Promise<Report> {
  const sessions = quick ? 100 : 10_000
  return onStage('growth-sessions', async (stage) => {
    const server = await startSluice(stage)
    const holder = (await server.connect()).workspace('main')
    const before = (await residentMib(server.pid)) ?? Number.NaN
    await holder.lock('/wanted.md', { level: 'exclusive', ttl: 3600 })
    await inParallel(sessions, 32, (index) => waitInLine(server, `waiter-${index}`))
    const { totals } = await holder.status()
    const faults = totals.waiting === sessions ? [] : [`${totals.waiting} wait, not ${sessions}`]
    const cpuBefore = await cpuSeconds(server.pid)
    const samples = await watchMemory(server.pid, cellMs)
    const cpu = ((await cpuSeconds(server.pid)) - cpuBefore) / (cellMs / 1000)
    const [first, last] = [samples[0]!, samples.at(-1)!]
    return {
      tables: [
        {
          title: `Memory while ${number(sessions)} sessions wait with ${number(sessions)} tickets`,
          columns: ['seconds', 'server RSS MiB'],
          rows: [
            ['before', number(before)],
            ...samples.map(({ seconds, mib }) => [number(Math.round(seconds)), number(mib)]),
          ],
        },
      ],
      figures: [
        {
          name: `RSS growth while ${number(sessions)} sessions wait, ${cellMs / 1000} s`,
          unit: 'MiB',
          values: [last.mib - first.mib],
          margin: 0.2,
          reason: 'flat but for what garbage collection leaves to chance',
          ...(quick ? {} : { target: { atMost: 10 } }),
        },
        {
          name: `CPU of a server with ${number(sessions)} waiting sessions`,
          unit: 'cores',
          values: [cpu],
          margin: 1,
          reason: 'nothing is polled, so nearly nothing',
        },
      ],
      notes: [
        'Each session has one ticket for the same file; the first sample is taken once all wait.',
      ],
      faults,
    }
  })
}

async function waitInLine(server: SluiceServer, session: string): Promise<void> {
  const response = await fetch(`${server.url}/v1/workspaces/main/locks`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${server.token}`,
      'content-type': 'application/json',
      'sluice-session': session,
    },
    body: JSON.stringify({ path: '/wanted.md', level: 'write', ttl: 3600, queue: true }),
  })
  const text = await response.text()
  if (response.status !== 202) throw new Error(`not queued: ${response.status} ${text}`)
}

async function watchMemory(pid: number, durationMs: number): Promise<Sample[]> {
  const start = performance.now()
  const samples: Sample[] = []
  for (let step = 0; step <= 6; step += 1) {
    const dueMs = (durationMs / 6) * step
    await sleep(Math.max(0, start + dueMs - performance.now()))
    samples.push({ seconds: dueMs / 1000, mib: (await residentMib(pid)) ?? Number.NaN })
  }
  return samples
}

async function cpuSeconds(pid: number): Promise<number> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    // The fields after the name, which stands in parentheses; the first of them is number 3.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) / TICKS
  } catch {
    return Number.NaN
  }
}
