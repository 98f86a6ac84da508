import { conflictsOf, intentionOf, MODES, type Mode } from './lock/mode.ts'
import type { Item, Lock, LockNode, LockTable } from './lock/table.ts'
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

/** I1: no two incompatible holds overlap. I2: fences are distinct. */
function checkHolds(table: LockTable): void {
  const all = [...table.locks.values()]
  for (const [index, a] of all.entries()) {
    if (table.locks.get(a.id) !== a) broken('I2', `lock L${a.id} stands under another id`)
    for (const b of all.slice(index + 1)) {
      if (a.owner !== b.owner && a.items.some((x) => b.items.some((y) => clash(x, y)))) {
        broken('I1', `L${a.id} (${told(a)}) and L${b.id} (${told(b)}) are both held`)
      }
      if (a.fence === b.fence) broken('I2', `L${a.id} and L${b.id} share fence ${a.fence}`)
    }
  }
}

function clash(a: Item, b: Item): boolean {
  const overlap = a.path === b.path || isBelow(a.path, b.path) || isBelow(b.path, a.path)
  return overlap && (conflictsOf(a.mode) & (1 << b.mode)) !== 0
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
  for (const lock of table.locks.values()) {
    for (const item of lock.items) {
      const mode = modeOn(item, node)
      if (mode !== undefined) counts[mode] += 1
    }
  }
  for (let mode = 0; mode < MODES; mode++) {
    if (counts[mode] !== node.held[mode]) {
      broken(
        'table',
        `${node.name || '/'} counts ${node.held[mode]} of mode ${mode}, not ${counts[mode]}`,
      )
    }
    if ((((node.heldMask >> mode) & 1) === 1) !== counts[mode] > 0)
      broken('table', 'held mask is off')
    const queue = node.queues[mode]
    if ((((node.waitMask >> mode) & 1) === 1) !== (queue != null && queue.size > 0)) {
      broken('table', 'wait mask is off')
    }
    const ids = [...(queue?.keys() ?? [])]
    if (ids.some((id, index) => index > 0 && id <= (ids[index - 1] as number))) {
      broken('table', 'a queue is out of order')
    }
  }
  const isEmpty = node.heldMask === 0 && node.waitMask === 0 && (node.children?.size ?? 0) === 0
  if (isEmpty && node.parent !== null) broken('§14', `the empty node ${node.name} was kept`)
  for (const child of node.children?.values() ?? []) checkNode(table, child)
}

function modeOn(item: Item, node: LockNode): Mode | undefined {
  if (item.node === node) return item.mode
  for (let above = item.node.parent; above !== null; above = above.parent) {
    if (above === node) return intentionOf(item.mode)
  }
  return undefined
}

/** §8: whoever waits has a reason: a holder or an earlier waiter of another owner in conflict. */
function checkWaiters(table: LockTable): void {
  const tickets = [...table.tickets.values()]
  for (const ticket of tickets) {
    const holders = [...table.locks.values()].filter((lock) => lock.owner !== ticket.owner)
    const earlier = tickets.filter((one) => one.id < ticket.id && one.owner !== ticket.owner)
    const isBlocked = [...holders, ...earlier].some((other) =>
      other.items.some((a) => ticket.items.some((b) => clash(a, b))),
    )
    if (!isBlocked) broken('§42', `T${ticket.id} waits for nobody`)
  }
}
