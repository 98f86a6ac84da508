import { isWithin } from '../../contract/path.ts'
import { conflictsOf, intentionOf, MODES, type Mode } from './mode.ts'
import { isAhead, type QueuePlace } from './order.ts'
import { contains, overlaps } from './range.ts'
import {
  findNode,
  type HeldItem,
  heldCount,
  type Item,
  type Lock,
  type LockNode,
  type LockTable,
  modeOnNode,
  namesOf,
  type Owner,
  type Scope,
  type Ticket,
} from './table.ts'
import type { WaitQueue } from './wait-queue.ts'

/** Who is in the way of what: the questions that every decision about locks asks. */

/** What is asked for; it may have no node yet. */
export interface Wanted extends Scope {
  mode: Mode
}

/** Who asks, and whom that takes out of the way. */
export interface Asking {
  /** Never in their own way. */
  owners: readonly Owner[]
  /** Waiters ahead of it are in the way. */
  place: QueuePlace
  /** Waiters of this agent are not (locks §21). */
  without?: string
  /** Nodes that a writer has just left: waiters met there may be passed (locks §18). */
  passing?: ReadonlySet<LockNode>
}

/** Calls `visit` on the nodes from the root to what is wanted, as far as they exist, with the mode
 * that it means there. Stops early when `visit` returns true, and returns that. */
export function visitNodes(
  table: LockTable,
  wanted: Wanted,
  visit: (node: LockNode, mode: Mode, isOwn: boolean) => boolean,
): boolean {
  const intention = intentionOf(wanted.mode)
  let node: LockNode | undefined = table.root
  for (const name of namesOf(wanted.folded, wanted.key)) {
    if (visit(node, intention, false)) return true
    node = node.children?.get(name)
    if (node === undefined) return false
  }
  return visit(node, modeOnNode(wanted), true)
}

/** Whether a hold of somebody outside `owners` conflicts with what is wanted. */
export function conflictsWithHolds(
  table: LockTable,
  wanted: Wanted,
  owners: readonly Owner[],
): boolean {
  return visitNodes(
    table,
    wanted,
    (node, mode, isOwn) =>
      heldByOthers(node, mode, owners) || (isOwn && rangeHeldByOthers(node, wanted, owners)),
  )
}

/** locks §8: grant only what conflicts with no holder and with no earlier waiter it conflicts with. */
export function isBlocked(table: LockTable, wanted: readonly Wanted[], asking: Asking): boolean {
  return wanted.some((one) => isItemBlocked(table, one, asking))
}

export function isItemBlocked(table: LockTable, wanted: Wanted, asking: Asking): boolean {
  return visitNodes(table, wanted, (node, mode, isOwn) => {
    if (heldByOthers(node, mode, asking.owners)) return true
    if (isOwn && rangeHeldByOthers(node, wanted, asking.owners)) return true
    return waitsAhead(node, mode, asking) || (isOwn && waitsForRangeAhead(node, wanted, asking))
  })
}

function heldByOthers(node: LockNode, mode: Mode, owners: readonly Owner[]): boolean {
  const mask = node.heldMask & conflictsOf(mode)
  if (mask === 0) return false
  let others = 0
  for (let held = 0; held < MODES; held++) {
    if ((mask & (1 << held)) !== 0) others += heldCount(node, held)
  }
  if (owners.length === 0) return others > 0
  for (const item of node.holds) {
    if (owners.includes(item.by.owner)) others -= (mask >> modeOnNode(item)) & 1
  }
  // Intentions come from below; only a request for a whole file or subtree meets them.
  if ((mask & INTENTIONS) !== 0) {
    for (const owner of owners) {
      for (const lock of owner.locks) {
        for (const item of lock.items) others -= standsBelow(item, node, mask)
      }
    }
  }
  return others > 0
}

const INTENTIONS = 0x0f

/** 1 when the item puts an intention of the mask on this node from below, else 0. */
function standsBelow(item: Item, node: LockNode, mask: number): number {
  for (let above = item.node.parent; above !== null; above = above.parent) {
    if (above === node) return (mask >> intentionOf(item.mode)) & 1
  }
  return 0
}

function rangeHeldByOthers(node: LockNode, wanted: Wanted, owners: readonly Owner[]): boolean {
  if (wanted.range === undefined || node.ranges === null) return false
  const mask = conflictsOf(wanted.mode)
  for (const other of node.ranges.held.overlapping(wanted.range)) {
    if ((mask & (1 << other.mode)) !== 0 && !owners.includes(other.by.owner)) return true
  }
  return false
}

