import type { Event, EventOf, Settings } from '../../src/contract/events.ts'
import { CommitRules } from './commit.ts'
import { type Disagree, ModelDisagrees } from './disagree.ts'
import { Facts, type Held, type Waiting } from './facts.ts'
import { Foresight, type Told } from './foresight.ts'
import { type Grant, GrantRules, isStale } from './grant.ts'
import { HoldRules } from './hold.ts'
import { anyConflict, type Piece, pieceOf, STRENGTH } from './leaf.ts'
import { Phase } from './phase.ts'
import { served, stuck } from './queue.ts'

/**
 * The lock rules once more, slow and plain: given the facts of one decision after the other it says
 * whether each of them was allowed, and whether any is missing.
 */
export class LockModel {
  readonly facts: Facts
  private readonly foresight: Foresight
  private readonly grants: GrantRules
  private readonly holds: HoldRules
  private readonly commits: CommitRules
  /** What is known of this decision besides its facts. */
  private told: Told | undefined
  /** What the command of this decision asked for, where that is known. */
  private asked: Piece[] | undefined

  constructor(settings: Settings) {
    this.facts = new Facts(settings)
    this.foresight = new Foresight(this.facts, this.disagree)
    this.grants = new GrantRules(this.facts, this.disagree)
    this.holds = new HoldRules(this.facts, this.disagree)
    this.commits = new CommitRules(this.facts, this.disagree)
  }

  judge(events: readonly Event[], told?: Told): void {
    this.told = told
    if (told !== undefined) this.foresight.compare(events, told)
    this.asked = told?.command.kind === 'acquire-lock' ? told.command.items.map(pieceOf) : undefined
    const phase = new Phase(this.facts)
    for (const event of events) {
      if (event.revision <= this.facts.revision) {
        this.disagree('I2', `revision ${event.revision} after ${this.facts.revision}`)
      }
      if (isTurn(event)) phase.settle()
      this.allow(event, phase)
      this.facts.fold(event)
    }
    phase.settle()
    this.nobodyIsMissed(phase)
    this.holdsAreApart()
    const cycle = stuck(this.facts, [...this.facts.tickets.values()])
    if (cycle.size > 0) this.disagree('I9', `${[...cycle].join(', ')} wait for each other`)
  }

  private readonly disagree: Disagree = (rule, what) => {
    throw new ModelDisagrees(`${rule}: ${what}\n${this.facts.picture()}`)
  }

  private allow(event: Event, phase: Phase): void {
    const { grants, holds } = this
    switch (event.kind) {
      case 'lock-acquired':
        return grants.allow(event, phase, this.asked)
      case 'lock-raised':
        phase.leaves(weakened(holds.raise(event), event))
        return grants.allow(event, phase, this.asked)
      case 'lock-lowered':
        return phase.leaves(weakened(holds.owned(event), event))
      case 'lock-released': {
        const { pieces } = holds.release(event)
        if (event.closedUntil === undefined) phase.leaves(pieces)
        return
      }
      case 'lock-opened':
        return phase.leaves(holds.open(event).pieces)
      case 'lock-handed-over':
        holds.owned(event)
        return
      case 'recall-extended':
        return holds.extend(event)
      case 'lock-recalled':
        return holds.recall(event)
      case 'recall-ended':
        return holds.recallEnds(event)
      case 'holder-asked':
        holds.held(event)
        return
      case 'lock-queued': {
        const { kind, raises: lock, session } = event
        if (lock !== undefined) holds.owned({ kind, lock, session })
        return
      }
      case 'ticket-left':
      case 'ticket-moved':
        return this.allowTicketEvent(event)
      case 'files-committed':
        return this.commits.allow(event, this.told)
    }
  }

  private allowTicketEvent(event: EventOf<'ticket-left'> | EventOf<'ticket-moved'>): void {
    const ticket = this.facts.tickets.get(event.ticket)
    if (ticket === undefined) return this.disagree('locks §10', `T${event.ticket} does not wait`)
    if (event.kind === 'ticket-moved') {
      if (event.why === 'deadlock' || this.inherits(ticket, event.rank)) return
      this.disagree('locks §22', `T${ticket.id} holds up nobody of rank ${event.rank}`)
    }
    if (event.reason !== 'stale') return
    if (ticket.pieces.some((piece) => isStale(this.facts, piece))) return
    this.disagree('locks §17', `T${ticket.id} left as stale and is not`)
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

  private nobodyIsMissed(phase: Phase): void {
    for (const ticket of this.facts.tickets.values()) {
      if (served(this.facts, ticket) !== undefined) {
        this.disagree('locks §42', `T${ticket.id} of ${ticket.session} could go, and waits`)
      }
    }
    const [reader] = phase.stillToEnter()
    if (reader !== undefined) this.disagree('locks §18', `the reader T${reader.id} did not enter`)
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

/** A ticket is granted, or learns that it comes too late. */
function isTurn(event: Event): boolean {
  if (event.kind === 'ticket-left') return event.reason === 'stale'
  const isGrant = event.kind === 'lock-acquired' || event.kind === 'lock-raised'
  return isGrant && event.ticket !== undefined
}

/** What of a hold that is changed leaves: one level for all makes some items weaker, even in a raise. */
function weakened(hold: Held, { items }: Pick<Grant, 'items'>): Piece[] {
  const after = items.map(pieceOf)
  return hold.pieces.filter(({ leaf }, index) => {
    const now = after[index]?.leaf
    return now !== undefined && STRENGTH[now] < STRENGTH[leaf]
  })
}
