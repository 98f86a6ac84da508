import type { Event, EventKind, NewEvent } from '../../contract/events.ts'
import type { Command, Moment } from '../../core/command.ts'
import { newState, type State } from '../../core/state.ts'
import { applied, type Step, step } from '../../core/step.ts'
import { type Attachment, type Ledger, LedgerFull } from '../../store/ledger.ts'
import type { Tables } from '../../store/tables.ts'
import type { Clock } from '../clock.ts'
import { Batches } from './batches.ts'
import { decodeEvents } from './codec.ts'
import { load } from './load.ts'
import { Overlay } from './overlay.ts'
import { Recovery } from './recovery.ts'
import { Settlement, type Unsettled } from './settlement.ts'
import { StreamFailed } from './stream-failed.ts'
import { WriteBack } from './write-back.ts'

/**
 * One ordered stream of facts: the only way a state changes.
 *
 *   run ──► step (decide + apply) ──► Batches ──► ledger.append, one sync ──► durable
 *                                                                              ├─► settled() (Settlement)
 *                                                       failed                 ├─► listeners
 *                                                          └─► Recovery        └─► tables (WriteBack)
 *
 * Invariants:
 *  1. `settled(r)` resolves only when every event up to `r` is on stable storage (I14).
 *  2. Listeners get every durable event once, in order, whole batches at a time (I11).
 *  3. After a failed append nothing that was not durable remains: memory is dropped and folded again
 *     from the ledger. Nothing was promised.
 *
 * A command is decided when it arrives, not when its batch is written: later commands of the same
 * batch must see it, and deciding costs the same either way.
 */
export class Stream {
  /** The last revision that cannot be lost any more. */
  durable = 0
  /** The last fact that somebody may have to wait for: nobody does for refusals. */
  lastFact = 0
  state: State
  overlay: Overlay
  readonly name: string
  readonly clock: Clock
  private readonly ledger: Ledger
  private readonly tables: Tables
  private readonly batches: Batches
  private readonly settlement = new Settlement()
  private readonly recovery: Recovery
  private readonly writeBack: WriteBack
  private readonly listeners = new Set<(events: readonly Event[]) => void>()
  private readonly reloaded = new Set<() => void>()
  /** Where a load that broke off left the tables. */
  private tablesAt = 0
  private oldest = 1

  constructor(name: string, ledger: Ledger, tables: Tables, clock: Clock) {
    this.name = name
    this.clock = clock
    this.ledger = ledger
    this.tables = tables
    this.overlay = new Overlay(tables, 0)
    this.state = newState(name, this.overlay)
    this.recovery = new Recovery(clock)
    this.writeBack = new WriteBack(clock, this.overlay, 0)
    this.batches = new Batches(ledger, clock, {
      closing: (last, isAll) => {
        this.settlement.seal()
        if (isAll) this.writeBack.close(this.state, last)
      },
      stored: (events, last) => this.stored(events, last),
      failed: (error) => this.failed(error),
    })
  }

  async open(): Promise<void> {
    const head = await this.ledger.open()
    this.batches.begin(head.epoch)
    await this.load(this.tables.open(head.oldest === 1), head.revision, head.oldest)
  }

  /** Nobody sees the new state before it is whole. */
  private async load(tablesAt: number, revision: number, oldest: number): Promise<void> {
    const { state, overlay, snapshotAt } = await load(
      this.parts(),
      tablesAt,
      { revision, oldest },
      (at) => {
        this.tablesAt = at
      },
    )
    this.overlay = overlay
    this.state = state
    this.oldest = oldest
    this.durable = revision
    this.lastFact = revision
    this.writeBack.restart(overlay, snapshotAt)
  }

  private parts() {
    const { name, ledger, tables } = this
    return { name, ledger, tables }
  }

  /** Throws `StreamFailed` while the stream cannot take commands. */
  run(command: Command, moment: Moment, contents: readonly Attachment[] = none): Step {
    this.recovery.assertWritable()
    const result = step(this.state, command, moment)
    if (result.events.length > 0) this.gather(result.events, contents)
    return result
  }

  /** Adds a fact that needs no decision (a refusal). */
  record(draft: NewEvent, at: number): Event {
    this.recovery.assertWritable()
    const event = applied(this.state, draft, at)
    this.gather([event], none)
    return event
  }