function waitsAhead(node: LockNode, mode: Mode, asking: Asking): boolean {
  const mask = node.waitMask & conflictsOf(mode)
  if (mask === 0) return false
  if (asking.passing?.has(node) === true) return false
  for (let waiting = 0; waiting < MODES; waiting++) {
    if ((mask & (1 << waiting)) === 0) continue
    const line = node.lines?.[waiting] as WaitQueue<Ticket>
    for (let next = line.first; next !== undefined; next = line.after(next)) {
      if (!isAhead(next, asking.place)) break
      if (counts(next, asking)) return true
    }
  }
  return false
}

function counts(ticket: Ticket, { owners, without }: Asking): boolean {
  return !owners.includes(ticket.owner) && ticket.owner.agent !== without
}

function waitsForRangeAhead(node: LockNode, wanted: Wanted, asking: Asking): boolean {
  if (wanted.range === undefined || node.ranges === null) return false
  const mask = conflictsOf(wanted.mode)
  for (const other of node.ranges.waiting.overlapping(wanted.range)) {
    const ticket = other.by as Ticket
    if ((mask & (1 << other.mode)) === 0 || !counts(ticket, asking)) continue
    if (isAhead(ticket, asking.place)) return true
  }
  return false
}

/** Holds of others that conflict with what is wanted, with the item in the way; up to `limit`. */
export function holdersInTheWay(
  table: LockTable,
  wanted: Wanted,
  owners: readonly Owner[],
  limit: number,
): HeldItem[] {
  const found: HeldItem[] = []
  const add = (node: LockNode, mask: number): void => {
    for (const item of node.holds) {
      if (found.length >= limit) return
      if (((mask >> modeOnNode(item)) & 1) === 0 || owners.includes(item.by.owner)) continue
      found.push(item)
    }
  }
  const below = (node: LockNode, mask: number): void => {
    for (const child of node.children?.values() ?? []) {
      if (found.length >= limit) return
      if ((child.heldMask & (mask | (mask >> 4))) === 0) continue
      // A range below stands as an intention, in the matching mode.
      add(child, mask | (child.ranges === null ? 0 : mask >> 4))
      below(child, mask)
    }
  }
  visitNodes(table, wanted, (node, mode, isOwn) => {
    const mask = node.heldMask & conflictsOf(mode)
    if (mask !== 0) {
      add(node, mask)
      // Intentions of this node come from holds below it, in the matching leaf modes.
      if ((mask & INTENTIONS) !== 0 && isOwn) below(node, (mask & INTENTIONS) << 4)
    }
    if (isOwn && wanted.range !== undefined && node.ranges !== null) {
      for (const other of node.ranges.held.overlapping(wanted.range)) {
        if (found.length >= limit) break
        if ((conflictsOf(wanted.mode) & (1 << other.mode)) === 0) continue
        const lock = other.by as Lock
        if (!owners.includes(lock.owner)) found.push(other as HeldItem)
      }
    }
    return found.length >= limit
  })
  return found
}

/** The lines of tickets in conflict with what is wanted or held, and the ranges that wait in it. */
export function conflictingLines(
  table: LockTable,
  wanted: Wanted,
): { lines: WaitQueue<Ticket>[]; ranged: Ticket[] } {
  const lines: WaitQueue<Ticket>[] = []
  const ranged: Ticket[] = []
  visitNodes(table, wanted, (node, mode, isOwn) => {
    const mask = node.waitMask & conflictsOf(mode)
    for (let waiting = 0; mask !== 0 && waiting < MODES; waiting++) {
      if ((mask & (1 << waiting)) !== 0) lines.push(node.lines?.[waiting] as WaitQueue<Ticket>)
    }
    if (isOwn && wanted.range !== undefined && node.ranges !== null) {
      for (const other of node.ranges.waiting.overlapping(wanted.range)) {
        if ((conflictsOf(wanted.mode) & (1 << other.mode)) !== 0) ranged.push(other.by as Ticket)
      }
    }
    return false
  })
  return { lines, ranged }
}

/** Who stands directly before a place, of all that wait: everybody stands in a line of the root. */
export function waiterBefore(table: LockTable, place: QueuePlace): Ticket | undefined {
  let last: Ticket | undefined
  for (const line of table.root.lines ?? []) {
    const one = line?.before(place)
    if (one !== undefined && (last === undefined || isAhead(last, one))) last = one
  }
  return last
}

export function waiterAfter(table: LockTable, place: QueuePlace): Ticket | undefined {
  let first: Ticket | undefined
  for (const line of table.root.lines ?? []) {
    const one = line?.after(place)
    if (one !== undefined && (first === undefined || isAhead(one, first))) first = one
  }
  return first
}

