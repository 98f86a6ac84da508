import type { Event, EventOf, FileChange, Settings } from '../../src/contract/events.ts'
import { Files } from './files.ts'
import { anyConflict, ownNode, type Piece, pieceOf, told } from './leaf.ts'

export interface Held {
  id: number
  agent: string
  session: string
  pieces: Piece[]
  priority: number | undefined
  delayMs: number | undefined
  ttlMs: number
  /** The last grant, raise or handover. */
  grantedAt: number
  /** The first grant. */
  heldSince: number
  recall: Recall | undefined
  /** Of a hold that was lost: when its paths open again. */
  closedUntil: number | undefined
}

interface Recall {
  reason: EventOf<'lock-recalled'>['reason']
  deadline: number
  /** What was given, and what one extension adds. */
  graceMs: number
  isExtended: boolean
}

export interface Place {
  rank: number
  seq: number
  id: number
}

export interface Waiting extends Place {
  agent: string
  session: string
  pieces: Piece[]
  any: number | undefined
  raises: number | undefined
}

/** A request in the queue. */
export interface Ticket extends Waiting {
  since: number
  priority: number | undefined
}

/** What the facts come to, folded one by one into plain lists. */
export class Facts {
  settings: Settings
  revision = 0
  readonly holds = new Map<number, Held>()
  readonly closed = new Map<number, Held>()
  readonly tickets = new Map<number, Ticket>()
  readonly runs = new Map<string, { agent: string; wins: number }>()
  /** When somebody was last recalled for an agent that was more urgent. */
  readonly preferred = new Map<string, number>()
  readonly files = new Files()

  constructor(settings: Settings) {
    this.settings = settings
  }

  /** Record 0008 no. 6. */
  rank(at: number, priority: number | undefined): number {
    const { age_step_s, order } = this.settings
    return at - 1000 * age_step_s * (order === 'priority' ? (priority ?? 5) : 5)
  }

  /** Record 0008 no. 21: a minimum hold comes before the grace of a recall. */
  graceFrom({ grantedAt }: Held, at: number): number {
    return Math.max(at, grantedAt + this.settings.minimum_hold_s * 1000)
  }

  isAtLimit(agent: string, piece: Piece): boolean {
    const run = this.runs.get(ownNode(piece))
    return run?.agent === agent && run.wins >= this.settings.wins_in_a_row
  }

  fold(event: Event): void {
    this.revision = event.revision
    switch (event.kind) {
      case 'workspace-set':
        this.settings = event.settings
        return
      case 'lock-queued':
        this.tickets.set(event.revision, this.ticketOf(event))
        return
      case 'ticket-moved': {
        const ticket = this.tickets.get(event.ticket)
        if (ticket !== undefined) this.tickets.set(ticket.id, { ...ticket, ...placeIn(event) })
        return
      }
      case 'ticket-left':
        this.tickets.delete(event.ticket)
        return
      case 'lock-acquired':
        return this.acquired(event)
      case 'lock-raised':
      case 'lock-lowered':
        return this.changed(event)
      case 'lock-recalled':
        return this.recalled(event)
      case 'recall-extended':
        return this.extended(event)
      case 'recall-ended': {
        const hold = this.holds.get(event.lock)
        if (hold !== undefined) hold.recall = undefined
        return
      }
      case 'lock-released':
        return this.released(event)
      case 'lock-opened':
        this.closed.delete(event.lock)
        return
      case 'lock-handed-over':
        return this.handedOver(event)
      case 'files-committed':
        for (const change of event.changes) this.committed(change, event)
    }
  }

  private ticketOf(event: EventOf<'lock-queued'>): Ticket {
    return {
      id: event.revision,
      agent: event.agent,
      session: event.session,
      pieces: event.items.map(pieceOf),
      any: event.any,
      raises: event.raises,
      rank: event.rank ?? this.rank(event.at, event.priority),
      seq: event.seq ?? event.revision,
      since: event.at,
      priority: event.priority,
    }
  }

  private acquired(event: EventOf<'lock-acquired'>): void {
    const { revision: id, agent, session, priority, delayMs, ttlMs, at } = event
    if (event.ticket !== undefined) this.tickets.delete(event.ticket)
    const pieces = event.items.map(pieceOf)
    this.holds.set(id, {
      ...{ id, agent, session, pieces, priority, delayMs, ttlMs, grantedAt: at, heldSince: at },
      recall: undefined,
      closedUntil: undefined,
    })
    this.won(agent, pieces)
  }

