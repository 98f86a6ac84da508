import { type Refusal, refuse } from '../../contract/errors.ts'
import type { Actor } from '../command.ts'
import { lostRefusal, maySee } from '../file/permit.ts'
import type { State } from '../state.ts'
import type { Lock, LockTable, Ticket } from './table.ts'

/** A lock that is held, to whoever may know of it; to all others it is not there. */
export function seenLock(state: State, actor: Actor, id: number): Lock | Refusal {
  const lock = state.locks.locks.get(id)
  return lock !== undefined && maySee(state, actor, lock) ? lock : lostRefusal(state, id, actor)
}

/** The actor's own hold, or why it is not. @param session whose it has to be */
export function ownLock(
  state: State,
  actor: Actor,
  id: number,
  session = actor.session,
): Lock | Refusal {
  const lock = seenLock(state, actor, id)
  return 'code' in lock ? lock : (othersLock(lock, session) ?? lock)
}

function othersLock({ id, owner }: Lock, asked: string): Refusal | undefined {
  const { agent, session } = owner
  if (session === asked) return undefined
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
