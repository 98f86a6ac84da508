import { connect, type Sluice, type Workspace } from '../client/index.ts'
import { EVENT_KINDS } from '../contract/events.ts'
import type { Input } from '../contract/operations.ts'
import { LiveView } from './live-view.ts'
import { type LockTable, printLockTable } from './lock-rows.ts'
import { Screen } from './screen.ts'
import { targetOf } from './target.ts'
import { durationText, timeText } from './text.ts'
import type { Values } from './values.ts'

/**
 * The lock table for as long as somebody looks: asked for again when the stream tells of a change, and
 * once a second. A terminal shows it in place; a pipe gets it anew whenever it has changed.
 */
export async function watchLocks(values: Values, input: Input<'list_locks'>): Promise<void> {
  const agent = values.text('agent')
  const sluice = await connect({
    ...(await targetOf(values)),
    retryMs: RETRY_MS,
    about: { client: 'sluice locks --watch' },
    ...(agent === undefined ? {} : { agent }),
  })
  const stop = new AbortController()
  const onSignal = (): void => stop.abort()
  for (const signal of SIGNALS) process.on(signal, onSignal)
  const show = values.flag('json')
    ? new Documents()
    : process.stdout.isTTY === true
      ? new Live(`Locks of ${values.text('workspace') ?? 'main'}`)
      : new Tables()
  try {
    await new LockWatch(sluice.workspace(values.text('workspace')), input, show, stop).run()
  } finally {
    show.close()
    for (const signal of SIGNALS) process.off(signal, onSignal)
    await closed(sluice)
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
/** How long a server may be away, for example to be upgraded. */
const RETRY_MS = 5 * 60_000

/** Nobody who stops looking waits for a server that is away. */
async function closed(sluice: Sluice): Promise<void> {
  const late = new Promise<void>((resolve) => {
    setTimeout(resolve, CLOSE_MS).unref()
  })
  await Promise.race([sluice.close(), late])
  await sluice.disconnect()
}

const CLOSE_MS = 1000

interface Show {
  /** The newest table, and how long ago it was true. */
  show(table: LockTable, isNew: boolean, ageMs: number): void
  close(): void
}

class LockWatch {
  private readonly workspace: Workspace
  private readonly input: Input<'list_locks'>
  private readonly view: Show
  private readonly stop: AbortController
  private table: LockTable | undefined
  private facts = ''
  private answeredAt = 0
  private isAsking = false
  /** Something happened since the last question was sent. */
  private isStale = false
  private fault: unknown

  constructor(workspace: Workspace, input: Input<'list_locks'>, view: Show, stop: AbortController) {
    this.workspace = workspace
    this.input = input
    this.view = view
    this.stop = stop
  }

  async run(): Promise<void> {
    const tick = setInterval(() => {
      this.draw(false)
      this.ask()
    }, TICK_MS)
    const onResize = (): void => this.draw(false)
    process.stdout.on('resize', onResize)
    try {
      this.ask()
      const { signal } = this.stop
      for await (const _ of this.workspace.watch({ kinds: LOCK_EVENTS, signal })) this.ask()
    } finally {
      clearInterval(tick)
      process.stdout.off('resize', onResize)
    }
    if (this.fault !== undefined) throw this.fault
  }

  /** One question at a time, and not more often than people can read. */
  private ask(): void {
    this.isStale = true
    if (this.isAsking || this.stop.signal.aborted) return
    this.isAsking = true
    void this.answer().catch((error: unknown) => {
      if (this.stop.signal.aborted) return
      this.fault = error
      this.stop.abort()
    })
  }

  private async answer(): Promise<void> {
    while (this.isStale && !this.stop.signal.aborted) {
      this.isStale = false
      const table = await this.workspace.call('list_locks', this.input)
      if (this.stop.signal.aborted) return
      const facts = factsOf(table)
      const isNew = facts !== this.facts
      this.table = table
      this.facts = facts
      this.answeredAt = performance.now()
      this.draw(isNew)
      await new Promise<void>((resolve) => {
        setTimeout(resolve, LEAST_MS)
      })
    }
    this.isAsking = false
  }

  private draw(isNew: boolean): void {
    if (this.table === undefined || this.stop.signal.aborted) return
    this.view.show(this.table, isNew, performance.now() - this.answeredAt)
  }
}

const TICK_MS = 1000
const LEAST_MS = 100

const LOCK_EVENTS = Object.keys(EVENT_KINDS).filter((kind) => /^(lock|ticket|recall)-/.test(kind))

/** The table without what only time changes: two of them are the same when nothing happened. */
function factsOf(table: LockTable): string {
  return JSON.stringify(table, (name, value: unknown) => (PASSING.has(name) ? undefined : value))
}

/** `expires_at` moves with every call of the holder, `priority` with the age of a request. */
const PASSING: ReadonlySet<string> = new Set(['waited_s', 'expires_at', 'priority'])

/** One JSON document a line, for each change. */
class Documents implements Show {
  show(table: LockTable, isNew: boolean): void {
    if (isNew) process.stdout.write(`${JSON.stringify(table)}\n`)
  }

  close(): void {}
}

/** One table after the other, each under the time it was true at. */
class Tables implements Show {
  private readonly screen = new Screen()
  private isFirst = true

  show(table: LockTable, isNew: boolean): void {
    if (!isNew) return
    if (!this.isFirst) this.screen.line()
    this.isFirst = false
    this.screen.line(timeText(new Date().toISOString()))
    printLockTable(table, this.screen)
  }

  close(): void {}
}

class Live implements Show {
  private readonly view = new LiveView()
  private readonly title: string
  private last = ''

  constructor(title: string) {
    this.title = title
  }

  show(table: LockTable, _isNew: boolean, ageMs: number): void {
    const parts: string[] = []
    // In the last column of a terminal the cursor stands on what it wrote, and would clear it.
    const screen = new Screen((text) => parts.push(text), process.stdout.columns - 1)
    const { locks, waiting } = table
    const counts = `${locks.length} held, ${waiting.length} waiting`
    const now = timeText(new Date().toISOString())
    const old = ageMs < OLD_MS ? '' : `, as of ${durationText(ageMs / 1000)} ago: no answer`
    parts.push(screen.styled('bold', `${this.title}: ${counts}  ${now}${old}`), '\n')
    screen.line()
    printLockTable(aged(table, ageMs / 1000), screen)
    this.last = parts.join('')
    this.view.draw(this.last)
  }

  /** What was seen last stays to be read. */
  close(): void {
    this.view.close()
    if (this.last !== '') process.stdout.write(this.last)
  }
}

const OLD_MS = 3000

/** Between two answers the waiting goes on. */
function aged(table: LockTable, seconds: number): LockTable {
  const waiting = table.waiting.map((row) => ({ ...row, waited_s: row.waited_s + seconds }))
  return { ...table, waiting }
}
