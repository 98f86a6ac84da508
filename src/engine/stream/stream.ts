import type { Event, NewEvent } from '../../contract/events.ts'
import { applyMemory, applyRecords } from '../../core/apply.ts'
import type { Command, Moment } from '../../core/command.ts'
import { newState, type State } from '../../core/state.ts'
import { applied, type Step, step } from '../../core/step.ts'
import {
  type Attachment,
  Fenced,
  type Ledger,
  LedgerBusy,
  LedgerDamaged,
  LedgerFull,
} from '../../store/ledger.ts'
import type { Tables } from '../../store/tables.ts'
import type { Clock } from '../clock.ts'
import { decodeEvents, encodeEvents } from './codec.ts'
import { Overlay } from './overlay.ts'
import { restoreSnapshot, takeSnapshot } from './snapshot.ts'

/**
 * One ordered stream of facts: the only way a state changes.
 *
 *   run ──► step (decide + apply) ──► gathering ──► ledger.append, one sync ──► durable
 *                                        ▲                    │                   ├─► settled()
 *                                        └── commands while it syncs              ├─► listeners
 *                                                                                 └─► tables
 *
 * Invariants:
 *  1. `settled(r)` resolves only when every event up to `r` is on stable storage (I14).
 *  2. Listeners get every durable event once, in order, whole batches at a time (I11).
 *  3. One append is under way at a time; what gathers meanwhile is the next batch. No waiting for
 *     company: an idle stream commits a lone command at once.
 *  4. After a failed append nothing that was not durable remains: memory is dropped and folded again
 *     from the ledger. Nothing was promised.
 *
 * A command is decided when it arrives, not when its batch is written: later commands of the same
 * batch must see it, and deciding costs the same either way.
 */
export class Stream {
  /** The last revision that cannot be lost any more. */
  durable = 0
  /** The last fact that is no refusal: refusals need not wait for the sync of refusals. */
  lastFact = 0
  state: State
  overlay: Overlay
  readonly name: string
  private readonly ledger: Ledger
  private readonly tables: Tables
  private readonly clock: Clock
  private epoch = 0
  private gathering: Event[][] = []
  private contents: Attachment[][] = []
  private waiters: Waiter[] = []
  private readonly listeners = new Set<(events: readonly Event[]) => void>()
  private isAppending = false
  private isScheduled = false
  /** Decisions in the last batch: more than one means that many arrive together. */
  private lastSteps = 0
  private isWritingBack = false
  private isClosed = false
  /** The disk had no room a moment ago: what can be read is right, and nothing is written. */
  private full: LedgerFull | undefined
  private attempt: Promise<void> = done
  /** Where a load that broke off left the tables. */
  private tablesAt = 0
  private snapshotAt = 0
  private oldest = 1
  private failure: Error | undefined
  /** Why the stream is being read again; undefined while it runs. */
  private reloading: Error | undefined
  private idle: (() => void)[] = []

  constructor(name: string, ledger: Ledger, tables: Tables, clock: Clock) {
    this.name = name
    this.ledger = ledger
    this.tables = tables
    this.clock = clock
    this.overlay = new Overlay(tables, 0)
    this.state = newState(name, this.overlay)
  }

  async open(): Promise<void> {
    const head = await this.ledger.open()
    this.epoch = head.epoch
    await this.load(this.tables.open(), head.revision, head.oldest)
  }

  /** Tables stand at one revision, the snapshot of memory at another: each is folded on from its own. */
  private async load(tablesAt: number, head: number, oldest: number): Promise<void> {
    // Nobody sees the new state before it is whole.
    const overlay = new Overlay(this.tables, tablesAt)
    const state = newState(this.name, overlay)
    if (tablesAt > head) {
      throw new LedgerDamaged(
        head,
        `tables.db stands at revision ${tablesAt}, after the ledger's end`,
      )
    }
    if (!restoreSnapshot(state, this.tables.get('state', 'snapshot'))) state.revision = 0
    const memoryAt = state.revision
    const from = Math.min(memoryAt, tablesAt) + 1
    if (oldest > from) throw new LedgerDamaged(from, `facts before revision ${oldest} are missing`)
    for await (const batch of this.ledger.read(from)) {
      for (const { sha256, bytes } of batch.attachments) overlay.put('content', sha256, bytes)
      for (const event of decodeEvents(batch.payload, batch.first)) {
        if (event.revision > memoryAt) applyMemory(state, event)
        if (event.revision > tablesAt) applyRecords(state, event)
      }
      if (overlay.isFull) overlay.freeze(batch.last)
      writeBackAll(overlay, batch.last)
      this.tablesAt = overlay.storedAt
    }
    // What a replay frees was granted in the replay already.
    state.locks.freed.length = 0
    state.locks.moved.length = 0
    state.revision = head
    this.overlay = overlay
    this.state = state
    this.oldest = oldest
    this.durable = head
    this.lastFact = head
    this.snapshotAt = memoryAt
  }

