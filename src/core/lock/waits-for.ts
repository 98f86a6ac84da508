import {
  conflictingLines,
  hasWaiters,
  holdersInTheWay,
  itemsConflict,
  type Wanted,
  waiterBefore,
} from './conflict.ts'
import { isAhead, placeBefore, type QueuePlace } from './order.ts'
import type { Item, Lock, LockTable, Owner, Ticket } from './table.ts'
import type { WaitQueue } from './wait-queue.ts'

/**
 * The waits-for graph (locks §23, record 0008 no. 17–19). It is in the state already: a session waits
 * for whoever has a hold, or a ticket ahead, in conflict with one of its tickets. So it is not kept,
 * but walked, at the few decisions that can close a cycle: an enqueue, a move, a hand-over. Between
 * those no edge appears, so the walk may start from whoever is new.
 *
 * A walk costs one pass over the lines it meets: what one ticket finds ahead of it in a line need not
 * be looked at again for another further ahead.
 */
export interface Request extends QueuePlace {
  readonly owner: Owner
  readonly items: readonly Wanted[]
  readonly any: number | undefined
}

/** One step of a cycle: `ticket`, of `waiter`, cannot have `item` before `owner` is done. */
export interface Edge {
  waiter: Owner
  ticket: Request
  item: Wanted
  owner: Owner
  /** What of that owner is in the way. */
  by: { lock: Lock; item: Item } | { ticket: Request }
}

type PlaceEdge = Edge & { by: { ticket: Request } }

interface Tangle {
  cycle: Edge[]
  /** Waiters that wait for the place of another, where letting them go first may help. */
  places: PlaceEdge[]
}

function isPlace(edge: Edge): edge is PlaceEdge {
  return 'ticket' in edge.by
}

/** What is not, or not yet, as the table has it. */
export interface Supposed {
  /** A request that is not in the table. */
  request?: Request
  /** Other places of tickets. */
  moves?: ReadonlyMap<Request, QueuePlace>
  /** A hold that somebody else has. */
  held?: { lock: Lock; by: Owner }
}

export class WaitsFor {
  private readonly table: LockTable
  private readonly supposed: Supposed
  /** Requests whose place the lines do not show. */
  private readonly apart: Map<Request, QueuePlace>
  private start: Owner | undefined

  constructor(table: LockTable, supposed: Supposed) {
    this.table = table
    this.supposed = supposed
    this.apart = new Map(supposed.moves)
    const { request } = supposed
    if (request !== undefined && !this.apart.has(request)) this.apart.set(request, request)
  }

  resolvePath(request: Request): QueuePlace {
    return this.apart.get(request) ?? request
  }

  /** Whatever keeps a waiting request from its turn, holds of an item before those ahead in line. */
  *inTheWayOf(ticket: Request): Generator<Edge> {
    for (const item of ticket.items) yield* this.obstacles(ticket, item, undefined)
  }

  /** The place directly ahead of a request, as things are supposed to be. */
  placeBefore(request: Request, id: number): QueuePlace {
    const place = this.resolvePath(request)
    let before: QueuePlace | undefined = waiterBefore(this.table, place)
    for (const other of this.apart.values()) {
      if (isAhead(other, place) && (before === undefined || isAhead(before, other))) before = other
    }
    return placeBefore(place, before, id)
  }

  /** A cycle through an owner that would never end, or undefined. */
  cycleThrough(start: Owner): Edge[] | undefined {
    return this.tangleOf(start)?.cycle
  }

  /** What keeps an owner from ever finishing, and which places of waiters it hangs on. */
  tangleOf(start: Owner): Tangle | undefined {
    const { reached, closing } = this.walk(start)
    if (closing === undefined) return undefined
    const all = [...this.reach(start)]
    if (!all.some((owner) => this.hasChoice(owner))) {
      const cycle = pathTo(closing, reached, start)
      return { cycle, places: cycle.filter(isPlace) }
    }
    // Where any k of several will do, a way back to the start is not yet the end of all hope; and a
    // place may matter that is not on that way.
    const stuck = this.stuckAmong(all)
    if (!stuck.has(start)) return undefined
    for (const owner of [start, ...stuck]) {
      const { closing, reached } = this.walk(owner, stuck)
      if (closing === undefined) continue
      return { cycle: pathTo(closing, reached, owner), places: this.placesOf(stuck) }
    }
    throw new Error('whoever is stuck waits for somebody who is')
  }

  /**
   * Whom the stuck wait for in line, each pair once. Those that are stuck too come first; but to go
   * ahead of one that is not may be what leads past another that is.
   */
  private placesOf(stuck: ReadonlySet<Owner>): PlaceEdge[] {
    const near: PlaceEdge[] = []
    const far: PlaceEdge[] = []
    for (const owner of stuck) {
      for (const ticket of this.ticketsOf(owner)) {
        const met = new Set<Request>()
        for (const edge of this.inTheWayOf(ticket)) {
          if (!isPlace(edge) || met.has(edge.by.ticket)) continue
          met.add(edge.by.ticket)
          ;(stuck.has(edge.owner) ? near : far).push(edge)
        }
      }
    }
    return [...near, ...far]
  }

  /** All that an owner waits for, directly or not. */
  private reach(start: Owner): Set<Owner> {
    const reached = new Set([start])
    const scanned = new Map<WaitQueue<Ticket>, QueuePlace>()
    this.start = undefined
    for (const waiter of reached) {
      for (const ticket of this.ticketsOf(waiter)) {
        for (const item of ticket.items) {
          for (const { owner } of this.obstacles(ticket, item, scanned)) reached.add(owner)
        }
      }
    }
    return reached
  }

  private hasChoice(owner: Owner): boolean {
    return this.ticketsOf(owner).some((ticket) => ticket.any !== undefined)
  }