  private gather(events: Event[], contents: readonly Attachment[]): void {
    if (contents.length > 0) {
      for (const { sha256, bytes } of contents) this.overlay.put('content', sha256, bytes)
      // Large ones may fill several batches: nobody waits for those that came later.
      this.settlement.seal()
    }
    if (events.some(({ kind }) => !UNAWAITED.has(kind))) {
      this.lastFact = this.state.revision
    }
    this.batches.add(events, contents)
  }

  /** There while what is in memory may not be what is stored. */
  get fault(): StreamFailed | undefined {
    return this.recovery.fault
  }

  /** Resolves when a fault is over; rejects when the try that is under way does not end it. */
  recovered(): Promise<void> {
    return this.recovery.recovered()
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
        if (seen > this.durable) await this.settled(seen)
      } catch (error) {
        if (error instanceof StreamFailed) continue
        throw error
      }
      if ('value' in found) return found.value
      throw found.refusal
    }
  }

  /** Resolves when everything up to `revision` is durable; rejects when it was dropped instead. */
  settled(revision: number): Promise<void> {
    if (revision <= this.durable) return done
    const { fault } = this
    if (fault !== undefined) return Promise.reject(fault)
    return this.settlement.until(revision, this.state.revision)
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

  private stored(events: readonly Event[], last: number): void {
    this.durable = last
    for (const listener of this.listeners) listener(events)
    this.settlement.settle(last)
    this.writeBack.follow(last)
  }

  private failed(error: Error): void {
    const unsettled = this.settlement.takeAll()
    // What had no room was not stored; of all else only reading tells.
    if (error instanceof LedgerFull) unsettled.lost(error)
    void this.recovery.begin(error, {
      read: (isOpened) => this.reload(unsettled, error, isOpened),
      gaveUp: () => unsettled.unknown(error),
    })
  }

  private async reload(unsettled: Unsettled, failure: Error, isOpened: boolean): Promise<void> {
    const known = this.durable
    let head = { revision: known, oldest: this.oldest }
    if (isOpened) {
      await this.ledger.close()
      const opened = await this.ledger.open()
      this.batches.begin(opened.epoch)
      head = opened
    }
    await this.load(Math.max(this.tablesAt, this.overlay.storedAt), head.revision, head.oldest)
    const inDoubt: Event[] = []
    if (this.durable > known) {
      for await (const { events } of this.history(known + 1, this.durable)) {
        inDoubt.push(...events.filter(({ revision }) => revision > known))
      }
    }
    this.recovery.ended()
    // Only what was read anew says what was stored; and before a new fact can take the number of one
    // that was not.
    unsettled.tell(this.durable, failure)
    for (const listener of this.reloaded) listener()
    // What was stored all the same is told like any other fact: a lock handed over, a turn that came.
    if (inDoubt.length > 0) for (const listener of this.listeners) listener(inDoubt)
  }

  /** Calls back after memory was dropped and folded again. */
  onReload(listener: () => void): void {
    this.reloaded.add(listener)
  }

  /**
   * Forgets facts before a revision, once the tables have what came of them, with a snapshot and on
   * stable storage; facts that came later than what could be made safe stay.
   * Nothing that a follower has not taken yet may be among them: see `Followers.oldestCursor`.
   */
  async trim(before: number): Promise<void> {
    const safe = this.writeBack.cut(this.state)
    await this.settled(safe)
    this.writeBack.writeAll(this.durable)
    if (this.overlay.storedAt < safe)
      throw new StreamFailed(new Error('The tables took no writes.'))
    this.tables.sync()
    await this.ledger.trim(Math.min(before, safe + 1))
    for await (const { first } of this.ledger.read(1)) {
      this.oldest = first
      break
    }
  }

  /** Writes what is gathered, then the tables and a snapshot, and lets go of the files. */
  async close(): Promise<void> {
    await this.batches.settled()
    this.recovery.stop()
    this.writeBack.stop()
    if (this.recovery.isRunning) this.writeBack.finish(this.state, this.durable)
    this.tables.close()
    await this.ledger.close()
  }
}

/** Nobody waits for their sync: the caller knows of a refusal, and the folder has what is kept of it. */
const UNAWAITED: ReadonlySet<EventKind> = new Set(['command-refused', 'contents-kept'])
const none: readonly Attachment[] = []
const done = Promise.resolve()
