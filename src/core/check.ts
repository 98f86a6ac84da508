import { conflictsOf, intentionOf, MODES, type Mode } from './lock/mode.ts'
import { isAhead } from './lock/order.ts'
import { overlaps } from './lock/range.ts'
import {
  heldCount,
  type Item,
  type Lock,
  type LockNode,
  type LockTable,
  type Ticket,
} from './lock/table.ts'
import { WaitsFor } from './lock/waits-for.ts'
import type { State } from './state.ts'

/**
 * The invariants of locks.md that a state shows by itself, as assertions. Slow and plain on purpose:
 * it looks at holds pairwise and counts nodes anew, so that it shares no reasoning with the table.
 * Tests run it after every decision.
 */
export function check(state: State): void {
  checkHolds(state.locks)
  checkNode(state.locks, state.locks.root)
  checkWaiters(state.locks)
}

export class InvariantBroken extends Error {
  override name = 'InvariantBroken'
}

function broken(rule: string, what: string): never {
  throw new InvariantBroken(`${rule}: ${what}`)
}

/** All that stands against others: what is held, and what is kept closed after a loss. */
function standing(table: LockTable): Lock[] {
  return [...table.locks.values(), ...table.closed.values()]
}

/** I1: no two incompatible holds overlap; what one session lost never stood against its own. I2: fences
 * are distinct. */
function checkHolds(table: LockTable): void {
  const all = standing(table)
  for (const [index, a] of all.entries()) {
    const map = a.closedUntil === undefined ? table.locks : table.closed
    if (map.get(a.id) !== a) broken('I2', `lock L${a.id} stands under another id`)
    for (const b of all.slice(index + 1)) {
      if (
        a.owner.session !== b.owner.session &&
        a.items.some((x) => b.items.some((y) => clash(x, y)))
      ) {
        broken('I1', `L${a.id} (${told(a)}) and L${b.id} (${told(b)}) are both held`)
      }
      if (a.fence === b.fence) broken('I2', `L${a.id} and L${b.id} share fence ${a.fence}`)
    }
  }
}

/** Leaf against leaf on overlapping paths: locks §2, without the tree. */
function clash(a: Item, b: Item): boolean {
  return meet(a, b) && (conflictsOf(a.mode) & (1 << b.mode)) !== 0
}

function meet(a: Item, b: Item): boolean {
  if (a.folded !== b.folded) {
    const [upper, lower] = a.folded.length < b.folded.length ? [a, b] : [b, a]
    return upper.key === undefined && isBelow(upper.folded, lower.folded)
  }
  if (a.key !== b.key) return false
  if (a.range === undefined || b.range === undefined) return true
  return overlaps(a.range, b.range)
}

function isBelow(folder: string, path: string): boolean {
  return folder === '/' ? path !== '/' : path.startsWith(`${folder}/`)
}

function told(lock: Lock): string {
  return `${lock.owner.session} ${lock.items.map((item) => `${item.mode} ${item.path}`).join(', ')}`
}

/** The table's own invariants: masks, counts, no empty nodes. */
function checkNode(table: LockTable, node: LockNode): void {
  const counts = new Array(MODES).fill(0)
  for (const lock of standing(table)) {
    for (const item of lock.items) {
      const mode = modeOn(item, node)
      if (mode !== undefined) counts[mode] += 1
    }
  }
  for (let mode = 0; mode < MODES; mode++) {
    if (counts[mode] !== heldCount(node, mode)) {
      broken(
        'table',
        `${node.name || '/'} counts ${heldCount(node, mode)} of mode ${mode}, not ${counts[mode]}`,
      )
    }
    if ((((node.heldMask >> mode) & 1) === 1) !== counts[mode] > 0)
      broken('table', 'held mask is off')
    const line = [...(node.lines?.[mode] ?? [])]
    if ((((node.waitMask >> mode) & 1) === 1) !== line.length > 0) {
      broken('table', 'wait mask is off')
    }
    if (line.length !== (node.lines?.[mode]?.size ?? 0)) broken('table', 'a line is miscounted')
    if (line.some((one, index) => index > 0 && !isAhead(line[index - 1] as Ticket, one))) {
      broken('table', 'a line is out of order')
    }
  }
  const isEmpty = node.heldMask === 0 && node.waitMask === 0 && (node.children?.size ?? 0) === 0
  if (isEmpty && node.parent !== null) broken('§14', `the empty node ${node.name} was kept`)
  for (const child of node.children?.values() ?? []) checkNode(table, child)
}

function modeOn(item: Item, node: LockNode): Mode | undefined {
  if (item.node === node) return item.range === undefined ? item.mode : intentionOf(item.mode)
  for (let above = item.node.parent; above !== null; above = above.parent) {
    if (above === node) return intentionOf(item.mode)
  }
  return undefined
}

/** §8: whoever waits has a reason: a holder or a waiter ahead, of another owner, in conflict. */
function checkWaiters(table: LockTable): void {
  const tickets = [...table.tickets.values()]
  for (const ticket of tickets) {
    const holders = standing(table).filter((lock) => lock.owner !== ticket.owner)
    const earlier = tickets.filter((one) => isAhead(one, ticket) && one.owner !== ticket.owner)
    const inTheWay = [...holders, ...earlier]
    const blocked = ticket.items.filter((item) =>
      inTheWay.some((other) => other.items.some((one) => clash(one, item))),
    )
    const enough = ticket.any === undefined ? 1 : ticket.items.length - ticket.any + 1
    if (blocked.length < enough) broken('§42', `T${ticket.id} waits for nobody`)
  }
  checkCycles(table)
}

/** I9: everybody who waits could be served in some order. */
function checkCycles(table: LockTable): void {
  const graph = new WaitsFor(table, {})
  for (const owner of table.owners.values()) {
    if (owner.tickets.size > 0 && graph.cycleThrough(owner) !== undefined) {
      broken('I9', `${owner.session} waits in a cycle`)
    }
  }
}
