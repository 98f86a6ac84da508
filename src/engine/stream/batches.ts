import type { Event } from '../../contract/events.ts'
import type { Attachment, Ledger } from '../../store/ledger.ts'
import type { Clock } from '../clock.ts'
import { encodeEvents } from './codec.ts'

/** One batch that is on its way, and what comes of it. */
export interface BatchOutcome {
  /** Called before it is written. @param isAll whether all that was decided by now is in it */
  closing(last: number, isAll: boolean): void
  stored(events: readonly Event[], last: number): void
  failed(error: Error): void
}

/**
 * Group commit: what gathers while one batch is written is the next. One append is under way at a
 * time. No waiting for company: an idle stream commits a lone command at once.
 */
export class Batches {
  private readonly ledger: Ledger
  private readonly clock: Clock
  private readonly outcome: BatchOutcome
  private epoch = 0
  private gathering: Decided[] = []
  private isAppending = false
  private isScheduled = false
  /** Decisions in the last batch: more than one means that many arrive together. */
  private lastCount = 0
  private idle: (() => void)[] = []

  constructor(ledger: Ledger, clock: Clock, outcome: BatchOutcome) {
    this.ledger = ledger
    this.clock = clock
    this.outcome = outcome
  }

  /** Under the epoch that the ledger was opened with. */
  begin(epoch: number): void {
    this.epoch = epoch
  }

  add(events: Event[], contents: readonly Attachment[]): void {
    this.gathering.push({ events, contents })
    if (this.isAppending || this.isScheduled) return
    this.isScheduled = true
    const flush = (): void => {
      this.isScheduled = false
      this.flush()
    }
    // Under load, after all that has arrived by now: requests of many sockets share a batch. A lone
    // command does not wait for that turn of the event loop.
    if (this.lastCount > 1) this.clock.soon(flush)
    else queueMicrotask(flush)
  }

  private flush(): void {
    if (this.gathering.length === 0) return
    const batch = this.gathering.splice(0, this.next())
    this.lastCount = batch.length
    const events = batch.flatMap((one) => one.events)
    const attachments = batch.flatMap((one) => one.contents)
    const first = (events[0] as Event).revision
    const last = (events.at(-1) as Event).revision
    this.outcome.closing(last, this.gathering.length === 0)
    this.isAppending = true
    this.ledger
      .append(this.epoch, first - 1, { first, last, payload: encodeEvents(events), attachments })
      .then(
        () => this.stored(events, last),
        (error: Error) => this.failed(error),
      )
  }

  /**
   * How many decisions go with the next batch, by what the ledger takes. Whole ones only: what one
   * decision did is stored together or not at all, so that a large one goes alone.
   */
  private next(): number {
    const { batchEvents, batchBytes } = this.ledger.limits
    let events = 0
    let bytes = 0
    let count = 0
    for (const one of this.gathering) {
      const added = one.events.length
      const weight = weightOf(one)
      if (count > 0 && (events + added > batchEvents || bytes + weight > batchBytes)) break
      events += added
      bytes += weight
      count += 1
    }
    return count
  }

  private stored(events: readonly Event[], last: number): void {
    this.isAppending = false
    // The next batch is on its way before anybody hears of this one.
    this.flush()
    this.outcome.stored(events, last)
    this.tellIdle()
  }

  private failed(error: Error): void {
    this.gathering = []
    this.isAppending = false
    this.outcome.failed(error)
    this.tellIdle()
  }

  private tellIdle(): void {
    if (!this.isAppending) for (const resolve of this.idle.splice(0)) resolve()
  }

  /** Resolves when nothing is gathered or under way. */
  async settled(): Promise<void> {
    while (this.gathering.length > 0 || this.isAppending || this.isScheduled) {
      await new Promise<void>((resolve) => {
        this.idle.push(resolve)
        if (!this.isAppending && !this.isScheduled) this.flush()
      })
    }
  }
}

interface Decided {
  events: Event[]
  contents: readonly Attachment[]
}

/** About what a decision weighs, without packing its facts twice. */
function weightOf({ events, contents }: Decided): number {
  let bytes = 0
  for (const content of contents) bytes += content.bytes.length
  let items = 0
  for (const event of events) {
    items += event.kind === 'files-committed' ? event.changes.length : 1
  }
  return bytes + items * ITEM_BYTES
}

const ITEM_BYTES = 300
