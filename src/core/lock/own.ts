import { type Refusal, refuse } from '../../contract/errors.ts'
import { lostRefusal } from '../file/permit.ts'
import type { State } from '../state.ts'
import type { Lock, LockTable, Ticket } from './table.ts'

/** The actor's own hold, or why it is not. */
export function ownLock(state: State, actor: { session: string }, id: number): Lock | Refusal {
  const lock = state.locks.locks.get(id)
  if (lock === undefined) return lostRefusal(state, id)
  const { agent, session } = lock.owner
  if (session === actor.session) return lock
  return refuse('forbidden', `L${id} belongs to ${agent} (session ${session}), not to you.`, {
    owner: agent,
    session,
  })
}

/** The hold that a waiting request makes stronger, as long as its owner has it (record 0008 no. 14). */
export function raisedBy(table: LockTable, ticket: Ticket): Lock | undefined {
  const lock = ticket.raises === undefined ? undefined : table.locks.get(ticket.raises)
  return lock?.owner === ticket.owner ? lock : undefined
}

/** A raise never shortens: its holder may not have heard of it yet, and counts on (locks §28). */
export function raisedTtl(lock: Lock, askedMs: number): number {
  return Math.max(lock.ttlMs, askedMs)
}
