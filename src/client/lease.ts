import { LIMITS } from '../contract/limits.ts'
import { TransientMap } from '../contract/transient.ts'
import { type Runtime, systemRuntime } from './runtime.ts'

/**
 * Keeping locks alive (locks §30), on this machine's monotonic clock alone.
 *
 *   HELD ──one renewal missed──► SUSPECT ──TTL since the last good one was sent──► LOST
 *
 * The clock of a lock starts when the last call that renewed it was *sent*, so this client always
 * gives up before the server can. Any answered call of the session renews its locks; when nothing
 * was asked for a third of the shortest TTL, the keeper asks by itself. A server that has lost the
 * connection ends the session after a grace (locks §26), and a client may not notice that it is lost;
 * so a lock is sure for no longer than the grace, whatever its TTL.
 */
export class LeaseKeeper {
  private readonly leases = new TransientMap<string, Lease>()
  private readonly renew: (lock: string) => Promise<unknown>
  private readonly isLostError: (error: unknown) => boolean
  private readonly giveUp: (lock: string) => void
  private readonly runtime: Runtime
  private cancelTimer: (() => void) | undefined
  private lastSentAt = 0

  /** @param giveUp a lock was given up here; the server may hold it still, and renew it for ever */
  constructor(
    renew: (lock: string) => Promise<unknown>,
    isLostError: (error: unknown) => boolean,
    giveUp: (lock: string) => void,
    runtime: Runtime = systemRuntime,
  ) {
    this.runtime = runtime
    this.giveUp = giveUp
    this.renew = renew
    this.isLostError = isLostError
  }

  /** `sentAt`: when the call that was granted was sent, by the runtime's clock. */
  keep(lock: string, ttlMs: number, byActivity: boolean, sentAt: number, onLost: () => void): void {
    this.leases.set(lock, {
      lock,
      ttlMs,
      byActivity,
      goodAt: sentAt,
      onLost,
      isRenewing: false,
      isGiven: false,
    })
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

  /**
   * Makes a call that gives locks back. Until its answer nothing new is started under them: the call
   * may have been done already.
   * @param lock the one it is about; absent: whichever the server finds
   */
  async give<T>(lock: string | undefined, call: () => Promise<T>): Promise<T> {
    const given = [...this.leases.values()].filter((one) => lock === undefined || one.lock === lock)
    for (const lease of given) lease.isGiven = true
    let isDone = false
    try {
      const answer = await call()
      isDone = true
      return answer
    } finally {
      for (const lease of given) {
        if (isDone && lock !== undefined) this.leases.delete(lease.lock)
        // Only a renewal asked for from now on says whether it is still there: even a refusal may
        // come from a server that does not know whether its disk took it.
        else this.ask(lease, this.runtime.now(), true)
      }
    }
  }

  /** A call of this session that was sent then was answered: it renewed what activity renews. */
  heard(sentAt: number): void {
    if (sentAt > this.lastSentAt) this.lastSentAt = sentAt
  }

  state(lock: string): 'held' | 'suspect' | 'lost' {
    const lease = this.leases.get(lock)
    if (lease === undefined) return 'lost'
    const isLate = this.runtime.now() - this.goodAt(lease) > sureMs(lease) / 2
    return isLate || lease.isGiven ? 'suspect' : 'held'
  }

  stop(): void {
    this.cancelTimer?.()
    this.cancelTimer = undefined
    for (const lock of [...this.leases.keys()]) this.lose(lock)
  }

  private goodAt(lease: Lease): number {
    return lease.byActivity ? Math.max(lease.goodAt, this.lastSentAt) : lease.goodAt
  }

  private schedule(): void {
    if (this.cancelTimer !== undefined || this.leases.size === 0) return
    let shortest = Number.POSITIVE_INFINITY
    for (const lease of this.leases.values()) shortest = Math.min(shortest, sureMs(lease))
    const delayMs = Math.max(50, Math.min(shortest / 6, 1000))
    const sweep = (): void => {
      this.cancelTimer = undefined
      this.sweep()
      this.schedule()
    }
    // A program may end while it holds locks; the server sees the socket close.
    this.cancelTimer = this.runtime.after(delayMs, sweep, false)
  }

  private sweep(): void {
    const now = this.runtime.now()
    let isActivityAsked = false
    for (const lease of [...this.leases.values()]) {
      const age = now - this.goodAt(lease)
      if (age >= lease.ttlMs * LOST_AT) {
        this.lose(lease.lock)
        this.giveUp(lease.lock)
      } else if (age >= sureMs(lease) / 3 && !lease.isRenewing) {
        // One call renews all that activity renews.
        if (lease.byActivity && isActivityAsked) continue
        isActivityAsked ||= lease.byActivity
        this.ask(lease, now)
      }
    }
  }

  private ask(lease: Lease, sentAt: number, isProof = false): void {
    lease.isRenewing = true
    this.renew(lease.lock).then(
      () => {
        lease.isRenewing = false
        if (isProof) lease.isGiven = false
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
  /** A call that gives it back is under way, or may have been done. */
  isGiven: boolean
}

/** How long after a good answer was sent for the lock is surely there. */
function sureMs({ ttlMs }: Lease): number {
  return Math.min(ttlMs, LIMITS.disconnectGraceMs)
}

/** The part of the TTL after which this client gives up: the rest is for clocks that differ. */
const LOST_AT = 0.95
