import type { State } from '../../core/state.ts'
import type { Clock } from '../clock.ts'
import type { Overlay } from './overlay.ts'
import { takeSnapshot } from './snapshot.ts'

/**
 * Brings what is durable into the tables, a generation of the overlay a turn, so that requests get in
 * between; now and then with a snapshot of what lives in memory, so that a start folds only the tail.
 */
export class WriteBack {
  private readonly clock: Clock
  private isUnderWay = false
  private isStopped = false
  private durable = 0
  private overlay: Overlay
  private snapshotAt: number

  constructor(clock: Clock, overlay: Overlay, snapshotAt: number) {
    this.clock = clock
    this.overlay = overlay
    this.snapshotAt = snapshotAt
  }

  /** Goes on with an overlay that was read anew. */
  restart(overlay: Overlay, snapshotAt: number): void {
    this.overlay = overlay
    this.snapshotAt = snapshotAt
  }

  /** All that is decided leads to `revision`: between two decisions, so the overlay may be cut here. */
  close(state: State, revision: number): void {
    if (!this.overlay.isFull) return
    if (revision - this.snapshotAt >= SNAPSHOT_EVENTS) this.addSnapshot(state, revision)
    this.overlay.freeze(revision)
  }

  private addSnapshot(state: State, revision: number): void {
    this.overlay.put('state', 'snapshot', takeSnapshot(state))
    this.snapshotAt = revision
  }

  /** All that is decided by now, with a snapshot, as one generation. Gives its revision. */
  cut(state: State): number {
    this.addSnapshot(state, state.revision)
    this.overlay.freeze(state.revision)
    return state.revision
  }

  writeAll(durable: number): void {
    writeBackAll(this.overlay, durable)
  }

  follow(durable: number): void {
    this.durable = durable
    if (this.isUnderWay || !this.overlay.hasFrozen) return
    this.isUnderWay = true
    this.clock.soon(() => this.writeOne())
  }

  private writeOne(): void {
    this.isUnderWay = false
    if (this.isStopped) return
    try {
      if (this.overlay.writeBack(this.durable)) this.follow(this.durable)
    } catch {
      // The ledger has it all; the tables get it when their disk takes it.
      this.isUnderWay = true
      this.clock.after(RETRY_MS, () => this.writeOne())
    }
  }

  stop(): void {
    this.isStopped = true
  }

  /** Everything up to `durable`, which is all there is, with a snapshot. */
  finish(state: State, durable: number): void {
    if (durable > this.snapshotAt) this.addSnapshot(state, durable)
    if (this.overlay.isEmpty) return
    this.overlay.freeze(durable)
    writeBackAll(this.overlay, durable)
  }
}

export function writeBackAll(overlay: Overlay, durable: number): void {
  try {
    while (overlay.writeBack(durable));
  } catch {
    // Without room for the tables it stays in memory; a start folds on from where they stand.
  }
}

const RETRY_MS = 500
/** So many facts at most are folded at a start. */
const SNAPSHOT_EVENTS = 50_000
