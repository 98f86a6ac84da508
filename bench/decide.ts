/**
 * The decision alone: one step of the core, in this process, without a disk or a socket. What it costs
 * is the floor under everything else, and it must not grow with what is held or who waits.
 */
import type { Actor, Command } from '../src/core/command.ts'
import type { Records } from '../src/core/file/entry.ts'
import { newState, type State } from '../src/core/state.ts'
import { step } from '../src/core/step.ts'
import { interleave, median, percentile } from './measure.ts'
import { type Figure, number, type Options, type Report } from './report.ts'

const ITEMS = 128
const HELD = 10_000
const WAITERS = [10, 1000]

/** One kind of decision: what it is called, and one of it, prepared and then timed. */
interface Case {
  name: string
  /** Makes a core of its own; each call of the result gives the milliseconds of one decision. */
  open(): () => number
}

const FREE_PAIR = 'acquire and release one free file'
const MANY_ITEMS = `acquire ${ITEMS} files in one decision`
const MANY_BESIDE = `acquire ${ITEMS} files, ${number(HELD)} others held`
const MANY_QUEUED = `queue for ${ITEMS} files that ${ITEMS} others hold`
const handOver = (waiters: number): string =>
  `release, and grant the first of ${number(waiters)} waiting`

const CASES: readonly Case[] = [
  { name: FREE_PAIR, open: openFreePair },
  { name: MANY_ITEMS, open: () => openManyItems(0) },
  { name: MANY_BESIDE, open: () => openManyItems(HELD) },
  { name: MANY_QUEUED, open: openManyQueued },
  ...WAITERS.map((waiters) => ({ name: handOver(waiters), open: () => openHandOver(waiters) })),
]

export async function runDecide({ quick, rounds, cellMs }: Options): Promise<Report> {
  const durationMs = quick ? cellMs / 3 : cellMs
  const found = await interleave(rounds, CASES, async ({ open }) => {
    const decide = open()
    timesOf(decide, durationMs / 4)
    return timesOf(decide, durationMs)
  })
  return {
    tables: [
      {
        title: 'One decision of the core, in process',
        columns: ['', 'decisions', 'p50 µs', 'p99 µs'],
        rows: [...found].map(([{ name }, times]) => [
          name,
          number(times.reduce((sum, one) => sum + one.length, 0)),
          number(median(times.map((one) => percentile(one, 50))) * 1000),
          number(median(times.map((one) => percentile(one, 99))) * 1000),
        ]),
      },
    ],
    figures: figuresOf(new Map([...found].map(([{ name }, times]) => [name, times]))),
    notes: [
      'Decide, apply, and grant whoever can go: all that a command costs before it is written down. Each agent asks for itself; files are in 16 folders.',
    ],
    faults: [],
  }
}

function figuresOf(found: ReadonlyMap<string, number[][]>): Figure[] {
  const of = (name: string, percent: number): number[] =>
    found.get(name)!.map((times) => percentile(times, percent))
  const [few, most] = WAITERS as [number, number]
  const base = of(handOver(few), 50)
  const reason = 'one core, no waiting: only collections of garbage and other programs disturb it'
  return [
    {
      name: `${FREE_PAIR}, p50`,
      unit: 'ms',
      values: of(FREE_PAIR, 50),
      margin: 0.5,
      reason,
    },
    ...[MANY_ITEMS, MANY_BESIDE, MANY_QUEUED].flatMap((name) =>
      [50, 99].map(
        (percent): Figure => ({
          name: `${name}, p${percent}`,
          unit: 'ms',
          values: of(name, percent),
          margin: 0.5,
          reason,
          target: { atMost: 1 },
        }),
      ),
    ),
    {
      name: `hand-over p50 with ${number(most)} waiting / with ${number(few)}`,
      unit: '×',
      values: of(handOver(most), 50).map((p50, round) => p50 / base[round]!),
      margin: 0.5,
      reason: 'a rise means a cost that grows with the line',
      target: { atMost: 3 },
    },
  ]
}

