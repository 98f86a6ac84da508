import type { Event, EventOf, FileChange, Settings } from '../../src/contract/events.ts'
import type { Command } from '../../src/core/command.ts'
import { Facts, type Held, type Waiting } from './facts.ts'
import { Foresight } from './foresight.ts'
import {
  anyConflict,
  conflicts,
  contains,
  isSameKey,
  type Piece,
  pieceOf,
  STRENGTH,
  told,
} from './leaf.ts'
import {
  byPlace,
  holdsInTheWay,
  isReader,
  meetsOnlyAt,
  openedFor,
  placed,
  served,
  stuck,
  ticketsInTheWay,
} from './queue.ts'

export class ModelDisagrees extends Error {
  override name = 'ModelDisagrees'
}

/** What the caller was told, and when. */
export interface Told {
  command: Command
  at?: number | undefined
  refusal?: { code: string; data?: Record<string, unknown> | undefined } | undefined
  held?: number | undefined
  waiting?: number | undefined
}

export type Disagree = (rule: string, what: string) => never

/**
 * The lock rules once more, slow and plain: given the facts of one decision after the other it says
 * whether each of them was allowed, and whether any is missing.
 */
export class LockModel {
  readonly facts: Facts
  /** Writers that left in this decision, and the tickets of before it: the phase of locks §18. */
  private left: Piece[] = []
  private before: ReadonlyMap<number, Waiting> = new Map()
  private readonly foresight: Foresight
  /** What the command of this decision asked for, where that is known. */
  private asked: Piece[] | undefined

  constructor(settings: Settings) {
    this.facts = new Facts(settings)
    this.foresight = new Foresight(this.facts, this.disagree)
  }

  judge(events: readonly Event[], told?: Told): void {
    if (told !== undefined) this.foresight.compare(events, told)
    this.asked = told?.command.kind === 'acquire-lock' ? told.command.items.map(pieceOf) : undefined
    this.left = []
    this.before = new Map(this.facts.tickets)
    for (const event of events) {
      this.allow(event)
      this.facts.fold(event)
    }
    this.nobodyIsMissed()
    this.holdsAreApart()
    const cycle = stuck(this.facts, [...this.facts.tickets.values()])
    if (cycle.size > 0) this.disagree('I9', `${[...cycle].join(', ')} wait for each other`)
  }

  private readonly disagree: Disagree = (rule, what) => {
    throw new ModelDisagrees(`${rule}: ${what}\n${this.facts.picture()}`)
  }

  private allow(event: Event): void {
    const { facts } = this
    if (event.revision <= facts.revision) {
      this.disagree('I2', `revision ${event.revision} after ${facts.revision}`)
    }
    switch (event.kind) {
      case 'lock-acquired':
      case 'lock-raised':
        return this.allowGrant(event)
      case 'lock-lowered':
        return this.leaves(this.owned(event))
      case 'lock-released':
        return this.allowRelease(event)
      case 'lock-opened':
        return this.allowOpening(event)
      case 'lock-handed-over':
      case 'recall-extended':
        this.owned(event)
        return
      case 'lock-recalled':
        return this.allowRecall(event)
      case 'recall-ended':
        if (this.held(event).recall === undefined) {
          this.disagree('locks §38', `L${event.lock} is not recalled`)
        }
        return
      case 'lock-queued':
        return this.allowQueueing(event)
      case 'ticket-left':
      case 'ticket-moved':
        return this.allowTicketEvent(event)
      case 'files-committed':
        return this.allowCommit(event)
    }
  }

  private held({ kind, lock }: { kind: string; lock: number }): Held {
    const hold = this.facts.holds.get(lock)
    return hold ?? this.disagree('I2', `${kind} of L${lock}, which is not held`)
  }

  private owned(event: { kind: string; lock: number; session: string }): Held {
    const hold = this.held(event)
    if (hold.session === event.session) return hold
    return this.disagree('I2', `${event.kind} of L${event.lock} by ${event.session}`)
  }