  /** Throws `StreamFailed` while the stream cannot take commands. */
  run(command: Command, moment: Moment, contents: readonly Attachment[] = none): Step {
    this.assertRunning()
    const result = step(this.state, command, moment)
    if (result.events.length > 0) this.gather(result.events, contents)
    return result
  }

  /** Adds a fact that needs no decision (a refusal). */
  record(draft: NewEvent, at: number): Event {
    this.assertRunning()
    const event = applied(this.state, draft, at)
    this.gather([event], none)
    return event
  }

  /** There while what is in memory may not be what is stored. */
  get fault(): StreamFailed | undefined {
    const cause = this.failure ?? this.reloading
    return cause === undefined ? undefined : new StreamFailed(cause)
  }

  /** Resolves when a fault is over; rejects when the try that is under way does not end it. */
  async recovered(): Promise<void> {
    try {
      await this.attempt
    } catch (error) {
      throw new StreamFailed(error as Error)
    }
    const { fault } = this
    if (fault !== undefined) throw fault
  }

  /**
   * What `look` finds in the state, refusals included, once all that it may have seen is stored: nothing
   * is shown that could still be lost. Where that was lost, it looks again at what is there instead.
   * The one way to read the state for an answer.
   *
   * @param isDecided what is looked for may have been stored, where nothing can be looked at any more
   */
  async shown<T>(look: () => T, { isDecided = false } = {}): Promise<T> {
    for (;;) {
      if (this.fault !== undefined) {
        await this.recovered().catch((error: StreamFailed) => {
          throw isDecided ? new StreamFailed(error.cause as Error, true) : error
        })
      }
      const seen = this.lastFact
      let found: { value: T } | { refusal: unknown }
      try {
        found = { value: look() }
      } catch (refusal) {
        found = { refusal }
      }
      try {
        await this.settled(seen)
      } catch (error) {
        if (error instanceof StreamFailed) continue
        throw error
      }
      if ('value' in found) return found.value
      throw found.refusal
    }
  }

  private assertRunning(): void {
    const { fault } = this
    if (fault !== undefined) throw fault
    if (this.full !== undefined) throw new StreamFailed(this.full)
  }

  private gather(events: Event[], contents: readonly Attachment[]): void {
    for (const { sha256, bytes } of contents) this.overlay.put('content', sha256, bytes)
    this.gathering.push(events)
    this.contents.push(contents as Attachment[])
    if (events.some((event) => event.kind !== 'command-refused')) {
      this.lastFact = this.state.revision
    }
    if (this.isAppending || this.isScheduled) return
    this.isScheduled = true
    const flush = (): void => {
      this.isScheduled = false
      this.flush()
    }
    // Under load, after all that has arrived by now: requests of many sockets share a batch. A lone
    // command does not wait for that turn of the event loop.
    if (this.lastSteps > 1) this.clock.soon(flush)
    else queueMicrotask(flush)
  }