function timesOf(decide: () => number, durationMs: number): number[] {
  const times: number[] = []
  const end = performance.now() + durationMs
  while (performance.now() < end) times.push(decide())
  return times
}

function openFreePair(): () => number {
  const core = new Core()
  let turn = 0
  return () => {
    turn += 1
    const before = performance.now()
    const lock = core.acquire('agent', [pathOf(turn % 1000)])
    core.release('agent', lock)
    return performance.now() - before
  }
}

function openManyItems(held: number): () => number {
  const core = new Core()
  for (let other = 0; other < held; other += 1) core.acquire(`holder-${other}`, [pathOf(other)])
  const paths = Array.from({ length: ITEMS }, (_, item) => pathOf(held + item))
  return () => {
    const before = performance.now()
    const lock = core.acquire('agent', paths)
    const time = performance.now() - before
    core.release('agent', lock)
    return time
  }
}

function openManyQueued(): () => number {
  const core = new Core()
  const paths = Array.from({ length: ITEMS }, (_, item) => pathOf(item))
  for (const [other, path] of paths.entries()) core.acquire(`holder-${other}`, [path])
  return () => {
    const before = performance.now()
    const ticket = core.queue('agent', paths)
    const time = performance.now() - before
    core.run({ kind: 'leave-queue', actor: actorOf('agent'), ticket })
    return time
  }
}

function openHandOver(waiters: number): () => number {
  const core = new Core()
  const path = pathOf(0)
  let lock = core.acquire('agent-0', [path])
  for (let other = 1; other <= waiters; other += 1) core.queue(`agent-${other}`, [path])
  let holder = 0
  return () => {
    const before = performance.now()
    const next = core.release(`agent-${holder}`, lock)
    const time = performance.now() - before
    if (next === undefined) throw new Error('nobody was granted what was released')
    core.queue(`agent-${holder}`, [path])
    lock = next
    holder = (holder + 1) % (waiters + 1)
    return time
  }
}

const pathOf = (file: number): string => `/folder-${file % 16}/file-${file}.md`

function actorOf(agent: string): Actor {
  return { agent, session: `${agent}:default`, role: 'agent', rights: [] }
}

/** A core alone, on a workspace without files, and a clock that goes one millisecond a decision. */
class Core {
  private readonly state: State = newState('main', NO_FILES)
  private at = 1_800_000_000_000

  /** The lock it is granted. */
  acquire(agent: string, paths: readonly string[]): number {
    const lock = this.ask(agent, paths, 'lock-acquired')
    if (lock === undefined) throw new Error(`${agent} was not granted ${paths.join(', ')}`)
    return lock
  }

  /** The ticket it waits with. */
  queue(agent: string, paths: readonly string[]): number {
    const ticket = this.ask(agent, paths, 'lock-queued')
    if (ticket === undefined) throw new Error(`${agent} was not queued for ${paths.join(', ')}`)
    return ticket
  }

  /** The lock that the next in line is granted. */
  release(agent: string, lock: number): number | undefined {
    const events = this.run({ kind: 'release-lock', actor: actorOf(agent), lock, force: false })
    return events.find(({ kind }) => kind === 'lock-acquired')?.revision
  }

  run(command: Command) {
    this.at += 1
    const { events, refusal } = step(this.state, command, {
      at: this.at,
      seen: () => undefined,
      expiresAt: () => this.at + 300_000,
    })
    if (refusal !== undefined) throw new Error(refusal.detail)
    return events
  }

  private ask(agent: string, paths: readonly string[], kind: string): number | undefined {
    const items = paths.map((path) => ({ path, level: 'write' }) as const)
    const command: Command = {
      kind: 'acquire-lock',
      actor: actorOf(agent),
      items,
      renew: 'activity',
      queue: true,
    }
    return this.run(command).find((event) => event.kind === kind)?.revision
  }
}

const NO_FILES: Records = { get: () => undefined, put: () => {}, range: () => [] }
