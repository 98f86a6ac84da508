/**
 * Keeping locks alive (locks §30), on this machine's monotonic clock alone.
 *
 *   HELD ──one renewal missed──► SUSPECT ──TTL since the last good one was sent──► LOST
 *
 * The clock of a lock starts when the last call that renewed it was *sent*, so this client always
 * gives up before the server can. Any answered call of the session renews its locks; when nothing
 * was asked for a third of the shortest TTL, the keeper asks by itself.
 */
export class LeaseKeeper {
  private readonly leases = new Map<string, Lease>()
  private readonly renew: (lock: string) => Promise<unknown>
  private readonly isLostError: (error: unknown) => boolean
  private timer: ReturnType<typeof setTimeout> | undefined
  private lastSentAt = 0

  constructor(renew: (lock: string) => Promise<unknown>, isLostError: (error: unknown) => boolean) {
    this.renew = renew
    this.isLostError = isLostError
  }

  /** `sentAt`: when the call that was granted was sent, by `performance.now()`. */
  keep(lock: string, ttlMs: number, byActivity: boolean, sentAt: number, onLost: () => void): void {
    this.leases.set(lock, { lock, ttlMs, byActivity, goodAt: sentAt, onLost, isRenewing: false })
    this.schedule()
  }

  drop(lock: string): void {
    this.leases.delete(lock)
  }

  lose(lock: string): void {
    const lease = this.leases.get(lock)
    if (lease === undefined) return
    this.leases.delete(lock)
    lease.onLost()
  }

  /** A call of this session that was sent then was answered: it renewed what activity renews. */
  heard(sentAt: number): void {
    if (sentAt > this.lastSentAt) this.lastSentAt = sentAt
  }

  state(lock: string): 'held' | 'suspect' | 'lost' {
    const lease = this.leases.get(lock)
    if (lease === undefined) return 'lost'
    return performance.now() - this.goodAt(lease) > lease.ttlMs / 2 ? 'suspect' : 'held'
  }

  stop(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    for (const lock of [...this.leases.keys()]) this.lose(lock)
  }

  private goodAt(lease: Lease): number {
    return lease.byActivity ? Math.max(lease.goodAt, this.lastSentAt) : lease.goodAt
  }

  private schedule(): void {
    if (this.timer !== undefined || this.leases.size === 0) return
    let shortest = Number.POSITIVE_INFINITY
    for (const { ttlMs } of this.leases.values()) shortest = Math.min(shortest, ttlMs)
    this.timer = setTimeout(
      () => {
        this.timer = undefined
        this.sweep()
        this.schedule()
      },
      Math.max(50, Math.min(shortest / 6, 1000)),
    )
    // A program may end while it holds locks; the server sees the socket close.
    if (typeof this.timer === 'object') this.timer.unref?.()
  }

  private sweep(): void {
    const now = performance.now()
    let isActivityAsked = false
    for (const lease of [...this.leases.values()]) {
      const age = now - this.goodAt(lease)
      if (age >= lease.ttlMs * LOST_AT) {
        this.lose(lease.lock)
      } else if (age >= lease.ttlMs / 3 && !lease.isRenewing) {
        // One call renews all that activity renews.
        if (lease.byActivity && isActivityAsked) continue
        isActivityAsked ||= lease.byActivity
        this.ask(lease, now)
      }
    }
  }

  private ask(lease: Lease, sentAt: number): void {
    lease.isRenewing = true
    this.renew(lease.lock).then(
      () => {
        lease.isRenewing = false
        lease.goodAt = Math.max(lease.goodAt, sentAt)
        this.heard(sentAt)
      },
      (error: unknown) => {
        lease.isRenewing = false
        if (this.isLostError(error)) this.lose(lease.lock)
      },
    )
  }
}

interface Lease {
  lock: string
  ttlMs: number
  byActivity: boolean
  goodAt: number
  onLost: () => void
  isRenewing: boolean
}

/** The part of the TTL after which this client gives up: the rest is for clocks that differ. */
const LOST_AT = 0.95
