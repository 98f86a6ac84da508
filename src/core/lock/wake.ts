import type { Settings } from '../../contract/events.ts'
import { type Asking, visitNodes } from './conflict.ts'
import { conflictsOf, MODE, MODES, type Mode } from './mode.ts'
import { comparePlaces } from './order.ts'
import type { Freed, LockNode, LockTable, Owner, Ticket } from './table.ts'
import type { WaitQueue } from './wait-queue.ts'
import { type Grant, servable, whoGoes } from './win-limit.ts'

/**
 * Waking up (locks §42): who can be granted after something was released, in the order of places.
 *
 * Yields one turn at a time; the caller applies its grant before asking for the next. Only lines in
 * conflict with what left are looked at, and each only as far as somebody in it can still go: after
 * two different owners in conflict with a mode stand ahead, nobody behind them can, whoever he is.
 * So a hand-over on a hot file looks at two or three tickets, not at a thousand.
 *
 * Why the order of nodes does not matter: a ticket is refused here while one ahead in conflict still
 * waits anywhere on its path, so a later ticket never overtakes; and what is granted only ever blocks
 * more. What an `any` leaves behind is freed like everything else, and looked at again.
 */
export function* turns(table: LockTable, settings: Settings): Generator<Grant> {
  const wake = new Wake(table, settings)
  if (settings.order === 'fcfs') yield* wake.phase()
  for (;;) {
    const moved = table.moved.shift()
    const freed = moved === undefined ? table.freed.shift() : undefined
    if (moved !== undefined) yield* wake.consider(moved)
    else if (freed === undefined) return
    else if (freed.range !== undefined) yield* wake.walkRanges(freed)
    else yield* wake.walk(freed)
  }
}

interface Ahead {
  owner: Owner
  /** 1 when it is a ticket that still waits, 0 when it was granted just now. */
  waiting: number
  several: boolean
}

class Wake {
  private readonly table: LockTable
  private readonly settings: Settings

  constructor(table: LockTable, settings: Settings) {
    this.table = table
    this.settings = settings
  }

  /** Serves a ticket if it can go, or whoever goes instead (locks §21). Says whether it went. */
  *consider(ticket: Ticket, passing?: Asking['passing']): Generator<Grant, boolean> {
    const { table, settings } = this
    if (!table.tickets.has(ticket.id)) return false
    const asking: Asking = { owners: [ticket.owner], place: ticket, ...(passing && { passing }) }
    for (;;) {
      const items = servable(table, ticket.items, ticket.any, asking)
      if (items === undefined) return false
      const grant = whoGoes(table, settings, { ticket, items })
      yield grant
      if (grant.ticket === ticket) return true
    }
  }

  /**
   * locks §18: when a writer leaves, all readers waiting at that moment enter, past the writers that
   * wait there. Readers that come later wait behind those, so the phases alternate.
   */
  *phase(): Generator<Grant> {
    const left = new Map<LockNode, number>()
    for (const { node, mode, range, isHold } of this.table.freed) {
      if (!isHold || range !== undefined || (WRITERS & (1 << mode)) === 0) continue
      left.set(node, (left.get(node) ?? 0) | (1 << mode))
    }
    const readers = new Set<Ticket>()
    for (const [node, modes] of left) {
      for (let mode = 0; mode < MODES; mode++) {
        if ((READERS & (1 << mode)) === 0 || (modes & conflictsOf(mode as Mode)) === 0) continue
        this.gather(node, mode as Mode, readers)
      }
    }
    for (const ticket of [...readers].sort(comparePlaces)) {
      yield* this.consider(ticket, openedFor(this.table, ticket, left))
    }
  }

  private gather(node: LockNode, mode: Mode, readers: Set<Ticket>): void {
    const line = node.lines?.[mode]
    if (line === undefined) return
    // While another writer holds here, only who owns that hold could go.
    const isOpen = (node.heldMask & conflictsOf(mode)) === 0
    for (const ticket of line) {
      if (!isOpen && ticket.owner.locks.size === 0) continue
      // Who waits for something else too could come to wait for those it passes.
      if (ticket.any !== undefined || ticket.owner.tickets.size > 1) continue
      const reads = ticket.items.every((item) => item.mode === MODE.R || item.mode === MODE.S)
      if (reads) readers.add(ticket)
    }
  }

  *walkRanges({ node, mode, range }: Freed): Generator<Grant> {
    if (node.ranges === null || range === undefined) return
    const tickets = new Set<Ticket>()
    for (const { mode: other, by } of node.ranges.waiting.overlapping(range)) {
      if ((conflictsOf(mode) & (1 << other)) !== 0) tickets.add(by as Ticket)
    }
    for (const ticket of [...tickets].sort(comparePlaces)) yield* this.consider(ticket)
  }

  *walk({ node, mode: left }: Freed): Generator<Grant> {
    const ahead: (Ahead | undefined)[] = new Array(MODES)
    const lines: { mode: Mode; line: WaitQueue<Ticket>; next: Ticket }[] = []
    for (let mode = 0; mode < MODES; mode++) {
      if ((node.waitMask & conflictsOf(left) & (1 << mode)) === 0) continue
      const line = node.lines?.[mode] as WaitQueue<Ticket>
      lines.push({ mode: mode as Mode, line, next: line.first as Ticket })
    }
    while (lines.length > 0) {
      const here = lines.reduce((a, b) => (comparePlaces(b.next, a.next) < 0 ? b : a))
      const ticket = here.next
      const before = ahead[here.mode]
      // Nobody in this line can go any more: stop before touching the rest of it.
      const isBehindOther = before !== undefined && before.owner !== ticket.owner
      const isHopeless =
        before !== undefined &&
        (before.several || (isBehindOther && before.owner.tickets.size <= before.waiting))
      if (isHopeless) {
        lines.splice(lines.indexOf(here), 1)
        continue
      }
      const following = here.line.after(ticket)
      if (following === undefined) lines.splice(lines.indexOf(here), 1)
      else here.next = following
      const isGranted = !isBehindOther && (yield* this.consider(ticket))
      standAhead(ahead, here.mode, ticket.owner, isGranted ? 0 : 1)
    }
  }
}

/** The nodes where a writer that stood against a ticket has left. */
function openedFor(
  table: LockTable,
  ticket: Ticket,
  left: ReadonlyMap<LockNode, number>,
): Set<LockNode> {
  const opened = new Set<LockNode>()
  for (const item of ticket.items) {
    visitNodes(table, item, (node, mode) => {
      if (((left.get(node) ?? 0) & conflictsOf(mode)) !== 0) opened.add(node)
      return false
    })
  }
  return opened
}

const WRITERS = (1 << MODE.IW) | (1 << MODE.IX) | (1 << MODE.W) | (1 << MODE.X)
const READERS = (1 << MODE.IR) | (1 << MODE.IS) | (1 << MODE.R) | (1 << MODE.S)

/** Granted or still waiting, the ticket now blocks every later one in conflict with it here. */
function standAhead(ahead: (Ahead | undefined)[], mode: Mode, owner: Owner, waiting: number): void {
  for (let other = 0; other < MODES; other++) {
    if ((conflictsOf(mode) & (1 << other)) === 0) continue
    const known = ahead[other]
    if (known === undefined) ahead[other] = { owner, waiting, several: false }
    else if (known.owner !== owner) known.several = true
  }
}
