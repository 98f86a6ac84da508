import type { Event } from '../../contract/events.ts'
import type { ExpireLocks } from '../../core/command.ts'
import type { Lock } from '../../core/lock/table.ts'

/**
 * Deadlines of locks (locks §25–28). Renewals are not facts: they live here, in memory. Only an
 * expiry is a fact, and it is decided: this table proposes, `decideExpire` disposes.
 *
 * Owns: when a session was last heard, and a wheel of one-second buckets, so that granting, renewing
 * and releasing cost the same with ten locks and a hundred thousand. A lock's bucket may be early,
 * never late: when it comes up, a lock that was renewed since moves on.
 *
 * After a start every lock gets its full TTL anew (locks §28): `restart` sets all clocks to now.
 */
export class LeaseTable {
  private readonly leases = new Map<number, Lease>()
  private readonly buckets = new Map<number, Set<Lease>>()
  private readonly heardAt = new Map<string, number>()
  private readonly startedAt: number
  private sweptTo: number

  constructor(now: number) {
    this.startedAt = now
    this.sweptTo = Math.floor(now / 1000)
  }

  restart(locks: Iterable<Lock>, now: number): void {
    this.leases.clear()
    this.buckets.clear()
    this.sweptTo = Math.floor(now / 1000)
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
    const due: ExpireLocks['locks'] = []
    const end = Math.floor(now / 1000)
    for (let second = this.sweptTo; second <= end; second++) {
      for (const lease of this.buckets.get(second) ?? []) {
        const deadline = this.deadline(lease)
        if (deadline > now) {
          if (Math.floor(deadline / 1000) !== second) this.place(lease)
          continue
        }
        if (due.length >= EXPIRED_AT_ONCE) return due
        const { lock, claim } = lease
        const renewedAt = claim?.from ?? this.renewedAt(lease)
        due.push({ lock: lock.id, renewedAt, unclaimed: claim !== undefined })
      }
      this.sweptTo = second
    }
    return due
  }

  get size(): number {
    return this.leases.size
  }

  private track(lock: Lock, now: number): void {
    this.forget(lock.id)
    const lease: Lease = { lock, renewedAt: now, claim: undefined, bucket: undefined }
    this.leases.set(lock.id, lease)
    this.place(lease)
  }

  private forget(lock: number): void {
    const lease = this.leases.get(lock)
    if (lease === undefined) return
    this.leases.delete(lock)
    this.unplace(lease)
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
    this.unplace(lease)
    const second = Math.max(Math.floor(this.deadline(lease) / 1000), this.sweptTo)
    let bucket = this.buckets.get(second)
    if (bucket === undefined) {
      bucket = new Set()
      this.buckets.set(second, bucket)
    }
    bucket.add(lease)
    lease.bucket = second
  }

  private unplace(lease: Lease): void {
    if (lease.bucket === undefined) return
    const bucket = this.buckets.get(lease.bucket)
    bucket?.delete(lease)
    if (bucket?.size === 0) this.buckets.delete(lease.bucket)
    lease.bucket = undefined
  }
}

interface Lease {
  lock: Lock
  renewedAt: number
  /** Milliseconds since 1970. */
  claim: { from: number; by: number } | undefined
  bucket: number | undefined
}

const EXPIRED_AT_ONCE = 1000
