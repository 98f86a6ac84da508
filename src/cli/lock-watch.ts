import { connect, type Sluice, type Workspace } from '../client/index.ts'
import { EVENT_KIND_NAMES } from '../contract/events.ts'
import type { Input } from '../contract/operations.ts'
import type { LockTable } from './lock-rows.ts'
import { type Show, showFor } from './lock-show.ts'
import { targetOf } from './target.ts'
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
  // For good: a signal that comes twice, from a terminal and from whoever started us, ends us well too.
  for (const signal of SIGNALS) process.on(signal, () => stop.abort())
  const show = showFor(values.flag('json'), values.text('workspace') ?? 'main')
  try {
    await new LockWatch(sluice.workspace(values.text('workspace')), input, show, stop).run()
  } finally {
    show.close()
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

const LOCK_EVENTS = EVENT_KIND_NAMES.filter((kind) => /^(lock|ticket|recall)-/.test(kind))

/** The table without what only time changes: two of them are the same when nothing happened. */
function factsOf(table: LockTable): string {
  return JSON.stringify(table, (name, value: unknown) => (PASSING.has(name) ? undefined : value))
}

/** `expires_at` moves with every call of the holder, `priority` with the age of a request. */
const PASSING: ReadonlySet<string> = new Set(['waited_s', 'expires_at', 'priority'])
