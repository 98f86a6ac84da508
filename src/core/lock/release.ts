import { refuse } from '../../contract/errors.ts'
import type { NewEvent } from '../../contract/events.ts'
import { optional } from '../../contract/optional.ts'
import { maySupervise } from '../agent/rights.ts'
import type {
  EndSession,
  ExpireLocks,
  LeaveQueue,
  Moment,
  ReleaseAll,
  ReleaseLock,
} from '../command.ts'
import { type Decision, decided, nothing, refused } from '../decision.ts'
import { maySee } from '../file/permit.ts'
import type { State } from '../state.ts'
import { seenLock } from './own-locks.ts'
import type { Lock, Ticket } from './table.ts'

type LossReason = 'expired' | 'unclaimed' | 'session-ended' | 'revoked' | 'forced'

/** How holds and tickets end. Waking the next in line is the same decision: see step.ts. */

export function decideRelease(state: State, command: ReleaseLock, moment: Moment): Decision {
  const { actor, force } = command
  if (force && !maySupervise(actor.role)) {
    const detail = 'Only supervisors and people may take a lock from its holder.'
    return refused(refuse('forbidden', detail, { needed: 'supervisor' }))
  }
  if (force && command.reason === undefined) {
    const fields = [{ field: 'reason', fault: 'needed with force' }]
    const detail = 'Say why: "reason" is recorded in the audit.'
    return refused(refuse('invalid_request', detail, { fields }))
  }
  const lock = seenLock(state, actor, command.lock)
  if ('code' in lock) {
    const { agent, session } = actor
    const isClosed = force && state.locks.closed.has(command.lock)
    // Giving back what is gone already is no error: the caller wanted it gone.
    return isClosed
      ? decided([{ kind: 'lock-opened', agent, session, lock: command.lock }])
      : nothing
  }
  if (!force && lock.owner.session !== actor.session) {
    const { agent, session } = lock.owner
    const detail = `L${lock.id} belongs to ${agent} (session ${session}), not to you.`
    return refused(refuse('forbidden', detail, { owner: agent, session }))
  }
  if (lock.owner.session === actor.session) {
    return decided([released(lock, command.reason)])
  }
  return decided([
    {
      ...lostRelease(state, lock, 'forced', moment.at),
      agent: actor.agent,
      session: actor.session,
      by: actor.agent,
      ...optional('why', command.reason),
    },
  ])
}

function released(lock: Lock, why?: string): NewEvent {
  const { agent, session } = lock.owner
  return {
    kind: 'lock-released',
    agent,
    session,
    lock: lock.id,
    reason: 'released',
    ...optional('why', why),
  }
}

function left(
  { id, owner: { agent, session } }: Ticket,
  reason: 'left' | 'session-ended',
): NewEvent {
  return { kind: 'ticket-left', agent, session, ticket: id, reason }
}

/** A hold that ends against its holder's will, or without its knowledge (locks §31). */
export function lostRelease(
  state: State,
  lock: Lock,
  reason: LossReason,
  at: number,
): NewEvent & { kind: 'lock-released' } {
  const { agent, session } = lock.owner
  const delayMs = lock.delayMs ?? 1000 * state.settings.lock_delay_s
  const isClosed = delayMs > 0 && reason !== 'unclaimed'
  return {
    kind: 'lock-released',
    agent,
    session,
    lock: lock.id,
    reason,
    ...(isClosed ? { closedUntil: at + delayMs } : {}),
  }
}

export function decideReleaseAll(state: State, command: ReleaseAll): Decision {
  const owner = state.locks.owners.get(command.actor.session)
  if (owner === undefined) return nothing
  const tickets = [...owner.tickets].map((ticket) => left(ticket, 'left'))
  const locks = [...owner.locks].map((lock) => released(lock))
  return decided([...tickets, ...locks], { released: locks.length, left: tickets.length })
}

export function decideLeave(state: State, command: LeaveQueue): Decision {
  const { session } = command.actor
  const ticket = state.locks.tickets.get(command.ticket)
  const lock = state.locks.byTicket.get(command.ticket)
  const asked = ticket ?? lock
  const { owner } = asked ?? {}
  if (asked !== undefined && owner !== undefined && owner.session !== session) {
    if (!maySee(state, command.actor, asked)) return nothing
    const detail = `T${command.ticket} belongs to ${owner.agent}, not to you.`
    return refused(refuse('forbidden', detail, { owner: owner.agent }))
  }
  if (ticket !== undefined) {
    return decided([left(ticket, 'left')])
  }
  // It was granted while the caller gave up: giving up means giving back.
  // A hold that it only raised was there before, and stays.
  if (lock !== undefined && lock.id > command.ticket) {
    return decided([released(lock)])
  }
  return nothing
}

/** locks §27: time comes with the command; what was renewed since is left alone. */
export function decideExpire(state: State, command: ExpireLocks, moment: Moment): Decision {
  const claimWindowMs = 1000 * state.settings.claim_window_s
  const events: NewEvent[] = []
  for (const { lock: id, renewedAt, unclaimed } of command.locks) {
    const lock = state.locks.locks.get(id)
    if (lock === undefined) continue
    const since = unclaimed ? renewedAt : Math.max(renewedAt, lock.grantedAt)
    if (moment.at < since + (unclaimed ? Math.min(claimWindowMs, lock.ttlMs) : lock.ttlMs)) continue
    events.push(lostRelease(state, lock, unclaimed ? 'unclaimed' : 'expired', moment.at))
  }
  return decided(events)
}

export function decideEndSession(state: State, command: EndSession, moment: Moment): Decision {
  const { session, reason } = command
  const owner = state.locks.owners.get(session)
  const hasAnswers = state.answers.has(session)
  if (owner === undefined && !hasAnswers) return nothing
  const agent = owner?.agent ?? session.slice(0, session.indexOf(':'))
  const tickets = [...(owner?.tickets ?? [])].map((ticket) => left(ticket, 'session-ended'))
  const locks = [...(owner?.locks ?? [])].map((lock) => {
    const { closedUntil, ...release } = lostRelease(state, lock, 'session-ended', moment.at)
    // Ended on purpose, nobody goes on working under it.
    return reason === 'ended' ? release : { ...release, ...optional('closedUntil', closedUntil) }
  })
  // Tickets go first, so that the session's own waiting is not granted by its own release.
  const ended: NewEvent = { kind: 'session-ended', agent, session, id: session, reason }
  return decided([...tickets, ...locks, ended])
}
