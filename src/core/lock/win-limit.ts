import type { Settings } from '../../contract/events.ts'
import {
  type Asking,
  conflictingLines,
  hasWaiters,
  isBlocked,
  isItemBlocked,
  type Wanted,
  waiterAfter,
  waitersInConflict,
} from './conflict.ts'
import { comparePlaces, isAhead, placeBehind, type QueuePlace } from './order.ts'
import type { Item, LockTable, Scope, Ticket } from './table.ts'

/**
 * The win limit (locks §21, record 0008 no. 12): one agent takes the same contended path at most so
 * many times in a row while another agent waits that could take it. A request for any of several paths
 * is not held to it (record 0012).
 *
 * It bites where something is granted, and never moves those who wait: an order that turned round
 * with nobody enqueueing could close a cycle unseen.
 */

/** A ticket whose turn has come, and those of its items that it gets. */
export interface Grant {
  ticket: Ticket
  items: readonly Item[]
}

/** Counts a grant. Called when the grant stands and its ticket is gone. */
export function countWin(table: LockTable, agent: string, items: readonly Item[]): void {
  const { streaks } = table
  if (streaks.isEmpty && !items.some(hasWaiters)) return
  // Two ranges of a file are one win of it, contested if one of them is.
  const contested = new Map<string, boolean>()
  for (const item of items) {
    const name = nameOf(item)
    const isContested = hasWaiters(item) && othersWaitFor(table, item, agent)
    contested.set(name, isContested || contested.get(name) === true)
  }
  for (const [name, isContested] of contested) {
    const streak = streaks.get(name)
    if (isContested)
      streaks.set(name, { agent, wins: streak?.agent === agent ? streak.wins + 1 : 1 })
    else if (streak !== undefined) streaks.delete(name)
  }
}

/** What is won: a path, or the metadata of one. */
function nameOf({ folded, key }: Scope): string {
  return key === undefined ? folded : `${folded}\0${key}`
}

function othersWaitFor(table: LockTable, item: Wanted, agent: string): boolean {
  const { lines, ranged } = conflictingLines(table, item)
  return (
    lines.some((line) => line.hasOtherAgent(agent)) ||
    ranged.some((ticket) => ticket.owner.agent !== agent)
  )
}

function isAtLimit(table: LockTable, settings: Settings, item: Scope, agent: string): boolean {
  const streak = table.streaks.isEmpty ? undefined : table.streaks.get(nameOf(item))
  return streak?.agent === agent && streak.wins >= settings.wins_in_a_row
}

/** Where a newcomer at its limit stands: behind all of other agents that wait in conflict with it. */
export function placeAtLimit(
  table: LockTable,
  settings: Settings,
  items: readonly Wanted[],
  agent: string,
  place: QueuePlace,
): QueuePlace {
  if (!items.some((item) => isAtLimit(table, settings, item, agent))) return place
  let last: QueuePlace | undefined
  for (const item of items) {
    for (const ticket of waitersInConflict(table, item)) {
      if (ticket.owner.agent === agent) continue
      if (last === undefined || isAhead(last, ticket)) last = ticket
    }
  }
  if (last === undefined || isAhead(last, place)) return place
  return placeBehind(last, waiterAfter(table, last), place.id)
}

/**
 * Who goes where a ticket could: itself, or instead of it, where its agent is at its limit, somebody who
 * can; and where that one's agent is at its limit too, somebody instead of that one. Where all of them are
 * at their limits round in a circle, the ticket goes itself.
 */
export function whoGoes(table: LockTable, settings: Settings, first: Grant): Grant {
  const passed = new Set<Ticket>()
  for (let grant = first; ; ) {
    const instead = insteadOf(table, settings, grant)
    if (instead === undefined) return grant
    passed.add(grant.ticket)
    if (passed.has(instead.ticket)) return first
    grant = instead
  }
}

/** `items`: what the ticket would get. */
function insteadOf(
  table: LockTable,
  settings: Settings,
  { ticket, items }: Grant,
): Grant | undefined {
  // Of several paths it takes whichever are free, and keeps nobody from any one of them.
  if (ticket.any !== undefined) return undefined
  const { agent } = ticket.owner
  const limited = items.filter((item) => isAtLimit(table, settings, item, agent))
  const candidates = new Set<Ticket>()
  for (const item of limited) {
    for (const other of waitersInConflict(table, item)) {
      // Who waits for something else too could come to wait for those it passes.
      if (other.owner.agent !== agent && other.owner.tickets.size === 1) candidates.add(other)
    }
  }
  for (const other of [...candidates].sort(comparePlaces)) {
    const asking = { owners: [other.owner], place: other, without: agent }
    const items = servable(table, other.items, other.any, asking)
    if (items !== undefined) return { ticket: other, items }
  }
  return undefined
}

/**
 * What of a request can be granted as things stand (record 0008 no. 8–9): all of it, or where any
 * of several will do the first that are free; undefined when it has to wait.
 */
export function servable<T extends Wanted>(
  table: LockTable,
  items: readonly T[],
  any: number | undefined,
  asking: Asking,
): readonly T[] | undefined {
  if (any === undefined) return isBlocked(table, items, asking) ? undefined : items
  const free: T[] = []
  for (const item of items) {
    if (free.length === any) break
    if (!isItemBlocked(table, item, asking)) free.push(item)
  }
  return free.length === any ? free : undefined
}