  private leaves({ pieces }: Held): void {
    const writers = pieces.filter(({ leaf }) => leaf === 'write' || leaf === 'exclusive')
    this.left.push(...writers.map((piece) => ({ ...piece })))
  }

  /** One level for all items makes some of them weaker, even of a hold that is raised. */
  private weakens(hold: Held, after: readonly Piece[]): void {
    const weaker = hold.pieces.filter(({ leaf }, index) => {
      const now = after[index]?.leaf
      return now !== undefined && STRENGTH[now] < STRENGTH[leaf]
    })
    this.leaves({ ...hold, pieces: weaker })
  }

  private allowRelease(event: EventOf<'lock-released'>): void {
    const hold = this.held(event)
    const { reason, closedUntil, at } = event
    if (reason === 'released') this.owned(event)
    const delayMs = hold.delayMs ?? this.facts.settings.lock_delay_s * 1000
    const isLost = reason === 'expired' || reason === 'revoked' || reason === 'forced'
    const isKept = reason === 'released' || reason === 'unclaimed'
    const expected = delayMs > 0 ? at + delayMs : undefined
    const isWrong = isKept ? closedUntil !== undefined : isLost && closedUntil !== expected
    if (isWrong) {
      this.disagree('locks §31', `L${event.lock} (${reason}) is closed until ${closedUntil}`)
    }
    if (reason === 'revoked') {
      const deadline = hold.recall?.deadline
      if (deadline === undefined || deadline > at) {
        this.disagree('locks §39', `L${event.lock} was revoked before its deadline ${deadline}`)
      }
      if (hold.recall?.reason !== 'supervisor' && !this.isWaitedFor(hold)) {
        this.disagree('locks §39', `L${event.lock} was revoked, and nobody waits for it`)
      }
    }
    if (closedUntil === undefined) this.leaves(hold)
  }

  private isWaitedFor(hold: Held): boolean {
    return [...this.facts.tickets.values()].some(
      (one) => one.session !== hold.session && anyConflict(one.pieces, hold.pieces),
    )
  }

  private allowOpening({ lock, at }: EventOf<'lock-opened'>): void {
    const hold = this.facts.closed.get(lock)
    if (hold === undefined) return this.disagree('locks §31', `L${lock} is not closed`)
    if ((hold.closedUntil ?? 0) > at) {
      this.disagree('locks §31', `L${lock} was opened before ${hold.closedUntil}`)
    }
    this.leaves(hold)
  }

  private allowRecall(event: EventOf<'lock-recalled'>): void {
    const hold = this.held(event)
    const { reason, deadline, at } = event
    const { minimum_hold_s, recall_grace_s, max_hold_s } = this.facts.settings
    // A supervisor's takes the place of one that would end with the wait.
    if (hold.recall !== undefined && reason !== 'supervisor') {
      this.disagree('locks §38', `L${hold.id} is recalled already`)
    }
    const earliest = Math.max(at, hold.grantedAt + minimum_hold_s * 1000)
    if (reason !== 'supervisor' && deadline !== earliest + recall_grace_s * 1000) {
      this.disagree('locks §38', `the deadline of L${hold.id} is ${deadline}`)
    }
    if (reason !== 'supervisor' && !this.isWaitedFor(hold)) {
      this.disagree('locks §38', `L${hold.id} was recalled, and nobody waits for it`)
    }
    if (reason === 'max-hold' && at - hold.grantedAt < max_hold_s * 1000) {
      this.disagree('locks §25', `L${hold.id} has not been held for ${max_hold_s} s`)
    }
  }

  private allowQueueing(event: EventOf<'lock-queued'>): void {
    const { raises, session } = event
    if (raises !== undefined) this.owned({ kind: event.kind, lock: raises, session })
  }

