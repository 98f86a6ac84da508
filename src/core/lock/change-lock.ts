import { type Refusal, refuse } from '../../contract/errors.ts'
import { optional } from '../../contract/optional.ts'
import type { ChangeLock, HandOverLock, Moment } from '../command.ts'
import { type Decision, decided, nothing, refused } from '../decision.ts'
import type { State } from '../state.ts'
import { decideRequest, versionOf } from './acquire.ts'
import { holdersInTheWay } from './conflict.ts'
import { deadlockRefusal } from './describe-cycle.ts'
import { heldLimit } from './limit.ts'
import { levelOf, type Mode, modeOf } from './mode.ts'
import { ownLock } from './own-locks.ts'
import { type Asked, factOf, missingLockRight, staleRefusal } from './request.ts'
import type { Lock, Owner } from './table.ts'
import { WaitsFor } from './waits-for.ts'

/** What becomes of a hold without letting go of it: stronger, weaker, somebody else's. */

/** locks §15–17: all items of the hold at one level; stronger may wait, weaker never does. */
export function decideChange(state: State, command: ChangeLock, moment: Moment): Decision {
  const { actor, to } = command
  const lock = ownLock(state, actor, command.lock)
  if ('code' in lock) return refused(lock)
  const mode = modeOf(to, command.stable)
  const items = lock.items.map((item): Asked => {
    const version = versionOf(state, item.path)
    return { ...item, mode, version, ifVersion: command.ifVersion }
  })
  const refusal = items
    .map((item) => changeRefusal(state, command, item))
    .find((one) => one !== undefined)
  if (refusal !== undefined) return refused(refusal)
  if (lock.items.every((item) => item.mode === mode)) return { ...nothing, held: lock }
  if (lock.items.every((item) => item.mode >= mode)) {
    const { agent, session } = actor
    const lowered = items.map(factOf)
    const event = {
      kind: 'lock-lowered',
      agent,
      session,
      lock: lock.id,
      items: lowered,
    } as const
    return decided([event])
  }
  const waiting = [...lock.owner.tickets].find(
    (ticket) => ticket.raises === lock.id && ticket.items.every((item) => item.mode === mode),
  )
  if (waiting !== undefined && command.queue) return { ...nothing, waiting }
  return decideRequest(state, moment, {
    actor,
    owner: lock.owner,
    items,
    any: undefined,
    raises: lock,
    queue: command.queue,
    terms: {
      ttlMs: lock.ttlMs,
      renew: lock.renew,
      ...optional('intent', lock.intent),
      ...optional('priority', lock.priority),
      ...optional('delayMs', lock.delayMs),
    },
  })
}

function changeRefusal(state: State, command: ChangeLock, item: Asked): Refusal | undefined {
  const { path, version, ifVersion } = item
  if (ifVersion !== undefined && ifVersion !== version)
    return staleRefusal(path, ifVersion, version)
  return missingLockRight(state, command.actor, item)
}

/** locks §41: no moment without a holder, and no cycle by the back door. */
export function decideHandOver(state: State, command: HandOverLock): Decision {
  const { actor, holder = actor, to } = command
  const lock = ownLock(state, actor, command.lock, holder.session)
  if ('code' in lock) return refused(lock)
  if (to.session === holder.session) return { ...nothing, held: lock }
  const refusal =
    lock.items.map((item) => missingLockRight(state, to, item)).find((one) => one !== undefined) ??
    heldLimit(state, to.agent)
  if (refusal?.code === 'forbidden') {
    const level = levelOf(Math.max(...lock.items.map((item) => item.mode)) as Mode)
    const detail = `${to.agent} has no right to a ${level} lock on all of L${lock.id}. It stays yours.`
    return refused({ ...refusal, detail })
  }
  if (refusal !== undefined) return refused(refusal)
  const owner = state.locks.owners.get(to.session)
  const apart = standsAgainst(state, lock, owner)
  if (apart !== undefined) return refused(apart)
  // Whoever waits for it waits for its new owner then, its giver too.
  if (owner !== undefined && owner.tickets.size > 0) {
    const cycle = new WaitsFor(state.locks, { held: { lock, by: owner } }).cycleThrough(owner)
    if (cycle !== undefined) return refused(deadlockRefusal(cycle))
  }
  const { agent, session } = lock.owner
  const receiver = { agent: to.agent, session: to.session }
  const event = { kind: 'lock-handed-over', agent, session, lock: lock.id, to: receiver } as const
  return decided([event])
}

/** What one session may hold together, two may not. */
function standsAgainst(state: State, lock: Lock, to: Owner | undefined): Refusal | undefined {
  const owners = to === undefined ? [] : [to]
  for (const item of lock.items) {
    const found = holdersInTheWay(state.locks, item, owners, Number.POSITIVE_INFINITY)
    const other = found.find(({ by }) => by !== lock)
    if (other === undefined) continue
    const { id, owner } = other.by
    return refuse(
      'lock_conflict',
      `L${lock.id} on ${item.path} cannot go to another session alone: L${id} on ${other.path}, of ` +
        `${owner.session}, stands against it. Hand over or release that one first.`,
      { path: item.path, lock: `L${id}`, holder: owner.session },
    )
  }
  return undefined
}
