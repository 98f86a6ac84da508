import type { Event, EventOf } from '../../src/contract/events.ts'
import type { AcquireLock, ChangeLock, Command } from '../../src/core/command.ts'
import type { Disagree } from './disagree.ts'
import { cameDue, dueIn } from './due.ts'
import type { Facts, Waiting } from './facts.ts'
import { isStale } from './grant.ts'
import {
  anyConflict,
  contains,
  covers,
  isSameKey,
  leafOf,
  merged,
  type Piece,
  pieceOf,
  STRENGTH,
  told as toldPieces,
} from './leaf.ts'
import {
  directlyBehind,
  helpfulMove,
  holdsInTheWay,
  isAhead,
  placed,
  served,
  stuck,
  toLetGoFirst,
} from './queue.ts'

/** These the model knows nothing of: rights, forms, limits, what is in the tree. */
const FOREIGN = new Set([
  ...['too_many', 'forbidden', 'invalid_request', 'invalid_path', 'range_invalid', 'is_folder'],
  ...['not_found', 'lock_lost', 'limit_exceeded', 'queue_full'],
])

/** What the caller was told, and when. */
export interface Told {
  command: Command
  at?: number | undefined
  refusal?: { code: string; data?: Record<string, unknown> | undefined } | undefined
  held?: number | undefined
  waiting?: number | undefined
  /** The versions that the caller was ever answered with; absent: not known here. */
  seen?: ReadonlySet<number> | undefined
}

interface Request extends Waiting {
  isRaise: boolean
  queues: boolean
}

/** What a request for a lock should come to, as far as the lock rules decide it. */
export class Foresight {
  private readonly facts: Facts
  private readonly disagree: Disagree

  constructor(facts: Facts, disagree: Disagree) {
    this.facts = facts
    this.disagree = disagree
  }

  compare(events: readonly Event[], told: Told): void {
    const { command, refusal } = told
    if (refusal !== undefined && events.length > 0) {
      this.disagree('contract', `a refusal (${refusal.code}) that changed something`)
    }
    if (command.kind === 'follow-up' && told.at !== undefined) {
      return this.compareDue(dueIn(this.facts, command, told.at), cameDue(events))
    }
    if (command.kind !== 'acquire-lock' && command.kind !== 'change-lock') return
    if (!command.queue && events.some(({ kind }) => kind === 'lock-queued')) {
      this.disagree('locks §9', 'it was queued, and would not wait')
    }
    if (refusal !== undefined && FOREIGN.has(refusal.code)) return
    if (told.held !== undefined) return this.isHeld(command, told.held)
    if (told.waiting !== undefined) return this.isWaiting(command, told.waiting)
    const outcome = refusal?.code ?? events[0]?.kind ?? 'nothing'
    if (outcome === 'stale_version') return this.isStale(command)
    const request = this.requestOf(command, told.at ?? events[0]?.at)
    if (request === undefined) return
    const foreseen = this.foresee(command, request)
    if (!foreseen.includes(outcome)) {
      const asked = `${request.session} asked for ${toldPieces(request.pieces)}`
      this.disagree(ruleOf(foreseen), `${asked}: ${outcome}, not ${foreseen.join(' or ')}`)
    }
    this.compareQueueing(events, request, outcome)
  }

  private compareDue(due: ReadonlySet<string>, came: ReadonlySet<string>): void {
    const missing = [...due].filter((one) => !came.has(one))
    const early = [...came].filter((one) => !due.has(one))
    if (missing.length > 0) this.disagree('locks §38', `due and missing: ${missing.join(', ')}`)
    if (early.length > 0) this.disagree('locks §38', `not due: ${early.join(', ')}`)
  }

  private isHeld(command: AcquireLock | ChangeLock, lock: number): void {
    const hold = this.facts.holds.get(lock)
    const { session } = command.actor
    if (hold?.session !== session) {
      this.disagree('locks §12', `${session} was told to hold L${lock}`)
    }
    if (command.kind !== 'acquire-lock' || hold === undefined || command.any !== undefined) return
    for (const piece of merged(command.items.map(pieceOf))) {
      if (hold.pieces.some((one) => covers(one, piece))) continue
      this.disagree('locks §12', `L${lock} does not hold ${toldPieces([piece])}`)
    }
  }