  private ticketsOf(owner: Owner): Request[] {
    const { request } = this.supposed
    return request?.owner === owner ? [...owner.tickets, request] : [...owner.tickets]
  }

  /** Breadth first, so that the cycle found is a shortest one. */
  private walk(start: Owner, within?: ReadonlySet<Owner>) {
    this.start = start
    const reached = new Map<Owner, Edge | undefined>([[start, undefined]])
    const scanned = new Map<WaitQueue<Ticket>, QueuePlace>()
    for (const waiter of reached.keys()) {
      for (const ticket of this.ticketsOf(waiter)) {
        for (const item of ticket.items) {
          for (const edge of this.obstacles(ticket, item, scanned)) {
            if (within !== undefined && !within.has(edge.owner)) continue
            if (edge.owner === start) return { reached, closing: edge }
            if (!reached.has(edge.owner)) reached.set(edge.owner, edge)
          }
        }
      }
    }
    return { reached, closing: undefined }
  }

  /** Who of these can never finish: what is left when all that can have been let go. */
  private stuckAmong(owners: readonly Owner[]): Set<Owner> {
    const stuck = new Set(owners)
    for (let before = -1; before !== stuck.size; ) {
      before = stuck.size
      for (const owner of stuck) {
        if (this.ticketsOf(owner).every((ticket) => this.canBeServed(ticket, stuck))) {
          stuck.delete(owner)
        }
      }
    }
    return stuck
  }

  private canBeServed(ticket: Request, stuck: ReadonlySet<Owner>): boolean {
    const served = ticket.items.filter((item) => {
      for (const edge of this.obstacles(ticket, item, undefined)) {
        if (stuck.has(edge.owner)) return false
      }
      return true
    })
    return served.length >= (ticket.any ?? ticket.items.length)
  }

  private *obstacles(
    ticket: Request,
    item: Wanted,
    scanned: Map<WaitQueue<Ticket>, QueuePlace> | undefined,
  ): Generator<Edge> {
    const waiter = ticket.owner
    const edge = (owner: Owner, by: Edge['by']): Edge => ({ waiter, ticket, item, owner, by })
    const { held } = this.supposed
    const owners = held === undefined ? [waiter] : []
    for (const other of holdersInTheWay(this.table, item, owners, Number.POSITIVE_INFINITY)) {
      const lock = other.by
      // A closed hold is nobody's, and ends by itself.
      if (lock.closedUntil !== undefined) continue
      const owner = held?.lock === lock ? held.by : lock.owner
      if (owner !== waiter) yield edge(owner, { lock, item: other })
    }
    const place = this.resolvePath(ticket)
    const { lines, ranged } = conflictingLines(this.table, item)
    for (const line of lines) {
      const from = scanned?.get(line)
      for (const other of line.ahead(place, from)) {
        if (other.owner !== waiter && !this.apart.has(other)) {
          yield edge(other.owner, { ticket: other })
        }
      }
      // The first walker skips its own; others must still meet those.
      if (waiter === this.start) continue
      if (from === undefined || isAhead(from, place)) scanned?.set(line, place)
    }
    for (const other of ranged) {
      const isMet = other.owner !== waiter && !this.apart.has(other) && isAhead(other, place)
      if (isMet) yield edge(other.owner, { ticket: other })
    }
    for (const [other, where] of this.apart) {
      if (other.owner === waiter || !isAhead(where, place)) continue
      if (other.items.some((one) => itemsConflict(one, item))) {
        yield edge(other.owner, { ticket: other })
      }
    }
  }
}

function pathTo(closing: Edge, reached: ReadonlyMap<Owner, Edge | undefined>, start: Owner) {
  const cycle = [closing]
  for (let owner = closing.waiter; owner !== start; ) {
    const edge = reached.get(owner) as Edge
    cycle.unshift(edge)
    owner = edge.waiter
  }
  return cycle
}

export type Moves = ReadonlyMap<Request, QueuePlace>

/**
 * Places for a request, and for those that have to let others by, that leave no cycle; or the cycle
 * that no such places avoid. Waiters are moved, holders never harmed: their work is paid for.
 */
export function placesWithoutCycle(
  table: LockTable,
  request: Request,
): { moves: Moves } | { cycle: Edge[] } {
  if (!mayCloseCycle(table, request)) return { moves: new Map() }
  let first: Edge[] | undefined
  // Few moves before many: whatever one move mends is mended by one.
  const tried: Moves[] = [new Map()]
  for (const moves of tried) {
    const graph = new WaitsFor(table, { request, moves })
    const starts = new Set([request.owner, ...[...moves.keys()].map((moved) => moved.owner)])
    let tangle: Tangle | undefined
    for (const start of starts) {
      tangle ??= graph.tangleOf(start)
    }
    if (tangle === undefined) return { moves }
    first ??= tangle.cycle
    for (const { ticket, by } of tangle.places) {
      if (tried.length >= TRIES) break
      const place = graph.placeBefore(by.ticket, ticket.id)
      tried.push(new Map([...moves, [ticket, place]]))
    }
  }
  return { cycle: first as Edge[] }
}

/** Orders of waiters that one request is worth. */
const TRIES = 200

/** Only somebody who waits for the requester can close a cycle: most requests are done here. */
function mayCloseCycle(table: LockTable, request: Request): boolean {
  const { owner } = request
  if (owner.tickets.size > 0) return true
  for (const lock of owner.locks) {
    if (lock.items.some(hasWaiters)) return true
  }
  // Ahead of somebody in line, it is waited for too.
  return request.items.some((item) => {
    const { lines, ranged } = conflictingLines(table, item)
    return (
      lines.some((line) => line.after(request) !== undefined) ||
      ranged.some((other) => isAhead(request, other))
    )
  })
}