  /** Resolves when everything up to `revision` is durable; rejects when it was dropped instead. */
  settled(revision: number): Promise<void> {
    if (revision <= this.durable) return done
    const { fault } = this
    if (fault !== undefined) return Promise.reject(fault)
    // All that was decided since the last wait began shares one promise.
    const newest = this.waiters.at(-1)
    if (newest !== undefined && newest.revision >= revision && newest.from <= revision) {
      return newest.promise
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const waiter = { from: revision, revision: this.state.revision, promise, resolve, reject }
    // Nobody may be left who waits when it fails.
    promise.catch(() => {})
    this.waiters.push(waiter)
    return promise
  }

  /** Calls back with every durable batch; returns the function to stop. */
  listen(listener: (events: readonly Event[]) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  /** Durable events from `from` on, batch by batch, as far as they are stored now. */
  async *history(from: number, to?: number): AsyncIterable<{ events: Event[]; hash: string }> {
    for await (const batch of this.ledger.read(from, to)) {
      yield { events: decodeEvents(batch.payload, batch.first), hash: batch.hash }
    }
  }

  /** One durable event, or undefined when it is no longer kept. */
  async eventAt(revision: number): Promise<Event | undefined> {
    for await (const { events } of this.history(revision, revision)) {
      const found = events.find((event) => event.revision === revision)
      if (found !== undefined) return found
    }
    return undefined
  }

  /** Events gathered or being written: what bounds the queue. */
  get backlog(): number {
    return this.state.revision - this.durable
  }

  private flush(): void {
    if (this.gathering.length === 0 || this.failure !== undefined) return
    let count = 0
    let steps = 0
    let bytes = 0
    // Whole decisions only: what one decision did is stored together or not at all.
    while (steps < this.gathering.length && count < BATCH_EVENTS && bytes < BATCH_BYTES) {
      count += (this.gathering[steps] as Event[]).length
      for (const content of this.contents[steps] as Attachment[]) bytes += content.bytes.length
      steps += 1
    }
    this.lastSteps = steps
    const events = this.gathering.splice(0, steps).flat()
    const attachments = this.contents.splice(0, steps).flat()
    const first = (events[0] as Event).revision
    const last = (events.at(-1) as Event).revision
    if (this.gathering.length === 0 && this.overlay.isFull) this.freeze(last)
    this.isAppending = true
    this.ledger
      .append(this.epoch, first - 1, { first, last, payload: encodeEvents(events), attachments })
      .then(
        () => this.appended(events, last),
        (error: Error) => this.failed(error),
      )
  }

  private freeze(revision: number): void {
    if (revision - this.snapshotAt >= SNAPSHOT_EVENTS) {
      this.overlay.put('state', 'snapshot', takeSnapshot(this.state))
      this.snapshotAt = revision
    }
    this.overlay.freeze(revision)
  }

  private appended(events: readonly Event[], last: number): void {
    this.durable = last
    this.isAppending = false
    // The next batch is on its way before anybody hears of this one.
    this.flush()
    for (const listener of this.listeners) listener(events)
    let count = 0
    while (count < this.waiters.length && (this.waiters[count] as Waiter).revision <= last)
      count += 1
    for (const waiter of this.waiters.splice(0, count)) waiter.resolve()
    this.writeBackSoon()
    if (!this.isAppending) for (const resolve of this.idle.splice(0)) resolve()
  }

  private writeBackSoon(): void {
    if (this.isWritingBack || !this.overlay.hasFrozen) return
    this.isWritingBack = true
    // One generation a turn, so that requests get in between.
    this.clock.soon(() => this.writeBackNow())
  }

  private writeBackNow(): void {
    this.isWritingBack = false
    if (this.failure !== undefined || this.isClosed) return
    try {
      if (this.overlay.writeBack(this.durable)) this.writeBackSoon()
    } catch {
      // The ledger has it all; the tables get it when their disk takes it.
      this.isWritingBack = true
      this.clock.after(RETRY_MS, () => this.writeBackNow())
    }
  }

  /** Invariant 4. A fenced stream never comes back: somebody else decides now. */
  private failed(error: Error): void {
    this.gathering = []
    this.contents = []
    const waiters = this.waiters.splice(0)
    this.isAppending = false
    if (error instanceof Fenced) {
      this.failure = error
      this.answerUnknown(waiters, error)
      return
    }
    this.reloading = error
    if (error instanceof LedgerFull) {
      this.pauseWrites(error)
      const lost = new StreamFailed(error)
      for (const waiter of waiters.splice(0)) waiter.reject(lost)
    }
    void this.reloadUntilDone(waiters, error)
    for (const resolve of this.idle.splice(0)) resolve()
  }

  private answerKnown(waiters: readonly Waiter[], error: Error): void {
    for (const waiter of waiters) {
      if (waiter.revision <= this.durable) waiter.resolve()
      else waiter.reject(new StreamFailed(error, waiter.from <= this.durable))
    }
  }

  private answerUnknown(waiters: readonly Waiter[], error: Error): void {
    for (const waiter of waiters) waiter.reject(new StreamFailed(error, true))
  }

  /** Each try on a full disk costs a fold of the ledger's end, so they are spread. */
  private pauseWrites(error: LedgerFull): void {
    this.full = error
    this.clock.after(RETRY_MS, () => {
      this.full = undefined
    })
  }

  /** A disk that is full, or away, may come back; a ledger that somebody else has will not. */
  private async reloadUntilDone(waiters: readonly Waiter[], failure: Error): Promise<void> {
    while (!this.isClosed) {
      try {
        this.attempt = this.reload(waiters, failure)
        await this.attempt
        return
      } catch (error) {
        this.answerUnknown(waiters, failure)
        const isFinal = [Fenced, LedgerBusy, LedgerDamaged].some((kind) => error instanceof kind)
        if (isFinal) {
          this.failure = error as Error
          return
        }
        await new Promise<void>((resolve) => this.clock.after(RETRY_MS, resolve))
      }
    }
  }

  private async reload(waiters: readonly Waiter[], failure: Error): Promise<void> {
    const known = this.durable
    let head = { revision: known, oldest: this.oldest }
    if (!(this.reloading instanceof LedgerFull)) {
      // A failed sync says nothing about what the disk has; only reading it anew does.
      await this.ledger.close()
      const opened = await this.ledger.open()
      this.epoch = opened.epoch
      head = opened
    }
    const tablesAt = Math.max(this.tablesAt, this.overlay.storedAt)
    await this.load(tablesAt, head.revision, head.oldest)
    const inDoubt: Event[] = []
    if (this.durable > known) {
      for await (const { events } of this.history(known + 1, this.durable)) {
        inDoubt.push(...events.filter(({ revision }) => revision > known))
      }
    }
    this.reloading = undefined
    // Only what was read anew says what was stored; and before a new fact can take the number of one
    // that was not.
    this.answerKnown(waiters, failure)
    for (const listener of this.reloaded) listener()
    // What was stored all the same is told like any other fact: a lock handed over, a turn that came.
    if (inDoubt.length > 0) for (const listener of this.listeners) listener(inDoubt)
  }

  private readonly reloaded = new Set<() => void>()
  /** Calls back after memory was dropped and folded again. */
  onReload(listener: () => void): void {
    this.reloaded.add(listener)
  }

  /** Writes what is gathered, then the tables and a snapshot, and lets go of the files. */
  async close(): Promise<void> {
    while (this.gathering.length > 0 || this.isAppending || this.isScheduled) {
      await new Promise<void>((resolve) => {
        this.idle.push(resolve)
        if (!this.isAppending && !this.isScheduled) this.flush()
      })
    }
    this.isClosed = true
    if (this.failure === undefined && this.reloading === undefined) this.storeAll()
    this.tables.close()
    await this.ledger.close()
  }

  private storeAll(): void {
    if (this.durable > this.snapshotAt) {
      this.overlay.put('state', 'snapshot', takeSnapshot(this.state))
      this.snapshotAt = this.durable
    }
    if (this.overlay.isEmpty) return
    this.overlay.freeze(this.durable)
    writeBackAll(this.overlay, this.durable)
  }
}

interface Waiter {
  /** Serves whoever waits for one of the revisions `from` to `revision`. */
  from: number
  revision: number
  promise: Promise<void>
  resolve: () => void
  reject: (error: Error) => void
}

/** What was not durable is gone: the caller may try again. */
export class StreamFailed extends Error {
  override name = 'StreamFailed'
  /** It may have been stored all the same. */
  readonly isUnknown: boolean
  constructor(cause: Error, isUnknown = false) {
    super(cause.message, { cause })
    this.isUnknown = isUnknown
  }
}

function writeBackAll(overlay: Overlay, durable: number): void {
  try {
    while (overlay.writeBack(durable));
  } catch {
    // Without room for the tables it stays in memory; a start folds on from where they stand.
  }
}

/** Between tries of what the disk did not take. */
const RETRY_MS = 500
const BATCH_EVENTS = 2048
const BATCH_BYTES = 8 * 1024 * 1024
/** So many facts at most are folded at a start. */
const SNAPSHOT_EVENTS = 50_000
const none: readonly Attachment[] = []
const done = Promise.resolve()