  private isWaiting({ actor }: Command & { actor: { session: string } }, id: number): void {
    if (this.facts.tickets.get(id)?.session === actor.session) return
    this.disagree('locks §12', `${actor.session} was told to wait with T${id}`)
  }

  private isStale(command: AcquireLock | ChangeLock): void {
    const hold = command.kind === 'change-lock' ? this.facts.holds.get(command.lock) : undefined
    const pieces =
      command.kind === 'acquire-lock'
        ? command.items.map(pieceOf)
        : (hold?.pieces ?? []).map((one) => ({ ...one, ifVersion: command.ifVersion }))
    if (!pieces.some((piece) => isStale(this.facts, piece)))
      this.disagree('locks §17', 'stale_version, and the version is current')
  }

  /** The request at its place; undefined where the model leaves the decision to others. */
  private requestOf(
    command: AcquireLock | ChangeLock,
    at: number | undefined,
  ): Request | undefined {
    const { facts } = this
    const { session, agent } = command.actor
    if (at === undefined) return undefined
    const id = facts.revision + 1
    let pieces: Piece[]
    let priority: number | undefined
    let isRaise = command.kind === 'change-lock'
    let any: number | undefined
    let raises: number | undefined
    if (command.kind === 'change-lock') {
      const hold = facts.holds.get(command.lock)
      if (hold?.session !== session) return undefined
      const leaf = leafOf(command.to, command.stable)
      pieces = hold.pieces.map((piece) => ({ ...piece, leaf }))
      priority = hold.priority
      raises = hold.id
    } else {
      pieces = merged(command.items.map(pieceOf))
      priority = command.priority
      any = command.any
      const own = [...facts.holds.values()].filter((hold) => hold.session === session)
      // Items that are held already are passed over, which is a matter of what covers what.
      if (any !== undefined && own.length > 0) return undefined
      // Record 0008 no. 16: the same as a change of the lock that holds this path and no other.
      isRaise =
        pieces.length === 1 &&
        own.some((hold) => hold.pieces.length === 1 && anyPair(hold.pieces, pieces, isSameKey))
    }
    const rank = facts.rank(at, priority)
    let waiting: Waiting = { ...{ id, agent, session, pieces, any, raises, rank, seq: id } }
    const last = isRaise ? undefined : toLetGoFirst(facts, waiting)
    if (last !== undefined && isAhead(waiting, last)) {
      waiting = { ...waiting, ...directlyBehind([...facts.tickets.values()], last) }
    }
    // Last of all: behind those that wait for its own owner it would wait for ever.
    waiting = placed(facts, waiting)
    return { ...waiting, isRaise, queues: command.queue }
  }

  /** What may come of it: more than one where the record leaves it open. */
  private foresee(command: AcquireLock | ChangeLock, request: Request): string[] {
    const { facts } = this
    if (command.kind === 'change-lock') {
      const before = facts.holds.get(command.lock)?.pieces ?? []
      const isStronger = request.pieces.some(
        ({ leaf }, index) => STRENGTH[leaf] > STRENGTH[before[index]?.leaf ?? 'read'],
      )
      if (!isStronger) return ['lock-lowered']
    }
    if (request.isRaise && this.hasTwin(request)) return ['upgrade_conflict']
    const hasAll =
      command.kind === 'acquire-lock' && command.any === undefined && this.hasAll(request)
    // Where several locks hold some of it, which of them is asked about is left open.
    if (hasAll && this.isHeldOnce(request)) return ['held']
    const queue = [...facts.tickets.values()]
    const withIt = [...queue, request]
    const isBusy = queue.some((ticket) => ticket.session === request.session)
    const isServed = served(facts, request) !== undefined
    if (isServed) {
      const isTangled = isBusy && stuck(facts, withIt).size > 0
      if (!isTangled) return ['lock-acquired', 'lock-raised']
    }
    if (!request.queues) return ['lock_conflict']
    if (stuck(facts, withIt).size === 0) return this.queued(command)
    const isHelped = helpfulMove(facts, withIt) !== undefined
    return [...(isHelped ? [] : ['deadlock']), ...this.queued(command)]
  }

  /** Holders in the way of → exclusive are recalled in the same decision (no. 15). */
  private queued(command: AcquireLock | ChangeLock): string[] {
    return command.kind === 'change-lock' ? ['lock-queued', 'lock-recalled'] : ['lock-queued']
  }

