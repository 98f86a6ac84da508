import { isBlocked } from './conflict.ts'
import { conflictsOf, MODES, type Mode } from './mode.ts'
import type { Freed, LockTable, Owner, Ticket } from './table.ts'

/**
 * Waking up (locks §42): who can be granted after something was released, in ticket order.
 *
 * `grantable` yields one ticket at a time; the caller applies its grant before asking for the next.
 * Only queues in conflict with what left are looked at, and each queue only as far as somebody in it
 * can still go: after two different owners in conflict with a mode stand ahead, nobody behind them
 * can, whoever he is. So a hand-over on a hot file looks at two or three tickets, not at a thousand.
 *
 * Why the order of nodes does not matter: a ticket is refused here while an earlier one in conflict
 * still waits anywhere on its path, so a later ticket never overtakes; and what is granted only ever
 * blocks more.
 */
export function* grantable(table: LockTable): Generator<Ticket> {
  for (let freed = table.freed.shift(); freed !== undefined; freed = table.freed.shift()) {
    yield* walk(table, freed)
  }
}

interface Ahead {
  owner: Owner
  /** 1 when it is a ticket that still waits, 0 when it was granted just now. */
  waiting: number
  several: boolean
}

function* walk(table: LockTable, { node, mode: left }: Freed): Generator<Ticket> {
  const ahead: (Ahead | undefined)[] = new Array(MODES)
  const lines: { mode: Mode; rest: Iterator<Ticket>; next: Ticket }[] = []
  for (let mode = 0; mode < MODES; mode++) {
    if ((node.waitMask & conflictsOf(left) & (1 << mode)) === 0) continue
    const rest = (node.queues[mode] as Map<number, Ticket>).values()
    const first = rest.next()
    if (first.done !== true) lines.push({ mode: mode as Mode, rest, next: first.value })
  }
  while (lines.length > 0) {
    const line = lines.reduce((a, b) => (b.next.id < a.next.id ? b : a))
    const ticket = line.next
    const following = line.rest.next()
    const before = ahead[line.mode]
    // Nobody in this line can go any more: stop before touching the rest of it.
    const isBehindOther = before !== undefined && before.owner !== ticket.owner
    const isHopeless =
      before !== undefined &&
      (before.several || (isBehindOther && before.owner.tickets.size <= before.waiting))
    if (following.done === true || isHopeless) lines.splice(lines.indexOf(line), 1)
    else line.next = following.value
    if (isHopeless) continue
    const isGranted = !isBehindOther && !isBlocked(table, ticket.items, ticket.owner, ticket.id)
    if (isGranted) yield ticket
    standAhead(ahead, line.mode, ticket.owner, isGranted ? 0 : 1)
  }
}

/** Granted or still waiting, the ticket now blocks every later one in conflict with it here. */
function standAhead(ahead: (Ahead | undefined)[], mode: Mode, owner: Owner, waiting: number): void {
  for (let other = 0; other < MODES; other++) {
    if ((conflictsOf(mode) & (1 << other)) === 0) continue
    const known = ahead[other]
    if (known === undefined) ahead[other] = { owner, waiting, several: false }
    else if (known.owner !== owner) known.several = true
  }
}
