import type { EventOf } from '../../src/contract/events.ts'
import type { Disagree } from './disagree.ts'
import type { Facts, Held } from './facts.ts'
import { anyConflict } from './leaf.ts'

/** What may become of a hold after its grant: given back, lost, opened again, recalled. */
export class HoldRules {
  private readonly facts: Facts
  private readonly disagree: Disagree

  constructor(facts: Facts, disagree: Disagree) {
    this.facts = facts
    this.disagree = disagree
  }

  held({ kind, lock }: { kind: string; lock: number }): Held {
    const hold = this.facts.holds.get(lock)
    return hold ?? this.disagree('I2', `${kind} of L${lock}, which is not held`)
  }

  owned(event: { kind: string; lock: number; session: string }): Held {
    const hold = this.held(event)
    if (hold.session === event.session) return hold
    return this.disagree('I2', `${event.kind} of L${event.lock} by ${event.session}`)
  }

  release(event: EventOf<'lock-released'>): Held {
    const hold = this.held(event)
    const { reason, closedUntil, at } = event
    if (reason === 'released') this.owned(event)
    const delayMs = hold.delayMs ?? this.facts.settings.lock_delay_s * 1000
    const isLost = reason === 'expired' || reason === 'revoked' || reason === 'forced'
    const isKept = reason === 'released' || reason === 'unclaimed'
    const expected = delayMs > 0 ? at + delayMs : undefined
    const isWrong = isKept ? closedUntil !== undefined : isLost && closedUntil !== expected
    if (isWrong) {
      this.disagree('locks §31', `L${event.lock} (${reason}) is closed until ${closedUntil}`)
    }
    if (reason === 'revoked') this.revoke(hold, at)
    return hold
  }

  private revoke(hold: Held, at: number): void {
    const deadline = hold.recall?.deadline
    if (deadline === undefined || deadline > at) {
      this.disagree('locks §39', `L${hold.id} was revoked before its deadline ${deadline}`)
    }
    if (hold.recall?.reason !== 'supervisor' && !isWaitedFor(this.facts, hold)) {
      this.disagree('locks §39', `L${hold.id} was revoked, and nobody waits for it`)
    }
  }

  /** When its time is over, or when somebody who may takes it: the fact is that one's then. */
  open({ lock, at, session }: EventOf<'lock-opened'>): Held {
    const hold = this.facts.closed.get(lock)
    if (hold === undefined) return this.disagree('locks §31', `L${lock} is not closed`)
    if (session === hold.session && (hold.closedUntil ?? 0) > at) {
      this.disagree('locks §31', `L${lock} was opened before ${hold.closedUntil}`)
    }
    return hold
  }

  recall(event: EventOf<'lock-recalled'>): void {
    const hold = this.held(event)
    const { reason, deadline, at } = event
    const { recall_grace_s, max_hold_s } = this.facts.settings
    // A supervisor's takes the place of one that would end with the wait.
    if (hold.recall !== undefined && reason !== 'supervisor') {
      this.disagree('locks §38', `L${hold.id} is recalled already`)
    }
    const usual = this.facts.graceFrom(hold, at) + recall_grace_s * 1000
    if (reason !== 'supervisor' && deadline !== usual) {
      this.disagree('locks §38', `the deadline of L${hold.id} is ${deadline}`)
    }
    if (reason !== 'supervisor' && !isWaitedFor(this.facts, hold)) {
      this.disagree('locks §38', `L${hold.id} was recalled, and nobody waits for it`)
    }
    if (reason === 'max-hold' && at - hold.heldSince < max_hold_s * 1000) {
      this.disagree('locks §25', `L${hold.id} has not been held for ${max_hold_s} s`)
    }
  }

  extend(event: EventOf<'recall-extended'>): void {
    const { id, recall } = this.owned(event)
    if (recall === undefined) return this.disagree('locks §38', `L${id} is not recalled`)
    if (recall.isExtended) this.disagree('locks §38', `L${id} was extended before`)
    if (event.deadline !== recall.deadline + recall.graceMs) {
      this.disagree('locks §38', `L${id} was extended to ${event.deadline}`)
    }
  }

  recallEnds(event: EventOf<'recall-ended'>): void {
    const hold = this.held(event)
    const { id, recall } = hold
    if (recall === undefined) return this.disagree('locks §38', `L${id} is not recalled`)
    const isDue = recall.reason === 'supervisor' || isWaitedFor(this.facts, hold)
    if (event.at < recall.deadline || isDue) {
      this.disagree('locks §39', `the recall of L${id} (${recall.reason}) ended`)
    }
  }

  raise(event: EventOf<'lock-raised'>): Held {
    const hold = this.owned(event)
    if (event.ttlMs < hold.ttlMs) this.disagree('locks §28', `L${hold.id} is raised for less time`)
    return hold
  }
}

/** Somebody else waits in conflict with it. */
export function isWaitedFor(facts: Facts, hold: Held): boolean {
  return [...facts.tickets.values()].some(
    (one) => one.session !== hold.session && anyConflict(one.pieces, hold.pieces),
  )
}
