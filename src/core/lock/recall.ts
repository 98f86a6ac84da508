import { refuse } from '../../contract/errors.ts'
import type { NewEvent, Settings } from '../../contract/events.ts'
import { isoTime } from '../../contract/time.ts'
import type { ExtendRecall, FollowUp, Moment, RecallLock } from '../command.ts'
import { type Decision, decided, refused } from '../decision.ts'
import type { State } from '../state.ts'
import { holdersInTheWay, isWaitedFor } from './conflict.ts'
import { effectivePriority, USUAL_PRIORITY } from './order.ts'
import { ownLock, seenLock } from './own-locks.ts'
import { lostRelease } from './release.ts'
import type { Lock, Owner, Recall, Ticket } from './table.ts'

/**
 * Recall (locks §38–39, record 0008 no. 21–24): a holder is told until when to give back.
 *
 *   held ──recalled──► recalled ──given back, lowered, nobody waits──► as it was
 *                         │└─extended once─┘
 *                         └──deadline──► revoked: that one hold, nothing else of its owner
 *
 * Nothing here looks at a clock: the engine says what may be due (`follow-up`), and this decides.
 */
export function recallEvent(
  state: State,
  lock: Lock,
  at: number,
  why: { reason: Recall['reason']; by?: Owner; told?: string; graceMs?: number },
): NewEvent {
  const { settings } = state
  const graceMs = why.graceMs ?? 1000 * settings.recall_grace_s
  return {
    kind: 'lock-recalled',
    agent: why.by?.agent ?? lock.owner.agent,
    session: why.by?.session ?? lock.owner.session,
    lock: lock.id,
    reason: why.reason,
    deadline: graceFrom(settings, lock, at) + graceMs,
    ...(why.by === undefined ? {} : { for: why.by.agent }),
    ...(why.told === undefined ? {} : { why: why.told }),
  }
}

/** When the grace of a recall begins: a minimum hold comes first (locks §38). */
export function graceFrom(settings: Settings, lock: Lock, at: number): number {
  return Math.max(at, lock.grantedAt + 1000 * settings.minimum_hold_s)
}

export function decideRecall(state: State, command: RecallLock, moment: Moment): Decision {
  const { actor, reason, graceMs } = command
  const lock = seenLock(state, actor, command.lock)
  if ('code' in lock) return refused(lock)
  const why = {
    reason: 'supervisor',
    told: reason,
    ...(graceMs === undefined ? {} : { graceMs }),
  } as const
  const draft = recallEvent(state, lock, moment.at, why)
  return decided([{ ...draft, agent: actor.agent, session: actor.session }])
}

export function decideExtend(state: State, command: ExtendRecall): Decision {
  const { actor } = command
  const lock = ownLock(state, actor, command.lock)
  if ('code' in lock) return refused(lock)
  const { recall } = lock
  if (recall === undefined) {
    const fields = [{ field: 'id', fault: 'there is no recall to extend' }]
    const detail = `L${lock.id} is not recalled; keep it as long as you need.`
    return refused(refuse('invalid_request', detail, { fields }))
  }
  if (recall.isExtended) {
    const deadline = isoTime(recall.deadline)
    const detail = `L${lock.id} was extended once already. Finish and release it before ${deadline}.`
    return refused(
      refuse('too_many', detail, { limit: 'recall_extensions', limit_value: 1, deadline }),
    )
  }
  const { agent, session } = actor
  const deadline = recall.deadline + recall.graceMs
  return decided([{ kind: 'recall-extended', agent, session, lock: lock.id, deadline }])
}

/** Time went by: what that brought about, of what the engine names. */
export function decideFollowUp(state: State, command: FollowUp, moment: Moment): Decision {
  const { at } = moment
  const events: NewEvent[] = []
  const recalled = new Set<Lock>()
  for (const id of command.locks) {
    const lock = state.locks.locks.get(id)
    const due = lock === undefined ? undefined : lockDue(state, lock, at)
    if (lock === undefined || due === undefined) continue
    recalled.add(lock)
    events.push(due)
  }
  const preferred = new Map<string, number>()
  for (const id of command.tickets) {
    const ticket = state.locks.tickets.get(id)
    if (ticket === undefined) continue
    for (const lock of recalledFor(state, ticket, at, preferred)) {
      if (recalled.has(lock)) continue
      recalled.add(lock)
      const reason = isHeldLong(state, lock, at) ? 'max-hold' : 'priority'
      events.push(recallEvent(state, lock, at, { reason, by: ticket.owner }))
    }
  }
  for (const id of command.closed) {
    const closed = state.locks.closed.get(id)
    if (closed?.closedUntil === undefined || at < closed.closedUntil) continue
    const { agent, session } = closed.owner
    events.push({ kind: 'lock-opened', agent, session, lock: id })
  }
  for (const id of command.drafts) {
    const draft = state.drafts.get(id)
    if (draft === undefined || at < draft.until) continue
    events.push({ kind: 'draft-dropped', agent: draft.agent, session: draft.session, draft: id })
  }
  return decided(events)
}

function lockDue(state: State, lock: Lock, at: number): NewEvent | undefined {
  const { recall } = lock
  const isWaited = isWaitedFor(state.locks, lock)
  if (recall === undefined) {
    if (!isHeldLong(state, lock, at) || !isWaited) return undefined
    return recallEvent(state, lock, at, { reason: 'max-hold' })
  }
  if (at < recall.deadline) return undefined
  if (recall.reason === 'supervisor' || isWaited) return lostRelease(state, lock, 'revoked', at)
  const { agent, session } = lock.owner
  return { kind: 'recall-ended', agent, session, lock: lock.id }
}

function isHeldLong(state: State, lock: Lock, at: number): boolean {
  return at >= lock.heldSince + 1000 * state.settings.max_hold_s
}

/** Holds that a waiter may have recalled by now. */
function recalledFor(
  state: State,
  ticket: Ticket,
  at: number,
  preferred: Map<string, number>,
): Lock[] {
  const { settings, locks: table } = state
  const { agent } = ticket.owner
  const last = preferred.get(agent) ?? table.preferred.get(agent)
  const isCool = last === undefined || at >= last + 1000 * settings.recall_cooldown_s
  const urgency = effectivePriority(settings, ticket, at)
  const found = new Set<Lock>()
  for (const item of ticket.items) {
    const limit = Number.POSITIVE_INFINITY
    for (const { by: lock } of holdersInTheWay(table, item, [ticket.owner], limit)) {
      if (lock.recall !== undefined || lock.closedUntil !== undefined) continue
      const isUrgent =
        settings.order === 'priority' &&
        isCool &&
        urgency >= (lock.priority ?? USUAL_PRIORITY) + settings.recall_margin
      if (isUrgent && !isHeldLong(state, lock, at)) preferred.set(agent, at)
      if (isUrgent || isHeldLong(state, lock, at)) found.add(lock)
    }
  }
  return [...found]
}
