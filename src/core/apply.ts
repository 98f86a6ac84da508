import type { Event, EventOf, LockItem } from '../contract/events.ts'
import { LIMITS } from '../contract/limits.ts'
import { applyDirectory } from './agent/directory.ts'
import { BoundedMap } from './bounded-map.ts'
import { applyChange } from './file/change.ts'
import { singleHold } from './lock/conflict.ts'
import { modeOf } from './lock/mode.ts'
import {
  addLock,
  addTicket,
  forgetIdle,
  type Item,
  LOST_PER_OWNER,
  type LockTable,
  nodeAt,
  ownerOf,
  removeLock,
  removeTicket,
  replaceItems,
  type Terms,
} from './lock/table.ts'
import type { State } from './state.ts'

/**
 * The fold: one fact changes the state, and cannot fail. Two halves that do not read each other, so
 * that each can be replayed from its own revision: `applyMemory` for what lives in memory, and
 * `applyRecords` for what lies in the tables.
 */
export function apply(state: State, event: Event): void {
  applyMemory(state, event)
  applyRecords(state, event)
}

export function applyMemory(state: State, event: Event): void {
  state.revision = event.revision
  state.at = event.at
  switch (event.kind) {
    case 'workspace-set':
      state.settings = event.settings
      break
    case 'lock-acquired':
      acquired(state.locks, event)
      break
    case 'lock-raised':
      raised(state.locks, event)
      break
    case 'lock-queued': {
      const table = state.locks
      addTicket(table, {
        id: event.revision,
        owner: ownerOf(table, event.session, event.agent),
        items: itemsOf(table, event.items),
        since: event.at,
        raises: raiseTarget(table, event),
        ...termsOf(event),
      })
      break
    }
    case 'ticket-left': {
      const ticket = state.locks.tickets.get(event.ticket)
      if (ticket !== undefined) {
        removeTicket(state.locks, ticket)
        forgetIdle(state.locks, ticket.owner)
      }
      break
    }
    case 'lock-released':
      released(state.locks, event)
      break
    case 'files-committed':
      for (const change of event.changes) {
        if ('id' in change && change.id >= state.nextFileId) state.nextFileId = change.id + 1
      }
      break
    case 'session-ended':
      state.locks.owners.delete(event.id)
      state.answers.delete(event.id)
      applyDirectory(state.directory, event)
      break
    case 'command-refused':
      for (const id of event.requestIds ?? []) remember(state, event.session, id, event.revision)
      break
    default:
      applyDirectory(state.directory, event)
  }
  if ('requestId' in event && event.requestId !== undefined) {
    remember(state, event.session, event.requestId, event.revision)
  }
}

export function applyRecords(state: State, event: Event): void {
  if (event.kind !== 'files-committed') return
  for (const change of event.changes) {
    applyChange(state.records, change, event, event, state.settings.portable_names)
  }
}

function acquired(table: LockTable, event: EventOf<'lock-acquired'>): void {
  leaveTicket(table, event.ticket)
  const owner = ownerOf(table, event.session, event.agent)
  owner.lost = owner.lost.filter(
    ({ lock }) => !lock.items.some((item) => event.items.some((one) => one.path === item.path)),
  )
  addLock(table, {
    id: event.revision,
    fence: event.revision,
    owner,
    items: itemsOf(table, event.items),
    versions: event.versions,
    grantedAt: event.at,
    ticket: event.ticket,
    ...termsOf(event),
  })
}

function raised(table: LockTable, event: EventOf<'lock-raised'>): void {
  leaveTicket(table, event.ticket)
  const lock = table.locks.get(event.lock)
  if (lock === undefined) return
  replaceItems(table, lock, itemsOf(table, event.items))
  lock.fence = event.revision
  lock.versions = event.versions
  lock.grantedAt = event.at
  Object.assign(lock, termsOf(event))
  if (event.ticket !== undefined) {
    lock.ticket = event.ticket
    table.byTicket.set(event.ticket, lock)
  }
}

function leaveTicket(table: LockTable, id: number | undefined): void {
  const ticket = id === undefined ? undefined : table.tickets.get(id)
  if (ticket !== undefined) removeTicket(table, ticket)
}

function released(table: LockTable, event: EventOf<'lock-released'>): void {
  const lock = table.locks.get(event.lock)
  if (lock === undefined) return
  removeLock(table, lock)
  const lost = { lock, at: event.at, reason: event.reason, by: event.by, why: event.why }
  table.ended.set(lock.id, lost)
  if (event.reason !== 'released' && event.reason !== 'session-ended') {
    lock.owner.lost.push(lost)
    if (lock.owner.lost.length > LOST_PER_OWNER) lock.owner.lost.shift()
  }
  forgetIdle(table, lock.owner)
}

function itemsOf(table: LockTable, items: readonly LockItem[]): Item[] {
  return items.map((item) => ({
    path: item.path,
    mode: modeOf(item.level, item.stable),
    subtree: item.scope === 'subtree',
    node: nodeAt(table, item.path),
  }))
}

function termsOf(event: Terms | EventOf<'lock-acquired' | 'lock-queued' | 'lock-raised'>): Terms {
  const { ttlMs, renew, intent, priority } = event
  return { ttlMs, renew, intent, priority }
}

/** The own hold on this one path that the waiting request will raise when its turn comes. */
function raiseTarget(table: LockTable, event: EventOf<'lock-queued'>): number | undefined {
  const [item] = event.items
  if (item === undefined || event.items.length !== 1) return undefined
  const owner = table.owners.get(event.session)
  return owner === undefined ? undefined : singleHold(table, item.path, owner)?.id
}

/** locks §11: the last answers of each session; fewer each when very many sessions have some. */
function remember(state: State, session: string, requestId: string, revision: number): void {
  let answers = state.answers.get(session)
  if (answers === undefined) {
    answers = new BoundedMap(LIMITS.answersPerSession)
    state.answers.set(session, answers)
  }
  answers.limit =
    state.answers.size > 1000 ? LIMITS.answersPerSessionWhenMany : LIMITS.answersPerSession
  answers.set(requestId, revision)
}