  /** Record 0008 no. 12: a run goes on while somebody of another agent waits for the same. */
  private won(agent: string, pieces: readonly Piece[]): void {
    const others = [...this.tickets.values()].filter((ticket) => ticket.agent !== agent)
    const contested = pieces.filter((piece) =>
      others.some((ticket) => anyConflict(ticket.pieces, [piece])),
    )
    for (const node of new Set(pieces.map(ownNode))) {
      const run = this.runs.get(node)
      if (!contested.some((piece) => ownNode(piece) === node)) this.runs.delete(node)
      else this.runs.set(node, { agent, wins: run?.agent === agent ? run.wins + 1 : 1 })
    }
  }

  private changed(event: EventOf<'lock-raised'> | EventOf<'lock-lowered'>): void {
    const hold = this.holds.get(event.lock)
    if (hold === undefined) return
    hold.pieces = event.items.map(pieceOf)
    if (event.kind === 'lock-lowered') return
    if (event.ticket !== undefined) this.tickets.delete(event.ticket)
    hold.priority = event.priority
    hold.delayMs = event.delayMs
    hold.ttlMs = event.ttlMs
    hold.grantedAt = event.at
  }

  private recalled(event: EventOf<'lock-recalled'>): void {
    const { lock, reason, deadline, at, for: agent } = event
    if (reason === 'priority' && agent !== undefined) this.preferred.set(agent, at)
    const hold = this.holds.get(lock)
    if (hold === undefined) return
    const graceMs = deadline - this.graceFrom(hold, at)
    hold.recall = { reason, deadline, graceMs, isExtended: false }
  }

  private extended({ lock, deadline }: EventOf<'recall-extended'>): void {
    const hold = this.holds.get(lock)
    if (hold?.recall !== undefined) hold.recall = { ...hold.recall, deadline, isExtended: true }
  }

  private released({ lock, closedUntil }: EventOf<'lock-released'>): void {
    const hold = this.holds.get(lock)
    this.holds.delete(lock)
    if (hold !== undefined && closedUntil !== undefined) {
      this.closed.set(lock, { ...hold, closedUntil })
    }
  }

  /** The hold goes on with its recall and since when it is held; its minimum begins anew. */
  private handedOver({ lock, to, revision, at }: EventOf<'lock-handed-over'>): void {
    const hold = this.holds.get(lock)
    this.holds.delete(lock)
    if (hold === undefined) return
    this.holds.set(revision, { ...hold, ...to, id: revision, grantedAt: at })
  }

  private committed(change: FileChange, event: EventOf<'files-committed'>): void {
    this.files.fold(change, event.revision, event.session)
    if (change.op !== 'write' || change.splice === undefined) return
    for (const one of this.everybody()) {
      for (const piece of one.pieces) {
        if (piece.path !== change.path || piece.isMetadata || piece.range === undefined) continue
        piece.range = moved(piece.range, change.splice, one.session === event.session)
      }
    }
  }

  private *everybody(): Iterable<{ session: string; pieces: Piece[] }> {
    yield* this.holds.values()
    yield* this.closed.values()
    yield* this.tickets.values()
  }

  picture(): string {
    const lines: string[] = []
    for (const { id, session, pieces } of this.holds.values()) {
      lines.push(`  L${id} ${session} holds ${told(pieces)}`)
    }
    for (const { id, pieces } of this.closed.values()) {
      lines.push(`  L${id} is closed: ${told(pieces)}`)
    }
    for (const { id, session, pieces, any, raises, rank, seq } of this.tickets.values()) {
      const how = `${any === undefined ? '' : ` any ${any}`}${raises ? ` raising L${raises}` : ''}`
      lines.push(`  T${id} ${session} waits at (${rank}, ${seq}) for ${told(pieces)}${how}`)
    }
    for (const [node, { agent, wins }] of this.runs) lines.push(`  ${node}: ${agent} won ${wins}`)
    return lines.join('\n')
  }
}

function placeIn({ rank, seq }: { rank: number; seq: number }): { rank: number; seq: number } {
  return { rank, seq }
}

/** Record 0008 no. 26. */
function moved(
  { from, to }: { from: number; to: number },
  { start, end, size }: { start: number; end: number; size: number },
  isMaker: boolean,
): { from: number; to: number } {
  const growth = size - (end - start)
  if (start === end) {
    // At an edge it lies outside, save for whoever made it at the end of a range.
    const isInside = from < start && (isMaker ? start <= to : start < to)
    const isPoint = isMaker && from === start && to === start
    if (isInside || isPoint) return { from, to: to + growth }
    return from >= start ? { from: from + growth, to: to + growth } : { from, to }
  }
  const place = (at: number): number => {
    if (at <= start) return at
    return at >= end ? at + growth : Math.min(at, start + size)
  }
  return { from: place(from), to: place(to) }
}