  private allowTicketEvent(event: EventOf<'ticket-left'> | EventOf<'ticket-moved'>): void {
    const ticket = this.facts.tickets.get(event.ticket)
    if (ticket === undefined) return this.disagree('locks §10', `T${event.ticket} does not wait`)
    if (event.kind === 'ticket-left') {
      const isStale = ticket.pieces.some((piece) => this.isStale(piece))
      if (event.reason === 'stale' && !isStale) {
        this.disagree('locks §17', `T${ticket.id} left as stale and is not`)
      }
      return
    }
    if (event.why === 'inherited' && !this.inherits(ticket, event.rank)) {
      this.disagree('locks §22', `T${ticket.id} holds up nobody of rank ${event.rank}`)
    }
  }

  private inherits(ticket: Waiting, rank: number): boolean {
    const own = [...this.facts.holds.values()].filter((hold) => hold.session === ticket.session)
    return [...this.facts.tickets.values()].some(
      (one) =>
        one.rank === rank &&
        one.session !== ticket.session &&
        own.some((hold) => anyConflict(hold.pieces, one.pieces)),
    )
  }

  private isStale({ ifVersion, path }: Piece): boolean {
    return ifVersion !== undefined && ifVersion !== this.facts.versionOf(path)
  }

  private allowGrant(event: EventOf<'lock-acquired'> | EventOf<'lock-raised'>): void {
    const { facts } = this
    const pieces = event.items.map(pieceOf)
    if (event.kind === 'lock-raised') this.weakens(this.owned(event), pieces)
    for (const piece of pieces) {
      const [hold] = holdsInTheWay(facts, event.session, piece)
      if (hold !== undefined) {
        this.disagree('I1', `${event.session} got ${told([piece])} against L${hold.id}`)
      }
    }
    for (const [index, piece] of pieces.entries()) {
      if (this.isStale(piece)) this.disagree('locks §17', `${piece.path} has another version`)
      if (event.versions[index] !== facts.versionOf(piece.path)) {
        this.disagree('locks §17', `${piece.path} is told to be ${event.versions[index]}`)
      }
    }
    if (event.ticket === undefined) {
      // Of any of several all are placed by what was asked for, which only the command says.
      const place = newcomer(facts, event, this.asked ?? pieces)
      return this.allowPassing({ ...place, pieces }, pieces)
    }
    const ticket = facts.tickets.get(event.ticket)
    if (ticket === undefined) return this.disagree('locks §10', `T${event.ticket} does not wait`)
    if (ticket.session !== event.session) {
      this.disagree('locks §10', `T${ticket.id} was granted to ${event.session}`)
    }
    this.isItsOwn(ticket, event, pieces)
    for (const piece of ticket.pieces) {
      const isGranted = pieces.some((one) => isSameKey(one, piece))
      if (isGranted && this.isStale(piece)) {
        this.disagree('locks §17', `T${ticket.id} waited for another version of ${piece.path}`)
      }
    }
    this.allowPassing(ticket, pieces)
  }

  private isItsOwn(
    ticket: Waiting,
    event: EventOf<'lock-acquired'> | EventOf<'lock-raised'>,
    pieces: readonly Piece[],
  ): void {
    const wanted = ticket.any ?? ticket.pieces.length
    const isOwn = pieces.every((piece) =>
      ticket.pieces.some((one) => isSameKey(one, piece) && one.leaf === piece.leaf),
    )
    if (!isOwn || pieces.length !== wanted) {
      this.disagree('I6', `T${ticket.id} got ${told(pieces)}`)
    }
    const raised = ticket.raises !== undefined && this.facts.holds.has(ticket.raises)
    const lock = event.kind === 'lock-raised' ? event.lock : undefined
    if (lock !== (raised ? ticket.raises : undefined)) {
      this.disagree('locks §12', `T${ticket.id} raises ${ticket.raises}, and ${lock} was raised`)
    }
  }

