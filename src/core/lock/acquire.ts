import { type Refusal, refuse } from '../../contract/errors.ts'
import type { NewEvent } from '../../contract/events.ts'
import { given, optional } from '../../contract/optional.ts'
import type { AcquireLock, Actor, Moment } from '../command.ts'
import { type Decision, decided, nothing, refused } from '../decision.ts'
import { entryNamed } from '../file/resolve-path.ts'
import type { State } from '../state.ts'
import {
  conflictingLines,
  coveringLock,
  coveringLocks,
  covers,
  hasWaiters,
  holdersInTheWay,
  isSameThing,
  itemsConflict,
  singleHold,
  waiterBefore,
  waitersInConflict,
} from './conflict.ts'
import { obstacles, sentenceOf } from './describe.ts'
import { deadlockRefusal } from './describe-cycle.ts'
import { heldLimit, waitingLimit } from './limit.ts'
import { MODE } from './mode.ts'
import { isAhead, newcomerPlace, placeBefore, type QueuePlace } from './order.ts'
import { raisedBy, raisedTtl } from './own-locks.ts'
import { recallEvent } from './recall.ts'
import { type Asked, factOf, prepareItems, waitingFactOf } from './request.ts'
import { type Lock, type LockTable, newOwner, type Owner, type Ticket } from './table.ts'
import { type Moves, placesWithoutCycle, type Request, WaitsFor } from './waits-for.ts'
import { placeAtLimit, servable } from './win-limit.ts'

/**
 * Acquiring (locks §7–17): one decision, all or nothing.
 *
 *   held already ──────────────► the same lock (`held`), no event
 *   asked for already ─────────► the same ticket (`waiting`), no event
 *   nobody in the way ─────────► lock-acquired, or lock-raised when one own hold becomes stronger
 *   somebody in the way ───────► lock-queued, or a refusal naming the holders, or the cycle
 */
export function decideAcquire(state: State, command: AcquireLock, moment: Moment): Decision {
  const table = state.locks
  const { actor, any, queue, renew, intent, priority, delayMs } = command
  const { ttlMs = state.settings.lock_ttl_s * 1000 } = command
  let items = prepareItems(state, command)
  if ('code' in items) return refused(items)
  const owner = table.owners.get(actor.session) ?? newOwner(actor.session, actor.agent)
  if (any === undefined) {
    const held = heldAlready(table, items, owner)
    if (held !== undefined) return { ...nothing, held }
  } else {
    items = items.filter((item) => coveringLock(table, item, [owner]) === undefined)
    if (items.length < any) return refused(tooFewLeft(any, items.length))
  }
  const waiting = waitingAlready(items, any, owner)
  if (waiting !== undefined && queue) return { ...nothing, waiting }

  const [only] = items
  const raises =
    only === undefined || items.length > 1 || any !== undefined
      ? undefined
      : singleHold(table, only, owner)
  return decideRequest(state, moment, {
    actor,
    owner,
    items,
    any,
    raises,
    queue,
    terms: given({ ttlMs, renew, intent, priority, delayMs }),
  })
}

export interface Wish {
  actor: Actor
  owner: Owner
  items: Asked[]
  any: number | undefined
  /** The hold that the grant makes stronger in place. */
  raises: Lock | undefined
  queue: boolean
  terms: {
    ttlMs: number
    renew: 'activity' | 'explicit'
    intent?: string
    priority?: number
    delayMs?: number
  }
}

/** Grants, queues or refuses what was asked for, whether anew or of a hold. */
export function decideRequest(state: State, moment: Moment, wish: Wish): Decision {
  const table = state.locks
  const { actor, any, raises, terms } = wish
  const { request, free } = placed(state, wish, moment)
  const { agent, session } = actor
  if (free !== undefined) {
    const refusal = raises === undefined ? heldLimit(state, agent) : undefined
    if (refusal !== undefined) return refused(refusal)
    const items = free.map(factOf)
    const versions = free.map((item) => item.version)
    const granted: NewEvent =
      raises === undefined
        ? { kind: 'lock-acquired', agent, session, ...terms, items, versions }
        : {
            kind: 'lock-raised',
            agent,
            session,
            ...terms,
            items,
            lock: raises.id,
            versions,
            ttlMs: raisedTtl(raises, terms.ttlMs),
          }
    return decided([granted])
  }
  const refusal =
    (raises === undefined ? undefined : upgradeConflict(table, request)) ??
    (wish.queue ? waitingLimit(state, agent) : conflict(table, request, moment))
  if (refusal !== undefined) return refused(refusal)
  const found = placesWithoutCycle(table, request)
  if ('cycle' in found) return refused(deadlockRefusal(found.cycle))
  const { rank, seq } = found.moves.get(request) ?? request
  const usual = newcomerPlace(state.settings, moment.at, terms.priority, request.id)
  const queued: NewEvent = {
    kind: 'lock-queued',
    agent,
    session,
    ...terms,
    items: wish.items.map(waitingFactOf),
    ...optional('raises', raises?.id),
    ...optional('any', any),
    ...(rank === usual.rank && seq === usual.seq ? {} : { rank, seq }),
  }
  const moved = movedEvents(found.moves).filter((draft) => draft.ticket !== request.id)
  const recalled = raises === undefined ? [] : recalledByUpgrade(state, moment, request)
  return decided([queued, ...moved, ...recalled])
}

function movedEvents(moves: Moves): (NewEvent & { kind: 'ticket-moved' })[] {
  return [...moves].map(([{ id, owner }, { rank, seq }]) => ({
    kind: 'ticket-moved',
    agent: owner.agent,
    session: owner.session,
    ticket: id,
    rank,
    seq,
    why: 'deadlock',
  }))
}

