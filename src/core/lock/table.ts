import { BoundedMap } from '../bounded-map.ts'
import { conflictsOf, intentionOf, type Mode } from './mode.ts'

/**
 * The lock table: a tree of the names that somebody holds or waits for.
 *
 * Owns: which holds and tickets stand on which node, and the masks that make a check cheap.
 *
 * Invariants (asserted by core/check.ts):
 *  1. A hold's leaf mode is counted on its own node, its intention on every ancestor (locks §3).
 *  2. `heldMask` / `waitMask` have a mode's bit exactly when its count / queue is not empty.
 *  3. Queues are in ticket order (Map insertion order; tickets only grow).
 *  4. A node with no hold, no ticket and no child does not exist (locks §14), save the root.
 *
 * Owners are excluded exactly: a mask says that somebody conflicts, and only then the asking owner's
 * own items are counted off. That keeps nodes small (no per-owner counts; 100,000 held locks stay
 * cheap), and an owner rarely holds much on a contended node.
 */
export interface LockNode {
  readonly name: string
  readonly parent: LockNode | null
  children: Map<string, LockNode> | null
  heldMask: number
  /** Count of holds by mode. */
  held: number[]
  /** Holds whose own node this is. */
  holds: Lock[]
  waitMask: number
  /** Tickets by mode, in order. */
  queues: (Map<number, Ticket> | null)[]
}

export interface Owner {
  session: string
  agent: string
  locks: Set<Lock>
  tickets: Set<Ticket>
  /** Holds that this owner lost without giving them back, newest last; at most `LOST_PER_OWNER`. */
  lost: LostLock[]
}

/** One path of a lock or ticket. */
export interface Item {
  path: string
  mode: Mode
  subtree: boolean
  node: LockNode
}

export interface Terms {
  ttlMs: number
  renew: 'activity' | 'explicit'
  intent: string | undefined
  priority: number | undefined
}

export interface Lock extends Terms {
  /** The revision of the grant. */
  id: number
  /** The revision of the last grant or raise: only grows. */
  fence: number
  owner: Owner
  items: Item[]
  /** Beside `items`: version of each file at the grant, 0 for none. */
  versions: number[]
  grantedAt: number
  /** The ticket it was granted through. */
  ticket: number | undefined
}

export interface Ticket extends Terms {
  id: number
  owner: Owner
  items: Item[]
  since: number
  /** The lock that the grant will raise in place. */
  raises: number | undefined
}

export interface LostLock {
  lock: Lock
  at: number
  reason: string
  by: string | undefined
  why: string | undefined
}

/** A mode that left a node on which somebody waits: where waking up begins. */
export interface Freed {
  node: LockNode
  mode: Mode
}

export interface LockTable {
  root: LockNode
  locks: Map<number, Lock>
  tickets: Map<number, Ticket>
  /** Lock by the ticket it was granted through. */
  byTicket: Map<number, Lock>
  owners: Map<string, Owner>
  agents: Map<string, { held: number; waiting: number }>
  /** The last `LOST_KEPT` locks that ended, to tell a late holder why. */
  ended: BoundedMap<number, LostLock>
  /** Not part of the state: filled while events are applied, drained by wake.ts. */
  freed: Freed[]
}

export const LOST_PER_OWNER = 128
export const LOST_KEPT = 10_000

export function newLockTable(): LockTable {
  return {
    root: newNode('', null),
    locks: new Map(),
    tickets: new Map(),
    byTicket: new Map(),
    owners: new Map(),
    agents: new Map(),
    ended: new BoundedMap(LOST_KEPT),
    freed: [],
  }
}

function newNode(name: string, parent: LockNode | null): LockNode {
  return {
    name,
    parent,
    children: null,
    heldMask: 0,
    held: [0, 0, 0, 0, 0, 0, 0, 0],
    holds: [],
    waitMask: 0,
    queues: [null, null, null, null, null, null, null, null],
  }
}

/** Do not change what it returns: one decision asks for the same path again and again. */
export function namesOf(path: string): readonly string[] {
  if (path !== lastPath) {
    lastPath = path
    lastNames = path === '/' ? [] : path.slice(1).split('/')
  }
  return lastNames
}

let lastPath = '/'
let lastNames: readonly string[] = []

/** The node of a path, made if needed. The caller must put something on it or prune it. */
export function nodeAt(table: LockTable, path: string): LockNode {
  let node = table.root
  for (const name of namesOf(path)) {
    node.children ??= new Map()
    let child = node.children.get(name)
    if (child === undefined) {
      child = newNode(name, node)
      node.children.set(name, child)
    }
    node = child
  }
  return node
}

/** Calls `visit` on the nodes from the root to the path, as far as they exist, with the mode that
 * `mode` on the path means there. Stops early when `visit` returns true, and returns that. */
