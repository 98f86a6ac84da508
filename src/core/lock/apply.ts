import type { EventKind, EventOf, LockItem } from '../../contract/events.ts'
import { foldPath } from '../../contract/path.ts'
import type { State } from '../state.ts'
import { singleHold } from './conflict.ts'
import { rankOf } from './order.ts'
import type { Splice } from './range.ts'
import { graceFrom } from './recall.ts'
import { factOf, placedItem, unplacedItem } from './request.ts'
import {
  findNode,
  type Item,
  LOST_PER_OWNER,
  type Lock,
  type LockTable,
  type LostLock,
  ownerOf,
  type Terms,
  type Ticket,
} from './table.ts'
import {
  addLock,
  addTicket,
  closeLost,
  forgetIdle,
  moveTicket,
  nobodyLeft,
  openClosed,
  removeLock,
  removeTicket,
  replaceItems,
} from './table-changes.ts'
import { countWin } from './win-limit.ts'

/** The fold of the facts about locks. */
export const lockFolds = {
  'lock-acquired': ({ locks }, event) => acquired(locks, event),
  'lock-raised': ({ locks }, event) => raised(locks, event),
  'lock-lowered': ({ locks: table }, event) => {
    const lock = table.locks.get(event.lock)
    if (lock !== undefined) replaceItems(table, lock, placed(table, event.items))
  },
  'lock-queued': queued,
  'ticket-moved': ({ locks: table }, { ticket: id, rank, seq }) => {
    const ticket = table.tickets.get(id)
    if (ticket !== undefined) moveTicket(table, ticket, rank, seq)
  },
  'ticket-left': ({ locks }, event) => left(locks, event),
  'lock-released': ({ locks }, event) => released(locks, event),
  'lock-handed-over': ({ locks }, event) => handedOver(locks, event),
  'lock-bypassed': () => {},
  'lock-opened': ({ locks: table }, event) => {
    const closed = table.closed.get(event.lock)
    if (closed !== undefined) openClosed(table, closed)
  },
  'lock-recalled': ({ locks: table, settings }, event) => {
    const { lock, reason, deadline, for: whom, why, at } = event
    const held = table.locks.get(lock)
    if (held === undefined) return
    const graceMs = deadline - graceFrom(settings, held, at)
    held.recall = { reason, deadline, graceMs, isExtended: false, for: whom, why }
    if (whom !== undefined && reason === 'priority') table.preferred.set(whom, at)
  },
  'recall-extended': ({ locks: table }, event) => {
    const recall = table.locks.get(event.lock)?.recall
    if (recall === undefined) return
    recall.deadline = event.deadline
    recall.isExtended = true
  },
  'recall-ended': ({ locks: table }, event) => {
    const lock = table.locks.get(event.lock)
    if (lock !== undefined) lock.recall = undefined
  },
} satisfies { [K in EventKind]?: (state: State, event: EventOf<K>) => void }

function acquired(table: LockTable, event: EventOf<'lock-acquired'>): void {
  leaveTicket(table, event.ticket)
  const owner = ownerOf(table, event.session, event.agent)
  const items = placed(table, event.items)
  if (owner.lost.length > 0) {
    owner.lost = owner.lost.filter(
      ({ lock }) => !lock.items.some((item) => items.some((one) => one.folded === item.folded)),
    )
  }
  const { revision, at, versions, ticket, ttlMs, renew, intent, priority, delayMs } = event
  // All in one literal: with a hundred thousand of them what an object takes matters.
  addLock(table, {
    kind: 'lock',
    id: revision,
    fence: revision,
    owner,
    items,
    versions,
    grantedAt: at,
    heldSince: at,
    ticket,
    recall: undefined,
    closedUntil: undefined,
    ttlMs,
    renew,
    intent,
    priority,
    delayMs,
  })
  countWin(table, event.agent, items)
}

function raised(table: LockTable, event: EventOf<'lock-raised'>): void {
  leaveTicket(table, event.ticket)
  const lock = table.locks.get(event.lock)
  if (lock === undefined) return
  replaceItems(table, lock, placed(table, event.items))
  lock.fence = event.revision
  lock.versions = event.versions
  lock.grantedAt = event.at
  Object.assign(lock, termsOf(event))
  if (event.ticket !== undefined) {
    if (lock.ticket !== undefined) table.byTicket.delete(lock.ticket)
    lock.ticket = event.ticket
    table.byTicket.set(event.ticket, lock)
  }
}

