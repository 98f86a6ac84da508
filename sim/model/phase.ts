import type { Event } from '../../src/contract/events.ts'
import { leavesConflict, type ModelItem, meetingPoint } from './conflict.ts'
import type { ModelState } from './state.ts'
import { holdsAgainst, ticketsAgainst, type Waiting } from './waiting.ts'

/**
 * The phases of locks §18: where writers left in this decision, and who was waiting there by then.
 * Its own events come first; with the first grant to a ticket the moment is over.
 */
export class Phase {
  private readonly state: ModelState
  private readonly left: ModelItem[] = []
  private readonly waitingThen = new Set<number>()
  /** Sessions that waited with several tickets when it began: they pass nobody. */
  private readonly busy = new Set<string>()
  private isOver = false
  private entitled: number[] = []

  constructor(state: ModelState) {
    this.state = state
    const seen = new Set<string>()
    for (const { id, session } of state.tickets.values()) {
      this.waitingThen.add(id)
      if (seen.has(session)) this.busy.add(session)
      seen.add(session)
    }
  }

  before(event: Event): void {
    const isGrant =
      'ticket' in event && event.kind !== 'ticket-left' && event.kind !== 'ticket-moved'
    if (isGrant && event.ticket !== undefined) this.close()
    if (this.isOver) return
    const items = this.itemsLeaving(event)
    this.left.push(...items.filter((item) => item.leaf === 'write' || item.leaf === 'exclusive'))
  }

  /** Who was to enter is settled before anybody does. */
  close(): void {
    if (this.isOver) return
    this.isOver = true
    const queue = [...this.state.tickets.values()]
    this.entitled = queue
      .filter((ticket) => this.mayEnter(ticket, queue))
      .map((ticket) => ticket.id)
  }

  private itemsLeaving(event: Event): readonly ModelItem[] {
    if (event.kind === 'lock-released' && event.closedUntil === undefined) {
      return copies(this.state.holds.get(event.lock)?.items)
    }
    if (event.kind === 'lock-lowered') return copies(this.state.holds.get(event.lock)?.items)
    if (event.kind === 'lock-opened') return copies(this.state.closed.get(event.lock)?.items)
    return []
  }

  /** The nodes where a reader may pass waiters: a writer that stood against it left there. */
  private openNodes(ticket: Waiting): Set<string> {
    const open = new Set<string>()
    for (const item of ticket.items) {
      for (const left of this.left) {
        if (item.range !== undefined && left.range !== undefined && item.path === left.path)
          continue
        const at = meetingPoint(item, left)
        if (at !== undefined && leavesConflict(item.leaf, left.leaf)) open.add(at)
      }
    }
    return open
  }

  private isReader(ticket: Waiting): boolean {
    return (
      this.state.settings.order === 'fcfs' &&
      ticket.any === undefined &&
      this.waitingThen.has(ticket.id) &&
      !this.busy.has(ticket.session) &&
      ticket.items.every((item) => item.leaf === 'read' || item.leaf === 'stable')
    )
  }

  excuses(ticket: Waiting, passed: { other: Waiting; item: ModelItem }[]): boolean {
    if (!this.isReader(ticket)) return false
    const open = this.openNodes(ticket)
    return passed.every(({ other, item }) => meetsOnlyAt(open, item, other))
  }

  /** A reader that conflicts with no hold, and meets those ahead of it only where writers left. */
  private mayEnter(ticket: Waiting, queue: readonly Waiting[]): boolean {
    if (this.left.length === 0 || !this.isReader(ticket)) return false
    const open = this.openNodes(ticket)
    return (
      open.size > 0 &&
      ticket.items.every(
        (item) =>
          holdsAgainst(this.state, ticket.session, item).length === 0 &&
          ticketsAgainst(queue, ticket, item).every((other) => meetsOnlyAt(open, item, other)),
      )
    )
  }

  /** Was to enter, did not, and nobody who did is in its way. */
  isMissed(ticket: Waiting): boolean {
    return (
      this.entitled.includes(ticket.id) &&
      ticket.items.every((item) => holdsAgainst(this.state, ticket.session, item).length === 0)
    )
  }
}

function meetsOnlyAt(open: ReadonlySet<string>, item: ModelItem, other: Waiting): boolean {
  return other.items.every((one) => {
    const at = meetingPoint(item, one)
    return at === undefined || !leavesConflict(item.leaf, one.leaf) || open.has(at)
  })
}

function copies(items: readonly ModelItem[] | undefined): ModelItem[] {
  return (items ?? []).map((item) => ({ ...item }))
}
