import { conflictsOf, intentionOf, MODES, type Mode } from './mode.ts'
import { RangeList } from './range.ts'
import {
  type HeldItem,
  heldCount,
  type Item,
  type Lock,
  type LockNode,
  type LockTable,
  modeOnNode,
  newOwner,
  nodeAt,
  type Owner,
  type RangedItem,
  type Ranges,
  type Ticket,
} from './table.ts'
import { WaitQueue } from './wait-queue.ts'

/**
 * How locks and tickets come to stand in the table, and leave it. Keeps the invariants of table.ts,
 * and notes in `freed` where somebody may be able to go now; whom that wakes is for wake.ts.
 */
export function addLock(table: LockTable, lock: Lock): void {
  for (const item of lock.items) hold(item, lock)
  table.locks.set(lock.id, lock)
  lock.owner.locks.add(lock)
  countsOf(table, lock.owner.agent).held += 1
  if (lock.ticket !== undefined) table.byTicket.set(lock.ticket, lock)
}

export function removeLock(table: LockTable, lock: Lock): void {
  for (const item of lock.items) unhold(table, item)
  table.locks.delete(lock.id)
  lock.owner.locks.delete(lock)
  countsOf(table, lock.owner.agent).held -= 1
  if (lock.ticket !== undefined) table.byTicket.delete(lock.ticket)
}

/** Keeps what a lost lock had closed to everybody. */
export function closeLost(table: LockTable, lost: Lock, until: number): void {
  const closed: Lock = {
    ...lost,
    owner: newOwner(lost.owner.session, lost.owner.agent),
    items: lost.items.map((item) => ({
      ...item,
      node: nodeAt(table, item.folded, item.key),
      range: item.range && { ...item.range },
    })),
    recall: undefined,
    closedUntil: until,
  }
  for (const item of closed.items) hold(item, closed)
  table.closed.set(closed.id, closed)
}

export function openClosed(table: LockTable, closed: Lock): void {
  for (const item of closed.items) unhold(table, item)
  table.closed.delete(closed.id)
}

/** Replaces the items of a held lock by others of the same paths. Waking is left to what they free. */
export function replaceItems(table: LockTable, lock: Lock, items: Item[]): void {
  for (const item of items) hold(item, lock)
  for (const [index, item] of lock.items.entries()) {
    const known = table.freed.length
    unhold(table, item)
    if ((items[index] as Item).mode >= item.mode) nobodyLeft(table, known)
  }
  lock.items = items
}

/** What was freed since stands there still, under another name: no readers enter for it (locks §18). */
export function nobodyLeft(table: LockTable, since: number): void {
  for (const freed of table.freed.slice(since)) freed.isHold = false
}

function rangesOf(node: LockNode): Ranges {
  node.ranges ??= { held: new RangeList(), waiting: new RangeList() }
  return node.ranges
}

function hold(item: Item, lock: Lock): void {
  const { node } = item
  item.by = lock
  // Most files have one holder at most, and the first push to a list makes room for seventeen.
  if (node.holds.length === 0) node.holds = [item as HeldItem]
  else node.holds.push(item as HeldItem)
  if (item.range !== undefined) rangesOf(node).held.add(item as RangedItem)
  count(node, modeOnNode(item))
  const intention = intentionOf(item.mode)
  for (let above = node.parent; above !== null; above = above.parent) count(above, intention)
}

function count(node: LockNode, mode: Mode): void {
  const bit = 1 << mode
  if ((node.heldMask & bit) !== 0) {
    node.held ??= EVERY_MODE.map((one) => (node.heldMask >> one) & 1)
    node.held[mode] = (node.held[mode] as number) + 1
  } else if (node.held !== null) node.held[mode] = 1
  node.heldMask |= bit
}

const EVERY_MODE: readonly number[] = Array.from({ length: MODES }, (_, mode) => mode)

function unhold(table: LockTable, item: Item): void {
  const { node } = item
  node.holds.splice(node.holds.indexOf(item as HeldItem), 1)
  if (item.range !== undefined) {
    const { held, waiting } = rangesOf(node)
    held.delete(item as RangedItem)
    if (waiting.size > 0) {
      table.freed.push({ node, mode: item.mode, range: item.range, isHold: true })
    }
  }
  uncount(table, node, modeOnNode(item))
  const intention = intentionOf(item.mode)
  for (let above = node.parent; above !== null; above = above.parent) {
    uncount(table, above, intention)
  }
  prune(node)
}

