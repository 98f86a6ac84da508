import { isWithin } from '../../contract/path.ts'
import { conflictsOf, intentionOf, MODES, type Mode } from './mode.ts'
import {
  type Item,
  type Lock,
  type LockNode,
  type LockTable,
  namesOf,
  type Owner,
  type Ticket,
  visitPath,
} from './table.ts'

/** Who is in the way of what: the questions that every decision about locks asks. */

/** What is asked for, before it has a node. */
export interface Wanted {
  path: string
  mode: Mode
}

/** Whether a hold of somebody outside `owners` conflicts with `mode` on `path`. */
export function conflictsWithHolds(
  table: LockTable,
  path: string,
  mode: Mode,
  owners: readonly Owner[],
): boolean {
  return visitPath(table, path, mode, (node, here) => heldByOthers(node, here, owners))
}

/**
 * locks §8: grant only what conflicts with no holder and with no earlier waiter it conflicts with.
 * `before` is the ticket's own number, or infinity for a newcomer.
 */
export function isBlocked(
  table: LockTable,
  wanted: readonly Wanted[],
  owner: Owner,
  before: number,
): boolean {
  const owners = [owner]
  return wanted.some(({ path, mode }) =>
    visitPath(
      table,
      path,
      mode,
      (node, here) =>
        heldByOthers(node, here, owners) || earlierWaiter(node, here, owner, before) !== undefined,
    ),
  )
}

function heldByOthers(node: LockNode, mode: Mode, owners: readonly Owner[]): boolean {
  const mask = node.heldMask & conflictsOf(mode)
  if (mask === 0) return false
  let others = 0
  for (let held = 0; held < MODES; held++) {
    if ((mask & (1 << held)) !== 0) others += node.held[held] as number
  }
  for (const lock of node.holds) {
    if (!owners.includes(lock.owner)) continue
    for (const item of lock.items) if (item.node === node) others -= (mask >> item.mode) & 1
  }
  // Intentions come from below; only a request for a whole subtree meets them.
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

/** 1 when the item puts an intention of the mask on this node, else 0. */
function standsBelow(item: Item, node: LockNode, mask: number): number {
  for (let above = item.node.parent; above !== null; above = above.parent) {
    if (above === node) return (mask >> intentionOf(item.mode)) & 1
  }
  return 0
}

/** The holds whose own node is this path. */
export function holdsOn(table: LockTable, path: string): readonly Lock[] {
  let node: LockNode | undefined = table.root
  for (const name of namesOf(path)) {
    node = node.children?.get(name)
    if (node === undefined) return []
  }
  return node.holds
}

/** The owner's hold on exactly this one path: what a stronger request raises (locks §12). */
export function singleHold(table: LockTable, path: string, owner: Owner): Lock | undefined {
  return holdsOn(table, path).find((lock) => lock.owner === owner && lock.items.length === 1)
}

function earlierWaiter(
  node: LockNode,
  mode: Mode,
  owner: Owner,
  before: number,
): Ticket | undefined {
  const mask = node.waitMask & conflictsOf(mode)
  if (mask === 0) return undefined
  for (let waiting = 0; waiting < MODES; waiting++) {
    if ((mask & (1 << waiting)) === 0) continue
    for (const ticket of node.queues[waiting]?.values() ?? []) {
      if (ticket.id >= before) break
      if (ticket.owner !== owner) return ticket
    }
  }
  return undefined
}

/** Up to `limit` holds of others that conflict with `mode` on `path`, with the item in the way. */
export function holdersInTheWay(
  table: LockTable,
  path: string,
  mode: Mode,
  owners: readonly Owner[],
  limit: number,
): { lock: Lock; item: Item }[] {
  const found: { lock: Lock; item: Item }[] = []
  const add = (node: LockNode, mask: number): void => {
    for (const lock of node.holds) {
      if (found.length >= limit) return
      if (owners.includes(lock.owner)) continue
      const item = lock.items.find((one) => one.node === node && ((mask >> one.mode) & 1) === 1)
      if (item !== undefined) found.push({ lock, item })
    }
  }
  const below = (node: LockNode, mask: number): void => {
    for (const child of node.children?.values() ?? []) {
      if (found.length >= limit) return
      if ((child.heldMask & (mask | (mask >> 4))) === 0) continue
      add(child, mask)
      below(child, mask)
    }
  }
  visitPath(table, path, mode, (node, here) => {
    const mask = node.heldMask & conflictsOf(here)
    if (mask !== 0) {
      add(node, mask)
      // Intentions of this node come from holds below it, in the matching leaf modes.
      if ((mask & 0x0f) !== 0 && here === mode) below(node, (mask & 0x0f) << 4)
    }
    return found.length >= limit
  })
  return found
}

/** How many wait for something in conflict with `mode` on `path`, at its most crowded node. */
export function countWaiting(table: LockTable, path: string, mode: Mode): number {
  let most = 0
  visitPath(table, path, mode, (node, here) => {
    let waiting = 0
    for (let other = 0; other < MODES; other++) {
      if ((conflictsOf(here) & (1 << other)) !== 0) waiting += node.queues[other]?.size ?? 0
    }
    most = Math.max(most, waiting)
    return false
  })
  return most
}

/** The hold of one of `owners` that covers `path` in at least `mode`, if there is one. */
export function coveringLock(
  table: LockTable,
  path: string,
  mode: Mode,
  owners: readonly Owner[],
): Lock | undefined {
  if (owners.every((owner) => owner.locks.size === 0)) return undefined
  const covers = (node: LockNode, isLeaf: boolean): Lock | undefined =>
    node.holds.find(
      (lock) =>
        owners.includes(lock.owner) &&
        lock.items.some(
          (item) => item.node === node && item.mode >= mode && (isLeaf || item.subtree),
        ),
    )
  let node: LockNode | undefined = table.root
  const names = namesOf(path)
  for (const name of names) {
    const found = covers(node, false)
    if (found !== undefined) return found
    node = node.children?.get(name)
    if (node === undefined) return undefined
  }
  return covers(node, true)
}

/** Whether a lock's items cover `path` in at least `mode`. */
export function lockCovers(lock: Lock, path: string, mode: Mode): boolean {
  return lock.items.some(
    (item) =>
      item.mode >= mode && (item.path === path || (item.subtree && isWithin(item.path, path))),
  )
}