/** Whether anybody waits in conflict with an item in the table: what most items answer at once. */
export function hasWaiters(item: Item): boolean {
  const { node } = item
  if ((node.waitMask & conflictsOf(modeOnNode(item))) !== 0) return true
  if (item.range !== undefined && (node.ranges?.waiting.size ?? 0) > 0) return true
  const mask = conflictsOf(intentionOf(item.mode))
  for (let above = node.parent; above !== null; above = above.parent) {
    if ((above.waitMask & mask) !== 0) return true
  }
  return false
}

/** Every ticket in conflict with what is wanted or held; one may come more than once. */
export function* waitersInConflict(table: LockTable, wanted: Wanted): Generator<Ticket> {
  const { lines, ranged } = conflictingLines(table, wanted)
  for (const line of lines) yield* line
  yield* ranged
}

/** Whether somebody else waits for what a lock keeps from them. */
export function isWaitedFor(table: LockTable, lock: Lock): boolean {
  return lock.items.some((item) => {
    if (!hasWaiters(item)) return false
    for (const ticket of waitersInConflict(table, item)) {
      if (ticket.owner !== lock.owner) return true
    }
    return false
  })
}

/** How many wait for something in conflict with what is wanted, in its most crowded lines. */
export function countWaiting(table: LockTable, wanted: Wanted): number {
  let most = 0
  visitNodes(table, wanted, (node, mode) => {
    let waiting = 0
    for (let other = 0; other < MODES; other++) {
      if ((conflictsOf(mode) & (1 << other)) !== 0) waiting += node.lines?.[other]?.size ?? 0
    }
    most = Math.max(most, waiting)
    return false
  })
  return Math.max(most, conflictingLines(table, wanted).ranged.length)
}

/** Whether an item gives its owner all of what is wanted. */
export function covers(item: Wanted, wanted: Wanted): boolean {
  if (item.mode < wanted.mode) return false
  if (item.folded !== wanted.folded) return item.subtree && isWithin(item.folded, wanted.folded)
  if (item.key !== wanted.key || (wanted.subtree && !item.subtree)) return false
  if (item.range === undefined) return true
  return wanted.range !== undefined && contains(item.range, wanted.range)
}

/** The hold of one of `owners` that covers what is wanted, if there is one. */
export function coveringLock(
  table: LockTable,
  wanted: Wanted,
  owners: readonly Owner[],
): Lock | undefined {
  if (owners.every((owner) => owner.locks.size === 0)) return undefined
  let found: Lock | undefined
  visitNodes(table, wanted, (node) => {
    found = node.holds.find((item) => owners.includes(item.by.owner) && covers(item, wanted))?.by
    return found !== undefined
  })
  return found
}

/** All holds of an owner that cover what is wanted. */
export function coveringLocks(table: LockTable, wanted: Wanted, owner: Owner): Lock[] {
  const found: Lock[] = []
  if (owner.locks.size === 0) return found
  visitNodes(table, wanted, (node) => {
    for (const item of node.holds) {
      if (item.by.owner === owner && covers(item, wanted)) found.push(item.by)
    }
    return false
  })
  return found
}

/** The owner's hold on exactly this one thing: what a stronger request changes (locks §12). */
export function singleHold(table: LockTable, wanted: Scope, owner: Owner): Lock | undefined {
  const node = findNode(table, wanted.folded, wanted.key)
  const found = node?.holds.find(
    (item) => item.by.owner === owner && item.by.items.length === 1 && isSameThing(item, wanted),
  )
  return found?.by
}

export function isSameThing(a: Scope, b: Scope): boolean {
  if (a.folded !== b.folded || a.key !== b.key) return false
  return a.range?.start === b.range?.start && a.range?.end === b.range?.end
}

/** Whether two items conflict where both stand: for pairs that are not both in the table. */
export function itemsConflict(a: Wanted, b: Wanted): boolean {
  if (a.folded === b.folded && a.key === b.key) {
    if (a.range === undefined || b.range === undefined) {
      return (conflictsOf(modeOnNode(a)) & (1 << modeOnNode(b))) !== 0
    }
    return overlaps(a.range, b.range) && (conflictsOf(a.mode) & (1 << b.mode)) !== 0
  }
  // A metadata key has nothing below it and stands in its folder.
  const isAbove = (upper: Wanted, lower: Wanted): boolean =>
    upper.key === undefined && upper.folded !== lower.folded && isWithin(upper.folded, lower.folded)
  if (isAbove(a, b)) return (conflictsOf(modeOnNode(a)) & (1 << intentionOf(b.mode))) !== 0
  return isAbove(b, a) && (conflictsOf(modeOnNode(b)) & (1 << intentionOf(a.mode))) !== 0
}