export function visitPath(
  table: LockTable,
  path: string,
  mode: Mode,
  visit: (node: LockNode, mode: Mode) => boolean,
): boolean {
  const intention = intentionOf(mode)
  const names = namesOf(path)
  let node: LockNode | undefined = table.root
  for (const name of names) {
    if (visit(node, intention)) return true
    node = node.children?.get(name)
    if (node === undefined) return false
  }
  return visit(node, mode)
}

export function ownerOf(table: LockTable, session: string, agent: string): Owner {
  let owner = table.owners.get(session)
  if (owner === undefined) {
    owner = { session, agent, locks: new Set(), tickets: new Set(), lost: [] }
    table.owners.set(session, owner)
  }
  return owner
}

function countsOf(table: LockTable, agent: string): { held: number; waiting: number } {
  let counts = table.agents.get(agent)
  if (counts === undefined) {
    counts = { held: 0, waiting: 0 }
    table.agents.set(agent, counts)
  }
  return counts
}

export function addLock(table: LockTable, lock: Lock): void {
  for (const item of lock.items) hold(item, lock)
  table.locks.set(lock.id, lock)
  lock.owner.locks.add(lock)
  countsOf(table, lock.owner.agent).held += 1
  if (lock.ticket !== undefined) table.byTicket.set(lock.ticket, lock)
}

export function removeLock(table: LockTable, lock: Lock): void {
  for (const item of lock.items) unhold(table, item, lock)
  table.locks.delete(lock.id)
  lock.owner.locks.delete(lock)
  countsOf(table, lock.owner.agent).held -= 1
  if (lock.ticket !== undefined) table.byTicket.delete(lock.ticket)
}

/** Replaces the items of a held lock (a raise). Waking is left to what the old items free. */
export function replaceItems(table: LockTable, lock: Lock, items: Item[]): void {
  for (const item of items) hold(item, lock)
  for (const item of lock.items) unhold(table, item, lock)
  lock.items = items
}

function hold(item: Item, lock: Lock): void {
  item.node.holds.push(lock)
  count(item.node, item.mode)
  const intention = intentionOf(item.mode)
  for (let node = item.node.parent; node !== null; node = node.parent) count(node, intention)
}

function count(node: LockNode, mode: Mode): void {
  node.held[mode] = (node.held[mode] as number) + 1
  node.heldMask |= 1 << mode
}

function unhold(table: LockTable, item: Item, lock: Lock): void {
  item.node.holds.splice(item.node.holds.indexOf(lock), 1)
  uncount(table, item.node, item.mode)
  const intention = intentionOf(item.mode)
  for (let node = item.node.parent; node !== null; node = node.parent) {
    uncount(table, node, intention)
  }
  prune(item.node)
}

function uncount(table: LockTable, node: LockNode, mode: Mode): void {
  const left = (node.held[mode] as number) - 1
  node.held[mode] = left
  if (left === 0) node.heldMask &= ~(1 << mode)
  if ((node.waitMask & conflictsOf(mode)) !== 0) table.freed.push({ node, mode })
}

export function addTicket(table: LockTable, ticket: Ticket): void {
  for (const item of ticket.items) {
    enqueue(item.node, item.mode, ticket)
    const intention = intentionOf(item.mode)
    for (let node = item.node.parent; node !== null; node = node.parent) {
      enqueue(node, intention, ticket)
    }
  }
  table.tickets.set(ticket.id, ticket)
  ticket.owner.tickets.add(ticket)
  countsOf(table, ticket.owner.agent).waiting += 1
}

function enqueue(node: LockNode, mode: Mode, ticket: Ticket): void {
  let queue = node.queues[mode]
  if (queue == null) {
    queue = new Map()
    node.queues[mode] = queue
  }
  queue.set(ticket.id, ticket)
  node.waitMask |= 1 << mode
}

export function removeTicket(table: LockTable, ticket: Ticket): void {
  for (const item of ticket.items) {
    dequeue(table, item.node, item.mode, ticket)
    const intention = intentionOf(item.mode)
    for (let node = item.node.parent; node !== null; node = node.parent) {
      dequeue(table, node, intention, ticket)
    }
  }
  for (const item of ticket.items) prune(item.node)
  table.tickets.delete(ticket.id)
  ticket.owner.tickets.delete(ticket)
  countsOf(table, ticket.owner.agent).waiting -= 1
}

function dequeue(table: LockTable, node: LockNode, mode: Mode, ticket: Ticket): void {
  const queue = node.queues[mode]
  if (queue == null || !queue.delete(ticket.id)) return
  if (queue.size === 0) {
    node.queues[mode] = null
    node.waitMask &= ~(1 << mode)
  }
  // Whoever waited only behind this ticket may go now.
  if ((node.waitMask & conflictsOf(mode)) !== 0) table.freed.push({ node, mode })
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
