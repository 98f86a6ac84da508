import type { Event } from '../../contract/events.ts'
import { TransientMap } from '../../contract/transient.ts'

/**
 * How long requests waited, by path (locks §44), since this server started: a fold over the stream
 * that nothing is decided by. Of the paths most lately waited for, `PATHS`.
 */
export class WaitStatistics {
  private readonly waiting = new TransientMap<number, { at: number; paths: string[] }>()
  private readonly paths = new Map<string, PathWaits>()

  follow(event: Event): void {
    if (event.kind === 'lock-queued') {
      const paths = [...new Set(event.items.map((item) => item.path))]
      this.waiting.set(event.revision, { at: event.at, paths })
    } else if (event.kind === 'ticket-left') {
      this.waiting.delete(event.ticket)
    } else if (event.kind === 'lock-acquired' || event.kind === 'lock-raised') {
      const waited = event.ticket === undefined ? undefined : this.waiting.get(event.ticket)
      if (waited === undefined) return
      this.waiting.delete(event.ticket as number)
      for (const path of waited.paths) this.count(path, event.at - waited.at)
    }
  }

  private count(path: string, waitedMs: number): void {
    const known = this.paths.get(path) ?? { waits: 0, totalMs: 0, longestMs: 0 }
    this.paths.delete(path)
    this.paths.set(path, {
      waits: known.waits + 1,
      totalMs: known.totalMs + waitedMs,
      longestMs: Math.max(known.longestMs, waitedMs),
    })
    if (this.paths.size <= PATHS) return
    // Many at a time: asking a Map for its oldest key over and over walks what was deleted before.
    let drop = PATHS / 10
    for (const old of this.paths.keys()) {
      if (drop-- === 0) break
      this.paths.delete(old)
    }
  }

  /** The paths with the most waiting time first. */
  list(): [path: string, waits: PathWaits][] {
    return [...this.paths].sort(([, a], [, b]) => b.totalMs - a.totalMs)
  }
}

export interface PathWaits {
  waits: number
  totalMs: number
  longestMs: number
}

const PATHS = 1000
