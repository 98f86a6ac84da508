import { type Refusal, refuse } from '../../contract/errors.ts'
import type { Actor } from '../command.ts'
import { lostRefusal } from '../file/permit.ts'
import type { State } from '../state.ts'
import type { Lock } from './table.ts'

/** The actor's own hold, or why it is not. */
export function ownLock(state: State, actor: Actor, id: number): Lock | Refusal {
  const lock = state.locks.locks.get(id)
  if (lock === undefined) return lostRefusal(state, id)
  const { agent, session } = lock.owner
  if (session === actor.session) return lock
  return refuse('forbidden', `L${id} belongs to ${agent} (session ${session}), not to you.`, {
    owner: agent,
    session,
  })
}