  /** locks §8, and what excuses from it: a phase (no. 11) or the limit of wins (no. 12). */
  private allowPassing(waiting: Waiting, pieces: readonly Piece[]): void {
    const { facts } = this
    const passed = pieces.flatMap((piece) =>
      ticketsInTheWay(facts.tickets.values(), waiting, piece).map((other) => ({ piece, other })),
    )
    if (passed.length === 0) {
      const better = this.insteadOf(waiting)
      if (better !== undefined && facts.tickets.has(waiting.id)) {
        this.disagree('locks §21', `T${waiting.id} at its limit went, T${better.id} did not`)
      }
      return
    }
    const isTicket = facts.tickets.has(waiting.id)
    if (isTicket && this.isLone(waiting)) {
      const open = this.isInPhase(waiting) ? openedFor(waiting, this.left) : new Set<string>()
      if (passed.every(({ piece, other }) => meetsOnlyAt(open, piece, other))) return
      const isInstead = passed.some(({ other }) => {
        const agents = [...facts.tickets.values()].filter((one) => one.agent === other.agent)
        return agents.some((one) => this.isServedAtLimit(one) && this.insteadOf(one) === waiting)
      })
      if (isInstead) return
    }
    const names = [...new Set(passed.map(({ other }) => `T${other.id}`))].join(', ')
    this.disagree('I7', `${waiting.session} (T${waiting.id}) went past ${names}`)
  }

  private isServedAtLimit(ticket: Waiting): boolean {
    return served(this.facts, ticket) !== undefined
  }

  /** Record 0008 no. 12: who is granted instead of an agent that has won often enough. */
  private insteadOf(ticket: Waiting): Waiting | undefined {
    const { facts } = this
    const limited = ticket.pieces.filter((piece) => facts.isAtLimit(ticket.agent, piece))
    if (limited.length === 0) return undefined
    const others = [...facts.tickets.values()].filter((one) => one.agent !== ticket.agent)
    return byPlace(others).find(
      (one) =>
        anyConflict(limited, one.pieces) &&
        this.isLone(one) &&
        served(facts, one, others) !== undefined,
    )
  }

  private isLone({ session }: Waiting): boolean {
    let own = 0
    for (const ticket of this.facts.tickets.values()) if (ticket.session === session) own += 1
    return own <= 1
  }

  private isInPhase(ticket: Waiting): boolean {
    return this.facts.settings.order === 'fcfs' && this.before.has(ticket.id) && isReader(ticket)
  }

  /** Record 0008 no. 27: as if it took write, for the instant, on what it replaces. */
  private allowCommit(event: EventOf<'files-committed'>): void {
    const { facts } = this
    const sessions = new Set([event.session])
    for (const lock of event.locks ?? []) {
      const hold = facts.holds.get(lock)
      if (hold === undefined) this.disagree('I4', `a commit under L${lock}, which is not held`)
      else sessions.add(hold.session)
    }
    this.isCovered(event, sessions)
    const bases = new Map<string, number>()
    for (const change of event.changes) {
      if (change.op === 'make-folder') continue
      for (const hold of [...facts.holds.values(), ...facts.closed.values()]) {
        const isOwn = hold.closedUntil === undefined && sessions.has(hold.session)
        if (isOwn || !hold.pieces.some((piece) => this.stops(piece, change))) continue
        this.disagree('I3', `${event.session} changed ${change.path} against L${hold.id}`)
      }
      if (change.op !== 'write') continue
      const base = bases.get(change.path) ?? facts.files.get(change.path)?.version ?? 0
      bases.set(change.path, event.revision)
      if (change.base !== base && event.changes.length === 1) {
        this.disagree('I5', `${change.path} has version ${base}, not ${change.base}`)
      }
    }
  }

