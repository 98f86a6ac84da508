import type { Event } from '../../contract/events.ts'
import { TransientMap } from '../../contract/transient.ts'
import type { CancelSignal } from '../api.ts'
import type { Clock } from '../clock.ts'

/**
 * Calls that wait for a ticket (locks §10, §42). A grant wakes exactly the calls that wait for it;
 * nobody polls. A call that ends leaves nothing behind, the ticket keeps its place.
 */
export class TicketWaits {
  private readonly waits = new TransientMap<number, Set<() => void>>()
  private readonly clock: Clock

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** Resolves when the ticket is settled either way, the time is over, or the caller went away. */
  wait(ticket: number, ms: number, signal: CancelSignal | undefined): Promise<void> {
    if (ms <= 0 || signal?.aborted === true) return Promise.resolve()
    return new Promise((resolve) => {
      const finish = (): void => {
        cancel()
        signal?.removeEventListener('abort', finish)
        const waiting = this.waits.get(ticket)
        waiting?.delete(finish)
        if (waiting?.size === 0) this.waits.delete(ticket)
        resolve()
      }
      const cancel = this.clock.after(ms, finish)
      signal?.addEventListener('abort', finish)
      const waiting = this.waits.get(ticket)
      if (waiting === undefined) this.waits.set(ticket, new Set([finish]))
      else waiting.add(finish)
    })
  }

  /** Follows durable facts. Returns locks granted to tickets that no call waits for. */
  follow(events: readonly Event[]): number[] {
    const unclaimed: number[] = []
    for (const event of events) {
      if (event.kind === 'lock-acquired' || event.kind === 'lock-raised') {
        if (event.ticket === undefined) continue
        const isAwaited = this.wake(event.ticket)
        // Who had the lock already need not come for it, and must not lose what it had.
        if (!isAwaited && event.kind === 'lock-acquired') unclaimed.push(event.revision)
      } else if (event.kind === 'ticket-left') {
        this.wake(event.ticket)
      }
    }
    return unclaimed
  }

  wakeAll(): void {
    for (const ticket of [...this.waits.keys()]) this.wake(ticket)
  }

  private wake(ticket: number): boolean {
    const waiting = this.waits.get(ticket)
    if (waiting === undefined) return false
    for (const finish of [...waiting]) finish()
    return true
  }
}
