import type { Event } from '../../contract/events.ts'
import { TransientMap } from '../../contract/transient.ts'
import type { FollowUp } from '../../core/command.ts'
import { holdersInTheWay } from '../../core/lock/conflict.ts'
import type { Ticket } from '../../core/lock/table.ts'
import type { State } from '../../core/state.ts'
import { type Placed, Wheel } from './timer-wheel.ts'

/**
 * What time will bring about besides the end of leases: recalls and their deadlines, the end of lock
 * delays and of drafts. Like the lease table it only proposes: `decideFollowUp` disposes, so an entry
 * may be too early or out of date, but never too late.
 *
 * A request that waits is looked at when it queues, and again when the next hold in its way has been
 * held for long; in a workspace with priorities also at each step of its age.
 */
export class FollowUpTimes {
  private wheel: Wheel<Due>
  private readonly known = { locks: byId(), tickets: byId(), closed: byId(), drafts: byId() }

  constructor(now: number) {
    this.wheel = new Wheel(now)
  }

  /** After a start, or when memory was dropped. */
  restart(state: State, now: number): void {
    this.wheel = new Wheel(now)
    for (const known of Object.values(this.known)) known.clear()
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
        const deadline = this.known.locks.get(event.lock)?.at
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
    const taken = this.wheel.take(now, AT_ONCE)
    if (taken.length === 0) return undefined
    const found: FollowUp = { kind: 'follow-up', locks: [], tickets: [], closed: [], drafts: [] }
    for (const { kind, id } of taken) {
      found[kind].push(id)
      const ticket = kind === 'tickets' ? state.locks.tickets.get(id) : undefined
      if (ticket !== undefined) this.set(kind, id, nextLook(state, ticket, now))
      // Should the decision be lost with its batch, it is proposed again.
      else if (this.isOpen(state, kind, id)) this.set(kind, id, now + 1000)
      else this.unset(kind, id)
    }
    return found
  }

  private isOpen(state: State, kind: Kind, id: number): boolean {
    if (kind === 'locks') return state.locks.locks.get(id)?.recall !== undefined
    return kind === 'closed' ? state.locks.closed.has(id) : state.drafts.has(id)
  }

  private set(kind: Kind, id: number, at: number): void {
    let due = this.known[kind].get(id)
    if (due === undefined) {
      due = { kind, id, at, second: undefined }
      this.known[kind].set(id, due)
    }
    this.wheel.place(due, at)
  }

  private unset(kind: Kind, id: number): void {
    const due = this.known[kind].get(id)
    if (due === undefined) return
    this.known[kind].delete(id)
    this.wheel.drop(due)
  }
}

type Kind = 'locks' | 'tickets' | 'closed' | 'drafts'

interface Due extends Placed {
  kind: Kind
  id: number
}

function byId(): TransientMap<number, Due> {
  return new TransientMap()
}

const AT_ONCE = 1000

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
