import type { EventOf } from '../../src/contract/events.ts'
import type { Disagree } from './disagree.ts'
import type { Facts, Waiting } from './facts.ts'
import { anyConflict, isSameKey, type Piece, pieceOf, told } from './leaf.ts'
import type { Phase } from './phase.ts'
import { byPlace, holdsInTheWay, placed, served, ticketsInTheWay } from './queue.ts'

export type Grant = EventOf<'lock-acquired'> | EventOf<'lock-raised'>

/** Who may be granted what, and past whom (locks §8, §17–18, §21). */
export class GrantRules {
  private readonly facts: Facts
  private readonly disagree: Disagree

  constructor(facts: Facts, disagree: Disagree) {
    this.facts = facts
    this.disagree = disagree
  }

  /** `asked`: what the command of this decision asked for, where that is known. */
  allow(event: Grant, phase: Phase, asked: Piece[] | undefined): void {
    const { facts } = this
    const pieces = event.items.map(pieceOf)
    for (const piece of pieces) {
      const [hold] = holdsInTheWay(facts, event.session, piece)
      if (hold !== undefined) {
        this.disagree('I1', `${event.session} got ${told([piece])} against L${hold.id}`)
      }
    }
    for (const [index, piece] of pieces.entries()) {
      if (isStale(facts, piece)) this.disagree('locks §17', `${piece.path} has another version`)
      if (event.versions[index] !== facts.files.versionOf(piece.path)) {
        this.disagree('locks §17', `${piece.path} is told to be ${event.versions[index]}`)
      }
    }
    if (event.ticket === undefined) {
      // Of any of several all are placed by what was asked for, which only the command says.
      const place = newcomer(facts, event, asked ?? pieces)
      return this.allowPassing({ ...place, pieces }, pieces, phase)
    }
    const ticket = facts.tickets.get(event.ticket)
    if (ticket === undefined) return this.disagree('locks §10', `T${event.ticket} does not wait`)
    if (ticket.session !== event.session) {
      this.disagree('locks §10', `T${ticket.id} was granted to ${event.session}`)
    }
    this.isItsOwn(ticket, event, pieces)
    this.allowTurn(ticket, phase)
    for (const piece of ticket.pieces) {
      const isGranted = pieces.some((one) => isSameKey(one, piece))
      if (isGranted && isStale(facts, piece)) {
        this.disagree('locks §17', `T${ticket.id} waited for another version of ${piece.path}`)
      }
    }
    this.allowPassing(ticket, pieces, phase)
  }

  private isItsOwn(ticket: Waiting, event: Grant, pieces: readonly Piece[]): void {
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

  /** locks §18: the readers of a phase go first, and whoever goes instead of one at its limit. */
  private allowTurn(ticket: Waiting, phase: Phase): void {
    if (phase.isEntitled(ticket)) return
    const readers = phase.stillToEnter()
    const [first] = readers
    if (first === undefined || readers.some((one) => this.whoGoes(one) === ticket)) return
    this.disagree('locks §18', `T${ticket.id} went before the reader T${first.id}`)
  }

  /** locks §8, and what excuses from it: a phase (no. 11) or the limit of wins (no. 12). */
  private allowPassing(waiting: Waiting, pieces: readonly Piece[], phase: Phase): void {
    const { facts } = this
    const passed = pieces.flatMap((piece) =>
      ticketsInTheWay(facts.tickets.values(), waiting, piece).map((other) => ({ piece, other })),
    )
    const isTicket = facts.tickets.has(waiting.id)
    if (passed.length === 0) {
      const better = this.whoGoes(waiting, [...pieces])
      if (better !== waiting && isTicket) {
        this.disagree('locks §21', `T${waiting.id} at its limit went, T${better.id} did not`)
      }
      return
    }
    if (isTicket && phase.excuses(waiting, passed)) return
    if (isTicket && this.goesInstead(waiting, passed)) return
    // A reader that enters with its phase may be at its limit too, and somebody goes in its place.
    if (isTicket && phase.stillToEnter().some((one) => this.whoGoes(one) === waiting)) return
    const names = [...new Set(passed.map(({ other }) => `T${other.id}`))].join(', ')
    this.disagree('I7', `${waiting.session} (T${waiting.id}) went past ${names}`)
  }

  private goesInstead(waiting: Waiting, passed: readonly { other: Waiting }[]): boolean {
    const { facts } = this
    return passed.some(({ other }) => {
      const agents = [...facts.tickets.values()].filter((one) => one.agent === other.agent)
      return agents.some((one) => served(facts, one) !== undefined && this.whoGoes(one) === waiting)
    })
  }

  /** Who goes where a ticket could: whoever goes instead of it, and of that one; itself in a circle. */
  private whoGoes(ticket: Waiting, pieces = served(this.facts, ticket)): Waiting {
    const passed = new Set<Waiting>()
    let goes = ticket
    for (let got = pieces; ; got = undefined) {
      const instead = got === undefined ? this.insteadOf(goes) : this.insteadOf(goes, got)
      if (instead === undefined) return goes
      passed.add(goes)
      if (passed.has(instead)) return ticket
      goes = instead
    }
  }

  /** Records 0008 no. 12 and 0012: who is granted instead of an agent that has won often enough. */
  private insteadOf(ticket: Waiting, pieces = served(this.facts, ticket)): Waiting | undefined {
    if (ticket.any !== undefined) return undefined
    const { facts } = this
    const got = pieces ?? ticket.pieces
    const limited = got.filter((piece) => facts.isAtLimit(ticket.agent, piece))
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
}

export function isStale(facts: Facts, { ifVersion, path }: Piece): boolean {
  return ifVersion !== undefined && ifVersion !== facts.files.versionOf(path)
}

/** A request that never waited, at the place it would have had. */
function newcomer(facts: Facts, event: Grant, pieces: Piece[]): Waiting {
  const { revision: id, agent, session, at, priority } = event
  const rank = facts.rank(at, priority)
  return placed(facts, {
    ...{ id, agent, session, pieces, rank, seq: id },
    any: undefined,
    raises: undefined,
  })
}
