import type { LockItem } from '../../contract/events.ts'
import { optional } from '../../contract/optional.ts'
import { factOf, placedItem, unplacedItem } from '../../core/lock/request.ts'
import {
  type Item,
  type Lock,
  type LockTable,
  type LostLock,
  newOwner,
  type Owner,
  ownerOf,
  type Terms,
  type Ticket,
} from '../../core/lock/table.ts'
import { addLock, addTicket, closeLost } from '../../core/lock/table-changes.ts'
import type { State } from '../../core/state.ts'
import { type Part, rows } from './snapshot-part.ts'

/** The lock table, the questions about it and the drafts of late writes. */

type Facts = Terms & { agent: string; session: string; items: LockItem[] }
type LockRow = Facts & Omit<Lock, keyof Terms | 'kind' | 'owner' | 'items' | 'closedUntil'>
type TicketRow = Facts & Omit<Ticket, keyof Terms | 'kind' | 'owner' | 'items'>
/** `kept`: its owner is told of it still. */
type LostRow = Omit<LostLock, 'lock'> & { lock: LockRow; kept: boolean }

function factsOf({ owner, items, ttlMs, renew, intent, priority, delayMs }: Lock | Ticket): Facts {
  const { agent, session } = owner
  return { agent, session, items: items.map(factOf), ttlMs, renew, intent, priority, delayMs }
}

function termsOf({ ttlMs, renew, intent, priority, delayMs }: Terms): Terms {
  return { ttlMs, renew, intent, priority, delayMs }
}

function rowOfLock(lock: Lock): LockRow {
  const { id, fence, versions, grantedAt, heldSince, ticket, recall } = lock
  const facts = factsOf(lock)
  return { ...facts, id, fence, versions, grantedAt, heldSince, ticket, recall }
}

function lockOf(row: LockRow, owner: Owner, items: Item[]): Lock {
  const { id, fence, versions, grantedAt, heldSince, ticket, recall } = row
  // All in one literal: with a hundred thousand of them what an object takes matters.
  return {
    kind: 'lock',
    ...termsOf(row),
    ...{ owner, items, id, fence, versions, grantedAt, heldSince, ticket, closedUntil: undefined },
    recall: recall && { ...recall, for: recall.for, why: recall.why },
  }
}

function rowOfTicket(ticket: Ticket): TicketRow {
  const { id, rank, seq, since, raises, any } = ticket
  const items = ticket.items.map((item) => ({
    ...factOf(item),
    ...optional('ifVersion', item.ifVersion),
  }))
  return { ...factsOf(ticket), items, id, rank, seq, since, raises, any }
}

function ticketOf(row: TicketRow, owner: Owner, items: Item[]): Ticket {
  const { id, rank, seq, since, raises, any } = row
  return { kind: 'ticket', ...termsOf(row), owner, items, id, rank, seq, since, raises, any }
}

function placed(table: LockTable, items: LockItem[]): Item[] {
  return items.map((item) => placedItem(table, item))
}

/** An ended lock stands on no node; its items only say what it covered. */
function unplaced(table: LockTable, items: LockItem[]): Item[] {
  return items.map((item) => unplacedItem(table, item))
}

function rowOfLost({ locks: table }: State, lost: LostLock): LostRow {
  const kept = table.owners.get(lost.lock.owner.session)?.lost.includes(lost) ?? false
  const { at, reason, by, why } = lost
  return { lock: rowOfLock(lost.lock), at, reason, by, why, kept }
}

function addLost({ locks: table }: State, { lock: row, kept, at, reason, by, why }: LostRow): void {
  const { agent, session, items } = row
  const owner = kept ? ownerOf(table, session, agent) : newOwner(session, agent)
  const lost = { lock: lockOf(row, owner, unplaced(table, items)), at, reason, by, why }
  table.ended.keep(lost)
  if (kept) owner.lost.push(lost)
}

export const lockParts: Readonly<Record<string, Part>> = {
  locks: rows(
    ({ locks }) => [...locks.locks.values()].map(rowOfLock),
    ({ locks: table }, row) => {
      const owner = ownerOf(table, row.session, row.agent)
      addLock(table, lockOf(row, owner, placed(table, row.items)))
    },
  ),
  tickets: rows(
    ({ locks }) => [...locks.tickets.values()].map(rowOfTicket),
    ({ locks: table }, row) => {
      const owner = ownerOf(table, row.session, row.agent)
      addTicket(table, ticketOf(row, owner, placed(table, row.items)))
    },
  ),
  closed: rows(
    ({ locks }) =>
      [...locks.closed.values()].map((lock) => ({
        lock: rowOfLock(lock),
        until: lock.closedUntil as number,
      })),
    ({ locks: table }, { lock: row, until }) => {
      const owner = newOwner(row.session, row.agent)
      closeLost(table, lockOf(row, owner, unplaced(table, row.items)), until)
    },
  ),
  stale: rows(
    ({ locks }) => locks.stale.entries(),
    ({ locks }, [ticket, stale]) => locks.stale.set(ticket, stale),
  ),
  preferred: rows(
    ({ locks }) => locks.preferred.entries(),
    ({ locks }, [agent, at]) => locks.preferred.set(agent, at),
  ),
  streaks: rows(
    ({ locks }) => locks.streaks.entries(),
    ({ locks }, [path, streak]) => locks.streaks.set(path, streak),
  ),
  asks: rows(
    ({ asks }) => asks.values(),
    ({ asks }, ask) => asks.set(ask.id, { ...ask, answer: ask.answer }),
  ),
  drafts: rows(
    ({ drafts }) => drafts.values(),
    ({ drafts }, draft) => drafts.set(draft.id, draft),
  ),
  ended: rows(
    (state) => [...state.locks.ended.values()].map((lost) => rowOfLost(state, lost)),
    addLost,
  ),
}
