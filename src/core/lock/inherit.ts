import type { NewEvent } from '../../contract/events.ts'
import type { State } from '../state.ts'
import {
  conflictingLines,
  hasWaiters,
  holdersInTheWay,
  waiterAfter,
  waiterBefore,
} from './conflict.ts'
import { placeBehind, type QueuePlace } from './order.ts'
import type { LockTable, Owner, Ticket } from './table.ts'
import { WaitsFor } from './waits-for.ts'

/**
 * Inheritance (locks §22, record 0008 no. 20): whoever holds up somebody more urgent is as urgent
 * itself where it waits, and so are those that hold it up in turn.
 *
 * Yields one move at a time; the caller applies it before asking for the next. `touched` are the
 * owners that began to wait, or to hold, in this decision: nobody else's case has changed.
 */
export function* inheritances(state: State, touched: Iterable<Owner>): Generator<NewEvent> {
  const table = state.locks
  const pending = [...touched]
  // By how urgent a waiter each was asked about. Who may not move, lest that make a cycle, stays less
  // urgent than whom it holds up, and must not be asked again for ever.
  const asked = new Map<Owner, number>()
  for (let owner = pending.shift(); owner !== undefined; owner = pending.shift()) {
    const urgent = mostUrgentBehind(table, owner)
    for (const ticket of [...owner.tickets]) {
      if (urgent !== undefined && urgent.rank < ticket.rank) {
        const place = inheritedPlace(table, urgent.rank, ticket.id)
        const graph = new WaitsFor(table, { moves: new Map([[ticket, place]]) })
        if (graph.cycleThrough(owner) === undefined) {
          yield {
            kind: 'ticket-moved',
            agent: owner.agent,
            session: owner.session,
            ticket: ticket.id,
            rank: place.rank,
            seq: place.seq,
            why: 'inherited',
          }
        }
      }
      // Whoever is in its way holds up an urgent one too.
      for (const holder of holdersOf(table, ticket)) {
        if (holder.tickets.size === 0 || !lessUrgent(holder, ticket)) continue
        if (ticket.rank >= (asked.get(holder) ?? Number.POSITIVE_INFINITY)) continue
        asked.set(holder, ticket.rank)
        pending.push(holder)
      }
    }
  }
}

/** Where its number puts it among those of that rank; no two have one place. */
function inheritedPlace(table: LockTable, rank: number, id: number): QueuePlace {
  const usual = { rank, seq: id, id }
  const before = waiterBefore(table, { rank, seq: id, id: Number.POSITIVE_INFINITY })
  if (before?.rank !== rank || before.seq !== id || before.id === id) return usual
  return placeBehind(before, waiterAfter(table, before), id)
}

function lessUrgent(owner: Owner, ticket: Ticket): boolean {
  return [...owner.tickets].some((own) => ticket.rank < own.rank)
}

/** The smallest rank among those that wait for what an owner holds. */
function mostUrgentBehind(table: LockTable, owner: Owner): Ticket | undefined {
  let first: Ticket | undefined
  for (const lock of owner.locks) {
    for (const item of lock.items) {
      if (!hasWaiters(item)) continue
      const { lines, ranged } = conflictingLines(table, item)
      for (const line of [...lines, ranged]) {
        for (const ticket of line) {
          if (ticket.owner === owner) continue
          if (first === undefined || ticket.rank < first.rank) first = ticket
          // A line is sorted; what waits for ranges is not.
          if (line !== ranged) break
        }
      }
    }
  }
  return first
}

function holdersOf(table: LockTable, ticket: Ticket): Set<Owner> {
  const holders = new Set<Owner>()
  for (const item of ticket.items) {
    for (const { by } of holdersInTheWay(table, item, [ticket.owner], Number.POSITIVE_INFINITY)) {
      if (by.closedUntil === undefined) holders.add(by.owner)
    }
  }
  return holders
}
