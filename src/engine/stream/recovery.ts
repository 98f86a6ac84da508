import { Fenced, LedgerBusy, LedgerDamaged, LedgerFull } from '../../store/ledger.ts'
import type { Clock } from '../clock.ts'
import { StreamFailed } from './stream-failed.ts'

/**
 * What a stream can do at the moment, and how it gets over a failure:
 *
 *   running ──append failed──► reading ──read anew──► running
 *      │                          │ └─not readable: again in half a second
 *      │                          └─damaged, or somebody else's─► failed
 *      ├──no room──► reading, and for half a second after that: paused (reads work, writes do not)
 *      └──fenced for good─► failed          fenced, and may come back ─► reading
 */
export type Condition =
  | { kind: 'running' }
  | { kind: 'reading'; cause: Error; attempt: Promise<void> }
  | { kind: 'failed'; cause: Error }

export class Recovery {
  private condition: Condition = { kind: 'running' }
  /** There was no room a moment ago. */
  private pause: LedgerFull | undefined
  private isStopped = false
  private readonly clock: Clock

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** There while what is in memory may not be what is stored. */
  get fault(): StreamFailed | undefined {
    const { condition } = this
    return condition.kind === 'running' ? undefined : new StreamFailed(condition.cause)
  }

  get isRunning(): boolean {
    return this.condition.kind === 'running'
  }

  /** Throws `StreamFailed` while nothing can be written. */
  assertWritable(): void {
    if (this.condition.kind !== 'running') throw new StreamFailed(this.condition.cause)
    if (this.pause !== undefined) throw new StreamFailed(this.pause)
  }

  /** Resolves when a fault is over; rejects when the try that is under way does not end it. */
  async recovered(): Promise<void> {
    const { condition } = this
    if (condition.kind === 'reading') {
      try {
        await condition.attempt
      } catch (error) {
        throw new StreamFailed(error as Error)
      }
    }
    const { fault } = this
    if (fault !== undefined) throw fault
  }

  /** An append failed. */
  async begin(cause: Error, { read, gaveUp }: Reading): Promise<void> {
    if (cause instanceof Fenced && !cause.mayReturn) {
      this.condition = { kind: 'failed', cause }
      gaveUp()
      return
    }
    if (cause instanceof LedgerFull) this.pauseWrites(cause)
    while (!this.isStopped) {
      // A failed sync says nothing about what the disk has; what had no room was not stored.
      const attempt = read(!(cause instanceof LedgerFull))
      this.condition = { kind: 'reading', cause, attempt }
      try {
        await attempt
        return
      } catch (error) {
        gaveUp()
        // A node that was fenced waits for its turn: until then the ledger is somebody else's.
        const isWaiting = cause instanceof Fenced && error instanceof LedgerBusy
        if (isFinal(error) && !isWaiting) {
          this.condition = { kind: 'failed', cause: error as Error }
          return
        }
        await new Promise<void>((resolve) => this.clock.after(RETRY_MS, resolve))
      }
    }
  }

  /** The state is what is stored again. */
  ended(): void {
    this.condition = { kind: 'running' }
  }

  stop(): void {
    this.isStopped = true
  }

  /** Each try on a full disk costs a fold of the ledger's end, so they are spread. */
  private pauseWrites(full: LedgerFull): void {
    this.pause = full
    this.clock.after(RETRY_MS, () => {
      this.pause = undefined
    })
  }
}

interface Reading {
  /** Reads the state anew. @param isOpened also what the ledger has, not only what was known of it */
  read(isOpened: boolean): Promise<void>
  /** Nobody can say what is stored, for now or for good. */
  gaveUp(): void
}

/** A disk that is full, or away, may come back; a ledger that somebody else has will not. */
function isFinal(error: unknown): boolean {
  if (error instanceof Fenced) return !error.mayReturn
  return error instanceof LedgerBusy || error instanceof LedgerDamaged
}

/** Between tries of what the disk did not take. */
const RETRY_MS = 500
