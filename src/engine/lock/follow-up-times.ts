import type { Event } from '../../contract/events.ts'
import type { FollowUp } from '../../core/command.ts'
import { holdersInTheWay } from '../../core/lock/conflict.ts'
import type { Ticket } from '../../core/lock/table.ts'
import type { State } from '../../core/state.ts'
import { Wheel } from './timer-wheel.ts'

/**
 * What time will bring about besides the end of leases: recalls and their deadlines, the end of lock
 * delays and of drafts. Like the lease table it only proposes: `decideFollowUp` disposes, so an entry
 * may be too early or out of date, but never too late.
 *
 * A request that waits is looked at when it queues, and again when the next hold in its way has been
 * held for long; in a workspace with priorities also at each step of its age.
 */
export class FollowUpTimes {
  private wheels: Record<Kind, Wheel<number>>

  constructor(now: number) {
    this.wheels = wheelsFrom(now)
  }

  /** After a start, or when memory was dropped. */
  restart(state: State, now: number): void {
    this.wheels = wheelsFrom(now)
    const { locks, tickets, closed } = state.locks
    // Like a lease (locks §28): who was recalled could not act on it while nobody was there to ask.
    for (const { id, recall } of locks.values()) {
      if (recall === undefined) continue
      this.set('locks', id, Math.max(recall.deadline, now + recall.graceMs))
    }
    for (const id of tickets.keys()) this.set('tickets', id, now)
    for (const { id, closedUntil } of closed.values()) this.set('closed', id, closedUntil ?? now)
    for (const { id, until } of state.drafts.values()) this.set('drafts', id, until)
  }

  /** Follows facts when they are decided. */
  follow(event: Event): void {
    switch (event.kind) {
      case 'lock-queued':
        this.set('tickets', event.revision, event.at)
        break
      case 'lock-acquired':
      case 'lock-raised':
        if (event.ticket !== undefined) this.unset('tickets', event.ticket)
        break
      case 'ticket-left':
        this.unset('tickets', event.ticket)
        break
      case 'lock-recalled':
      case 'recall-extended':
        this.set('locks', event.lock, event.deadline)
        break
      case 'lock-handed-over': {
        const deadline = this.wheels.locks.at(event.lock)
        this.unset('locks', event.lock)
        if (deadline !== undefined) this.set('locks', event.revision, deadline)
        break
      }
      case 'lock-released':
        this.unset('locks', event.lock)
        if (event.closedUntil !== undefined) this.set('closed', event.lock, event.closedUntil)
        break
      case 'recall-ended':
        this.unset('locks', event.lock)
        break
      case 'lock-opened':
        this.unset('closed', event.lock)
        break
      case 'draft-kept':
        this.set('drafts', event.revision, event.until)
        break
      default:
    }
  }

  /** What may be due by now; undefined when that is nothing. */
  due(state: State, now: number): FollowUp | undefined {
    const found: FollowUp = { kind: 'follow-up', locks: [], tickets: [], closed: [], drafts: [] }
    for (const kind of KINDS) {
      for (const id of this.wheels[kind].take(now, AT_ONCE)) {
        found[kind].push(id)
        const ticket = kind === 'tickets' ? state.locks.tickets.get(id) : undefined
        if (ticket !== undefined) this.set(kind, id, nextLook(state, ticket, now))
        // Should the decision be lost with its batch, it is proposed again.
        else if (this.isOpen(state, kind, id)) this.set(kind, id, now + 1000)
      }
    }
    return KINDS.every((kind) => found[kind].length === 0) ? undefined : found
  }

  private isOpen(state: State, kind: Kind, id: number): boolean {
    if (kind === 'locks') return state.locks.locks.get(id)?.recall !== undefined
    return kind === 'closed' ? state.locks.closed.has(id) : state.drafts.has(id)
  }

  private set(kind: Kind, id: number, at: number): void {
    this.wheels[kind].set(id, at)
  }

  private unset(kind: Kind, id: number): void {
    this.wheels[kind].delete(id)
  }
}

const KINDS = ['locks', 'tickets', 'closed', 'drafts'] as const
type Kind = (typeof KINDS)[number]
const AT_ONCE = 1000

function wheelsFrom(now: number): Record<Kind, Wheel<number>> {
  const wheel = () => new Wheel<number>(now)
  return { locks: wheel(), tickets: wheel(), closed: wheel(), drafts: wheel() }
}

/** When a waiting request should be looked at again. */
function nextLook(state: State, ticket: Ticket, now: number): number {
  const { order, age_step_s, max_hold_s } = state.settings
  let next = now + 1000 * max_hold_s
  for (const item of ticket.items) {
    for (const { by } of holdersInTheWay(state.locks, item, [ticket.owner], LOOKED_AT)) {
      if (by.recall === undefined) next = Math.min(next, by.heldSince + 1000 * max_hold_s)
    }
  }
  if (order === 'priority') next = Math.min(next, now + 1000 * age_step_s)
  return Math.max(next, now + 1000)
}

const LOOKED_AT = 1000