function uncount(table: LockTable, node: LockNode, mode: Mode): void {
  const left = heldCount(node, mode) - 1
  if (node.held !== null) node.held[mode] = left
  if (left === 0) node.heldMask &= ~(1 << mode)
  if ((node.waitMask & conflictsOf(mode)) !== 0) {
    table.freed.push({ node, mode, range: undefined, isHold: true })
  }
}

export function addTicket(table: LockTable, ticket: Ticket): void {
  for (const item of ticket.items) {
    const { node } = item
    item.by = ticket
    if (item.range !== undefined) rangesOf(node).waiting.add(item as RangedItem)
    enqueue(node, modeOnNode(item), ticket)
    const intention = intentionOf(item.mode)
    for (let above = node.parent; above !== null; above = above.parent) {
      enqueue(above, intention, ticket)
    }
  }
  table.tickets.set(ticket.id, ticket)
  ticket.owner.tickets.add(ticket)
  countsOf(table, ticket.owner.agent).waiting += 1
}

function enqueue(node: LockNode, mode: Mode, ticket: Ticket): void {
  node.lines ??= new Array(8).fill(undefined)
  let line = node.lines[mode]
  if (line === undefined) {
    line = new WaitQueue()
    node.lines[mode] = line
  }
  line.add(ticket)
  node.waitMask |= 1 << mode
}

export function removeTicket(table: LockTable, ticket: Ticket): void {
  for (const item of ticket.items) {
    const { node } = item
    if (item.range !== undefined) {
      const { waiting } = rangesOf(node)
      waiting.delete(item as RangedItem)
      if (waiting.size > 0) {
        table.freed.push({ node, mode: item.mode, range: item.range, isHold: false })
      }
    }
    dequeue(table, node, modeOnNode(item), ticket)
    const intention = intentionOf(item.mode)
    for (let above = node.parent; above !== null; above = above.parent) {
      dequeue(table, above, intention, ticket)
    }
  }
  for (const item of ticket.items) prune(item.node)
  table.tickets.delete(ticket.id)
  ticket.owner.tickets.delete(ticket)
  countsOf(table, ticket.owner.agent).waiting -= 1
}

/** Gives a waiting ticket another place. */
export function moveTicket(table: LockTable, ticket: Ticket, rank: number, seq: number): void {
  removeTicket(table, ticket)
  ticket.rank = rank
  ticket.seq = seq
  for (const item of ticket.items) item.node = nodeAt(table, item.folded, item.key)
  addTicket(table, ticket)
  // Ahead of others now, it may be able to go.
  table.moved.push(ticket)
}

function dequeue(table: LockTable, node: LockNode, mode: Mode, ticket: Ticket): void {
  const line = node.lines?.[mode]
  if (line === undefined || !line.delete(ticket)) return
  if (line.size === 0) {
    ;(node.lines as (WaitQueue<Ticket> | undefined)[])[mode] = undefined
    node.waitMask &= ~(1 << mode)
    if (node.waitMask === 0) node.lines = null
  }
  // Whoever waited only behind this ticket may go now.
  if ((node.waitMask & conflictsOf(mode)) !== 0) {
    table.freed.push({ node, mode, range: undefined, isHold: false })
  }
}

/** Deletes empty nodes upwards (locks §14). */
function prune(from: LockNode): void {
  let node = from
  while (
    node.parent !== null &&
    node.heldMask === 0 &&
    node.waitMask === 0 &&
    (node.children === null || node.children.size === 0)
  ) {
    node.parent.children?.delete(node.name)
    node = node.parent
  }
}

/** An owner that has nothing is forgotten; an agent with no counts too. */
export function forgetIdle(table: LockTable, owner: Owner): void {
  if (owner.locks.size === 0 && owner.tickets.size === 0 && owner.lost.length === 0) {
    table.owners.delete(owner.session)
  }
  const counts = table.agents.get(owner.agent)
  if (counts !== undefined && counts.held === 0 && counts.waiting === 0) {
    table.agents.delete(owner.agent)
  }
}

function countsOf(table: LockTable, agent: string): { held: number; waiting: number } {
  let counts = table.agents.get(agent)
  if (counts === undefined) {
    counts = { held: 0, waiting: 0 }
    table.agents.set(agent, counts)
  }
  return counts
}