/** The request at its place, and what of it can be granted there (record 0008 no. 6–8, 12). */
function placed(
  state: State,
  wish: Wish,
  moment: Moment,
): { request: Request; free: readonly Asked[] | undefined } {
  const table = state.locks
  const { owner, items, any, terms, raises } = wish
  const usual = newcomerPlace(state.settings, moment.at, terms.priority, state.revision + 1)
  const limited =
    raises === undefined && any === undefined
      ? placeAtLimit(table, state.settings, items, owner.agent, usual)
      : usual
  const request = { ...limited, owner, items, any }
  const free = freeOf(table, request, items)
  if (free !== undefined) return { request, free }
  const ahead = aheadOfOwnWaiters(table, wish, limited)
  if (ahead === limited) return { request, free }
  const moved = { ...request, ...ahead }
  return { request: moved, free: freeOf(table, moved, items) }
}

/** Ahead of the first waiter in conflict that waits for this owner anyway: it cannot go before it. */
function aheadOfOwnWaiters(
  table: LockTable,
  { owner, items }: Wish,
  place: QueuePlace,
): QueuePlace {
  let first: QueuePlace | undefined
  for (const lock of owner.locks) {
    for (const held of lock.items) {
      if (!hasWaiters(held)) continue
      const { lines, ranged } = conflictingLines(table, held)
      for (const line of [...lines, ranged]) {
        for (const ticket of line) {
          if (ticket.owner === owner || !isAhead(ticket, place)) continue
          if (first !== undefined && !isAhead(ticket, first)) continue
          if (ticket.items.some((one) => items.some((item) => itemsConflict(one, item)))) {
            first = ticket
          }
        }
      }
    }
  }
  if (first === undefined) return place
  return placeBefore(first, waiterBefore(table, first), place.id)
}

function freeOf(
  table: LockTable,
  request: Request,
  items: readonly Asked[],
): readonly Asked[] | undefined {
  const { any, owner } = request
  const free = servable(table, items, any, { owners: [owner], place: request })
  if (free === undefined || owner.tickets.size === 0) return free
  // Granted ahead of somebody who waits, while waiting for that one with another ticket.
  const cycle = new WaitsFor(table, { request }).cycleThrough(owner)
  return cycle === undefined ? free : undefined
}

/** locks §16: of two that want the same for themselves alone, the second cannot wait for the first. */
function upgradeConflict(table: LockTable, request: Request): Refusal | undefined {
  for (const item of request.items) {
    if (item.mode !== MODE.X) continue
    for (const other of waitersInConflict(table, item)) {
      const isUpgrade =
        other.owner !== request.owner &&
        raisedBy(table, other) !== undefined &&
        other.items.some((one) => one.mode === MODE.X && itemsConflict(one, item))
      if (!isUpgrade) continue
      const { agent, session } = other.owner
      return refuse(
        'upgrade_conflict',
        `${session} already waits to hold ${item.path} exclusively and keeps its lock meanwhile, as ` +
          'you do. Release your lock or lower it, then ask again.',
        { path: item.path, agent, session, ticket: `T${other.id}` },
      )
    }
  }
  return undefined
}

function recalledByUpgrade(state: State, moment: Moment, request: Request): NewEvent[] {
  const locks = new Set<Lock>()
  for (const item of request.items) {
    if (item.mode !== MODE.X) continue
    const limit = Number.POSITIVE_INFINITY
    for (const { by } of holdersInTheWay(state.locks, item, [request.owner], limit)) locks.add(by)
  }
  return [...locks]
    .filter((lock) => lock.recall === undefined && lock.closedUntil === undefined)
    .map((lock) => recallEvent(state, lock, moment.at, { reason: 'upgrade', by: request.owner }))
}

function conflict(table: LockTable, request: Request, moment: Moment): Refusal {
  const inTheWay = obstacles(table, request.items, [request.owner], moment, request.owner.agent)
  return refuse(
    'lock_conflict',
    `${sentenceOf(inTheWay.holders, inTheWay.waiting)}. ` +
      'Ask again with "wait" (seconds) to queue for it, or work on something else.',
    { holders: inTheWay.holders, queue_length: inTheWay.waiting },
  )
}

function tooFewLeft(any: number, left: number): Refusal {
  return refuse(
    'invalid_request',
    `Of these you hold all but ${left} already, and ask for ${any}. Name others, or release some.`,
    { fields: [{ field: 'any', fault: 'more than are left' }] },
  )
}

export function versionOf(state: State, path: string): number {
  const entry = entryNamed(state.records, path, state.settings.portable_names)
  return entry?.kind === 'file' ? entry.version : 0
}

/** locks §12: one own hold that covers everything asked for. */
function heldAlready(table: LockTable, items: readonly Asked[], owner: Owner): Lock | undefined {
  const [first] = items
  if (first === undefined) return undefined
  return coveringLocks(table, first, owner).find((lock) =>
    items.every((item) => lock.items.some((one) => covers(one, item))),
  )
}

/** The same request is in the queue already: an agent that asks again keeps its place. */
function waitingAlready(
  items: readonly Asked[],
  any: number | undefined,
  owner: Owner,
): Ticket | undefined {
  for (const ticket of owner.tickets) {
    const isSame =
      ticket.any === any &&
      ticket.items.length === items.length &&
      items.every((item) => ticket.items.some((one) => isSameThing(one, item) && covers(one, item)))
    if (isSame) return ticket
  }
  return undefined
}
