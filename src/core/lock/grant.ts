import type { NewEvent } from '../../contract/events.ts'
import { optional } from '../../contract/optional.ts'
import type { State } from '../state.ts'
import { versionOf } from './acquire.ts'
import { raisedBy, raisedTtl } from './own-locks.ts'
import { factOf } from './request.ts'
import type { Grant } from './win-limit.ts'

/** What the turn of a ticket comes to: a grant, or the news that it came too late. */
export function grantEvent(state: State, { ticket, items }: Grant): NewEvent {
  const { agent, session } = ticket.owner
  for (const { path, ifVersion } of items) {
    const current = versionOf(state, path)
    if (ifVersion === undefined || ifVersion === current) continue
    return {
      kind: 'ticket-left',
      agent,
      session,
      ticket: ticket.id,
      reason: 'stale',
      path,
      current,
    }
  }
  const base = {
    agent,
    session,
    items: items.map(factOf),
    ttlMs: ticket.ttlMs,
    renew: ticket.renew,
    ...optional('intent', ticket.intent),
    ...optional('priority', ticket.priority),
    ...optional('delayMs', ticket.delayMs),
    versions: items.map((item) => versionOf(state, item.path)),
    ticket: ticket.id,
  }
  // The hold it was to change may have gone meanwhile; then it is a grant like any other.
  const raised = raisedBy(state.locks, ticket)
  return raised === undefined
    ? { kind: 'lock-acquired', ...base }
    : { kind: 'lock-raised', ...base, lock: raised.id, ttlMs: raisedTtl(raised, ticket.ttlMs) }
}
