import type { Event } from '../../src/contract/events.ts'
import type { FollowUp } from '../../src/core/command.ts'
import type { Facts, Held, Ticket } from './facts.ts'
import { isWaitedFor } from './hold.ts'
import { holdsInTheWay } from './queue.ts'

/** What time brings about of holds (record 0008 no. 21–24), as far as a follow-up names them. */
export function dueIn(facts: Facts, { locks, tickets, closed }: FollowUp, at: number): Set<string> {
  const due = new Map<number, string>()
  for (const id of locks) {
    const hold = facts.holds.get(id)
    const what = hold && dueOf(facts, hold, at)
    if (what !== undefined) due.set(id, what)
  }
  const preferred = new Map(facts.preferred)
  for (const id of tickets) {
    const ticket = facts.tickets.get(id)
    if (ticket === undefined) continue
    for (const [hold, reason] of recalledFor(facts, ticket, at, preferred)) {
      if (!due.has(hold.id)) due.set(hold.id, `lock-recalled ${reason}`)
    }
  }
  for (const id of closed) {
    const until = facts.closed.get(id)?.closedUntil
    if (until !== undefined && at >= until) due.set(id, 'lock-opened')
  }
  return new Set([...due].map(([id, what]) => `${what} L${id}`))
}

/** The same of what was decided. */
export function cameDue(events: readonly Event[]): Set<string> {
  const came = new Set<string>()
  for (const event of events) {
    if (event.kind === 'recall-ended' || event.kind === 'lock-opened') {
      came.add(`${event.kind} L${event.lock}`)
    } else if (event.kind === 'lock-recalled' || event.kind === 'lock-released') {
      came.add(`${event.kind} ${event.reason} L${event.lock}`)
    }
  }
  return came
}

function dueOf(facts: Facts, hold: Held, at: number): string | undefined {
  const { recall } = hold
  if (recall === undefined) {
    const isDue = isHeldLong(facts, hold, at) && isWaitedFor(facts, hold)
    return isDue ? 'lock-recalled max-hold' : undefined
  }
  if (at < recall.deadline) return undefined
  const isRevoked = recall.reason === 'supervisor' || isWaitedFor(facts, hold)
  return isRevoked ? 'lock-released revoked' : 'recall-ended'
}

function isHeldLong({ settings }: Facts, { heldSince }: Held, at: number): boolean {
  return at - heldSince >= settings.max_hold_s * 1000
}

/** What one that waits may have recalled, and why; notes for whom it was as more urgent. */
function recalledFor(
  facts: Facts,
  ticket: Ticket,
  at: number,
  preferred: Map<string, number>,
): Map<Held, 'max-hold' | 'priority'> {
  const { order, age_step_s, recall_margin, recall_cooldown_s } = facts.settings
  const last = preferred.get(ticket.agent)
  const isCool = last === undefined || at - last >= recall_cooldown_s * 1000
  const steps = Math.max(0, Math.floor((at - ticket.since) / (age_step_s * 1000)))
  const urgency = (ticket.priority ?? 5) + steps
  const recalled = new Map<Held, 'max-hold' | 'priority'>()
  for (const hold of ticket.pieces.flatMap((one) => holdsInTheWay(facts, ticket.session, one))) {
    if (hold.recall !== undefined || hold.closedUntil !== undefined) continue
    const isUrgent =
      order === 'priority' && isCool && urgency >= (hold.priority ?? 5) + recall_margin
    if (isHeldLong(facts, hold, at)) recalled.set(hold, 'max-hold')
    else if (isUrgent) {
      recalled.set(hold, 'priority')
      preferred.set(ticket.agent, at)
    }
  }
  return recalled
}