  /** files §8, locks §33: in a `locked` workspace nothing changes but under write or exclusive. */
  private isCovered({ changes }: EventOf<'files-committed'>, sessions: ReadonlySet<string>): void {
    if (this.facts.settings.write_mode !== 'locked') return
    const own = [...this.facts.holds.values()].filter(({ session }) => sessions.has(session))
    const held = own.flatMap(({ pieces }) => pieces)
    for (const { op, path } of changes) {
      const isCovered = held.some(
        (piece) =>
          !piece.isMetadata &&
          STRENGTH[piece.leaf] >= STRENGTH.write &&
          (piece.path === path || (piece.isSubtree && contains(piece.path, path))),
      )
      // Whether a folder may be deleted with what is in it, covered by nothing, is left open.
      const isOpen = op === 'make-folder' || (op === 'delete' && this.facts.isFolder(path))
      if (!isOpen && !isCovered) this.disagree('I3', `no lock covers ${path}`)
    }
  }

  private stops(piece: Piece, change: FileChange): boolean {
    // locks §4: moving or deleting a folder takes all that is in it.
    const isWhole = change.op !== 'write' && this.facts.isFolder(change.path)
    const taken = pieceOf({ path: change.path, level: isWhole ? 'exclusive' : 'write' })
    if (change.op === 'move' && conflicts(piece, { ...taken, path: change.to })) return true
    if (change.op !== 'write') return conflicts(piece, taken)
    const size = this.facts.sizeOf(change.path)
    const { splice, how } = change
    const atEnd = { from: size, to: Number.POSITIVE_INFINITY }
    if (how === 'append') {
      // Read on the file; and of other ranges, write on the bytes from its end on.
      if (conflicts(piece, { ...taken, leaf: 'read' })) return true
      return piece.range !== undefined && conflicts(piece, { ...taken, range: atEnd })
    }
    if (splice === undefined) return conflicts(piece, taken)
    const isAtEnd = splice.start === splice.end && splice.end === size
    const range = isAtEnd ? atEnd : { from: splice.start, to: splice.end }
    return conflicts(piece, { ...taken, range })
  }

  private nobodyIsMissed(): void {
    const { facts, left } = this
    const all = [...new Map([...this.before, ...facts.tickets]).values()]
    for (const ticket of facts.tickets.values()) {
      if (served(facts, ticket) !== undefined) {
        this.disagree('locks §42', `T${ticket.id} of ${ticket.session} could go, and waits`)
      }
      if (left.length === 0 || !this.isInPhase(ticket) || !this.isLone(ticket)) continue
      const wasLone = [...this.before.values()].filter((one) => one.session === ticket.session)
      const open = openedFor(ticket, left)
      if (wasLone.length > 1 || open.size === 0) continue
      const isFree = ticket.pieces.every(
        (piece) =>
          holdsInTheWay(facts, ticket.session, piece).length === 0 &&
          // Nor anybody who was granted since: the readers go first, or not at all.
          ticketsInTheWay(all, ticket, piece).every((other) => meetsOnlyAt(open, piece, other)),
      )
      if (isFree) this.disagree('locks §18', `the reader T${ticket.id} did not enter`)
    }
  }

  private holdsAreApart(): void {
    const all = [...this.facts.holds.values(), ...this.facts.closed.values()]
    for (const [index, a] of all.entries()) {
      for (const b of all.slice(index + 1)) {
        if (a.session !== b.session && anyConflict(a.pieces, b.pieces)) {
          this.disagree('I1', `L${a.id} and L${b.id} stand against each other`)
        }
      }
    }
  }
}

/** A request that never waited, at the place it would have had. */
function newcomer(
  facts: Facts,
  event: EventOf<'lock-acquired'> | EventOf<'lock-raised'>,
  pieces: Piece[],
): Waiting {
  const { revision: id, agent, session, at, priority } = event
  const rank = facts.rank(at, priority)
  return placed(facts, {
    ...{ id, agent, session, pieces, rank, seq: id },
    any: undefined,
    raises: undefined,
  })
}