function queued(state: State, event: EventOf<'lock-queued'>): void {
  const table = state.locks
  const ticket: Ticket = {
    kind: 'ticket',
    id: event.revision,
    rank: event.rank ?? rankOf(state.settings, event.at, event.priority),
    seq: event.seq ?? event.revision,
    owner: ownerOf(table, event.session, event.agent),
    items: placed(table, event.items),
    since: event.at,
    raises: event.raises ?? raiseTarget(table, event),
    any: event.any,
    ...termsOf(event),
  }
  addTicket(table, ticket)
  // Put ahead of those it waited behind, it may be able to go.
  if (event.seq !== undefined) table.moved.push(ticket)
}

/** Ledgers of earlier releases do not name the hold on this one path that a grant makes stronger. */
function raiseTarget(table: LockTable, event: EventOf<'lock-queued'>): number | undefined {
  const [item] = event.items
  if (item === undefined || event.items.length !== 1 || event.any !== undefined) return undefined
  const owner = table.owners.get(event.session)
  return owner === undefined ? undefined : singleHold(table, unplacedItem(table, item), owner)?.id
}

function leaveTicket(table: LockTable, id: number | undefined): void {
  const ticket = id === undefined ? undefined : table.tickets.get(id)
  if (ticket !== undefined) removeTicket(table, ticket)
}

function left(table: LockTable, event: EventOf<'ticket-left'>): void {
  const ticket = table.tickets.get(event.ticket)
  if (ticket === undefined) return
  const { path, current } = event
  if (event.reason === 'stale' && path !== undefined && current !== undefined) {
    const yours = ticket.items.find((item) => item.path === path)?.ifVersion ?? 0
    table.stale.set(ticket.id, { session: ticket.owner.session, path, yours, current })
  }
  removeTicket(table, ticket)
  forgetIdle(table, ticket.owner)
}

function released(table: LockTable, event: EventOf<'lock-released'>): void {
  const lock = table.locks.get(event.lock)
  if (lock === undefined) return
  if (event.closedUntil !== undefined) closeLost(table, lock, event.closedUntil)
  const { at, reason, by, why } = event
  end(table, lock, { lock, at, reason, by, why })
}

function handedOver(table: LockTable, event: EventOf<'lock-handed-over'>): void {
  const lock = table.locks.get(event.lock)
  if (lock === undefined) return
  const { to, revision, at } = event
  const owner = ownerOf(table, to.session, to.agent)
  // There at once, so that nothing is free in between.
  addLock(table, {
    ...lock,
    id: revision,
    fence: revision,
    owner,
    items: placed(table, lock.items.map(factOf)),
    grantedAt: at,
    ticket: undefined,
  })
  const known = table.freed.length
  end(table, lock, { lock, at, reason: 'handed-over', by: to.agent, why: undefined })
  nobodyLeft(table, known)
}

function end(table: LockTable, lock: Lock, lost: LostLock): void {
  removeLock(table, lock)
  table.ended.keep(lost)
  if (lost.reason !== 'released' && lost.reason !== 'session-ended') {
    lock.owner.lost.push(lost)
    if (lock.owner.lost.length > LOST_PER_OWNER) lock.owner.lost.shift()
  }
  forgetIdle(table, lock.owner)
}

/** locks §5: holds and requests for ranges move along with the bytes they mean. */
export function moveRanges(table: LockTable, path: string, splice: Splice, session: string): void {
  const ranges = findNode(table, foldPath(path, table.portable))?.ranges
  const isOwn = (item: Item): boolean => item.by?.owner.session === session
  ranges?.held.reanchor(splice, isOwn)
  ranges?.waiting.reanchor(splice, isOwn)
  // What is deleted from a held range may be all that somebody waited for.
  for (const { by } of ranges?.waiting ?? []) table.moved.push(by as Ticket)
}

function placed(table: LockTable, items: readonly LockItem[]): Item[] {
  return items.map((item) => placedItem(table, item))
}

function termsOf(event: EventOf<'lock-acquired' | 'lock-queued' | 'lock-raised'>): Terms {
  const { ttlMs, renew, intent, priority, delayMs } = event
  return { ttlMs, renew, intent, priority, delayMs }
}