  /** locks §16: another session waits already to have it for itself alone, and still holds it. */
  private hasTwin(request: Request): boolean {
    if (!request.pieces.some(({ leaf }) => leaf === 'exclusive')) return false
    return [...this.facts.tickets.values()].some(
      (ticket) =>
        ticket.session !== request.session &&
        ticket.raises !== undefined &&
        this.facts.holds.has(ticket.raises) &&
        ticket.pieces.some(({ leaf }) => leaf === 'exclusive') &&
        anyConflict(ticket.pieces, request.pieces),
    )
  }

  /** Held word for word, under one lock. */
  private hasAll({ session, pieces }: Request): boolean {
    if (pieces.some(({ ifVersion }) => ifVersion !== undefined)) return false
    const isHeld = (one: Piece, piece: Piece): boolean =>
      isSameKey(one, piece) &&
      one.leaf === piece.leaf &&
      (one.isSubtree || !piece.isSubtree) &&
      this.reachesAll(one)
    return [...this.facts.holds.values()].some(
      (hold) =>
        hold.session === session &&
        pieces.every((piece) => hold.pieces.some((one) => isHeld(one, piece))),
    )
  }

  private isHeldOnce({ session, pieces }: Request): boolean {
    const own = [...this.facts.holds.values()].filter(
      (hold) => hold.session === session && anyPair(hold.pieces, pieces, isOnTheWay),
    )
    return own.length === 1
  }

  /** A name that was locked as a file may be a folder by now, which is asked for as a subtree. */
  private reachesAll({ path, isSubtree }: Piece): boolean {
    return isSubtree || !this.facts.files.wasFolder(path)
  }

  /** The place of a new ticket, and whether others were moved for it without need. */
  private compareQueueing(events: readonly Event[], request: Request, outcome: string): void {
    const queued = events.find((one) => one.kind === 'lock-queued')
    if (outcome !== 'lock-queued' || queued === undefined) return
    const moves = events.filter((one) => one.kind === 'ticket-moved' && one.why === 'deadlock')
    const withIt = [...this.facts.tickets.values(), request]
    const isTangled = stuck(this.facts, withIt).size > 0
    if (moves.length > 0 && !isTangled) {
      this.disagree('locks §23', `${moves.length} moved, and nobody was in a cycle`)
    }
    if (!isTangled) this.comparePlace(queued, request)
    this.compareDue(this.recalledFor(queued), cameDue(events))
  }

  /** locks §16: whoever holds what somebody is to have for itself alone is recalled at once. */
  private recalledFor({ raises, items, session }: EventOf<'lock-queued'>): Set<string> {
    const alone = items.map(pieceOf).filter(({ leaf }) => leaf === 'exclusive')
    if (raises === undefined) return new Set()
    const inTheWay = alone.flatMap((piece) => holdsInTheWay(this.facts, session, piece))
    const recalled = inTheWay.filter(
      ({ recall, closedUntil }) => recall === undefined && closedUntil === undefined,
    )
    return new Set(recalled.map(({ id }) => `lock-recalled upgrade L${id}`))
  }

  /** By who is ahead of it, and not by the numbers, of which many come to the same. */
  private comparePlace(event: EventOf<'lock-queued'>, request: Request): void {
    const { facts } = this
    const place = {
      id: event.revision,
      rank: event.rank ?? facts.rank(event.at, event.priority),
      seq: event.seq ?? event.revision,
    }
    for (const ticket of facts.tickets.values()) {
      const isBehind = isAhead(ticket, place)
      if (isBehind === isAhead(ticket, request)) continue
      const where = isBehind ? 'behind' : 'ahead of'
      this.disagree('locks §16', `T${place.id} is placed ${where} T${ticket.id}`)
    }
  }
}

function isOnTheWay(a: Piece, b: Piece): boolean {
  return a.path === b.path || contains(a.path, b.path)
}

function anyPair(
  all: readonly Piece[],
  others: readonly Piece[],
  are: (a: Piece, b: Piece) => boolean,
): boolean {
  return all.some((a) => others.some((b) => are(a, b)))
}

function ruleOf(foreseen: readonly string[]): string {
  const [first] = foreseen
  if (first === 'held') return 'locks §12'
  if (first === 'upgrade_conflict') return 'locks §16'
  if (first === 'deadlock') return 'locks §23'
  if (first === 'lock-queued') return 'locks §24'
  return first === 'lock-lowered' ? 'locks §17' : 'locks §8'
}
