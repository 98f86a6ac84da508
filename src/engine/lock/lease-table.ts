import type { Event } from '../../contract/events.ts'
import { TransientMap } from '../../contract/transient.ts'
import type { ExpireLocks } from '../../core/command.ts'
import type { Lock } from '../../core/lock/table.ts'
import { type Placed, Wheel } from './timer-wheel.ts'

/**
 * Deadlines of locks (locks §25–28). Renewals are not facts: they live here, in memory. Only an
 * expiry is a fact, and it is decided: this table proposes, `decideExpire` disposes.
 *
 * Owns: when a session was last heard, and a wheel of what may be over. A lock's turn in it may be
 * early, never late: when it comes up, a lock that was renewed since moves on. One that is proposed
 * stays due until it is decided.
 *
 * After a start every lock gets its full TTL anew (locks §28): `restart` sets all clocks to now.
 */
export class LeaseTable {
  private readonly leases = new TransientMap<number, Lease>()
  private wheel: Wheel<Lease>
  private readonly heardAt = new Map<string, number>()
  private readonly startedAt: number

  constructor(now: number) {
    this.startedAt = now
    this.wheel = new Wheel(now)
  }

  restart(locks: Iterable<Lock>, now: number): void {
    this.leases.clear()
    this.wheel = new Wheel(now)
    for (const lock of locks) this.track(lock, now)
  }

  /** Follows the facts about locks, when they are decided. */
  follow(event: Event, locks: ReadonlyMap<number, Lock>, now: number): void {
    if (event.kind === 'lock-acquired') {
      const lock = locks.get(event.revision)
      if (lock !== undefined) this.track(lock, now)
    } else if (event.kind === 'lock-raised') {
      const lock = locks.get(event.lock)
      if (lock !== undefined) this.track(lock, now)
    } else if (event.kind === 'lock-released') {
      this.forget(event.lock)
    } else if (event.kind === 'lock-handed-over') {
      this.forget(event.lock)
      const lock = locks.get(event.revision)
      if (lock !== undefined) this.track(lock, now)
    }
  }

  /** Any call of a session renews its locks, save those that ask for explicit renewal. */
  heard(session: string, now: number): void {
    this.heardAt.set(session, now)
  }

  lastHeard(session: string): number | undefined {
    return this.heardAt.get(session)
  }

  forgetSession(session: string): void {
    this.heardAt.delete(session)
  }

  renew(lock: number, now: number): void {
    const lease = this.leases.get(lock)
    if (lease !== undefined) lease.renewedAt = now
  }

  /**
   * Granted through a queue with nobody there to take it: it passes on unless claimed in time. Of a
   * session that was not heard since the server started nobody saw whether it went away meanwhile;
   * its time runs from the start, so that what a crash left in a queue does not hold it up one by one.
   */
  awaitClaim(lock: number, now: number, windowMs: number): void {
    const lease = this.leases.get(lock)
    if (lease === undefined) return
    const from = this.heardAt.has(lease.lock.owner.session) ? now : this.startedAt
    lease.claim = { from, by: from + Math.min(windowMs, lease.lock.ttlMs) }
    this.place(lease)
  }

  /** Whether somebody's turn came and nobody has come for it yet. */
  isUnclaimed(lock: number): boolean {
    return this.leases.get(lock)?.claim !== undefined
  }

  claim(lock: number, now: number): void {
    const lease = this.leases.get(lock)
    if (lease?.claim === undefined) return
    lease.claim = undefined
    lease.renewedAt = now
  }

  /** Milliseconds since 1970; 0 for a lock that is not held. */
  expiresAt(lock: number): number {
    const lease = this.leases.get(lock)
    return lease === undefined ? 0 : this.deadline(lease)
  }

  /** At most 1,000 locks whose time is up (locks §27: expiry is spread). */
  due(now: number): ExpireLocks['locks'] {
    const due: Lease[] = []
    // Those that were renewed since cost a look only, and must not hold up the others.
    for (;;) {
      const taken = this.wheel.take(now, EXPIRED_AT_ONCE - due.length)
      for (const lease of taken) {
        const deadline = this.deadline(lease)
        if (deadline <= now) due.push(lease)
        else this.wheel.place(lease, deadline)
      }
      if (taken.length === 0 || due.length === EXPIRED_AT_ONCE) break
    }
    // Until that is decided.
    for (const lease of due) this.wheel.place(lease, now)
    return due.map((lease) => {
      const { lock, claim } = lease
      const renewedAt = claim?.from ?? this.renewedAt(lease)
      return { lock: lock.id, renewedAt, unclaimed: claim !== undefined }
    })
  }

  get size(): number {
    return this.leases.size
  }

  private track(lock: Lock, now: number): void {
    this.forget(lock.id)
    const lease: Lease = { lock, renewedAt: now, claim: undefined, at: now, second: undefined }
    this.leases.set(lock.id, lease)
    this.place(lease)
  }

  private forget(lock: number): void {
    const lease = this.leases.get(lock)
    if (lease === undefined) return
    this.leases.delete(lock)
    this.wheel.drop(lease)
  }

  private renewedAt(lease: Lease): number {
    const { lock, renewedAt } = lease
    if (lock.renew === 'explicit') return renewedAt
    return Math.max(renewedAt, this.heardAt.get(lock.owner.session) ?? 0)
  }

  private deadline(lease: Lease): number {
    return lease.claim?.by ?? this.renewedAt(lease) + lease.lock.ttlMs
  }

  private place(lease: Lease): void {
    this.wheel.place(lease, this.deadline(lease))
  }
}

interface Lease extends Placed {
  lock: Lock
  renewedAt: number
  /** Milliseconds since 1970. */
  claim: { from: number; by: number } | undefined
}

const EXPIRED_AT_ONCE = 1000
