import type { Facts, Waiting } from './facts.ts'
import { commonNode, opposed, type Piece } from './leaf.ts'
import { holdsInTheWay, ticketsInTheWay } from './queue.ts'

/**
 * The phase of a decision (locks §18, record 0008 no. 11): where writers left by its own events, and
 * which readers that waited there go past the waiters. With the first turn of a ticket the moment is
 * over, and settled who they are.
 */
export class Phase {
  private readonly facts: Facts
  private readonly waitedBefore: ReadonlySet<number>
  private readonly left: Piece[] = []
  /** Sessions that wait with one ticket: who waits for more passes nobody. */
  private lone = new Set<string>()
  private readonly entitled = new Set<number>()
  private isSettled = false

  constructor(facts: Facts) {
    this.facts = facts
    this.waitedBefore = new Set(facts.tickets.keys())
  }

  leaves(pieces: readonly Piece[]): void {
    if (this.isSettled) return
    const writers = pieces.filter(({ leaf }) => leaf === 'write' || leaf === 'exclusive')
    this.left.push(...writers.map((piece) => ({ ...piece })))
  }

  settle(): void {
    if (this.isSettled) return
    this.isSettled = true
    if (this.left.length === 0 || this.facts.settings.order !== 'fcfs') return
    const queue = [...this.facts.tickets.values()]
    this.lone = loneIn(queue)
    for (const ticket of queue) if (this.mayEnter(ticket, queue)) this.entitled.add(ticket.id)
  }

  isEntitled({ id }: Waiting): boolean {
    return this.entitled.has(id)
  }

  /** Who is to enter, waits, and could: nobody who went is in the way. */
  stillToEnter(): Waiting[] {
    const { facts, entitled } = this
    if (entitled.size === 0) return []
    return [...facts.tickets.values()].filter(
      ({ id, session, pieces }) =>
        entitled.has(id) &&
        pieces.every((piece) => holdsInTheWay(facts, session, piece).length === 0),
    )
  }

  /** Whether a ticket may go past those that `piece` of it meets in the way. */
  excuses(ticket: Waiting, passed: readonly { piece: Piece; other: Waiting }[]): boolean {
    if (!this.isInPhase(ticket)) return false
    const open = this.openedFor(ticket)
    return passed.every(({ piece, other }) => meetsOnlyAt(open, piece, other))
  }

  private isInPhase({ id, session, pieces, any }: Waiting): boolean {
    const isReader = pieces.every(({ leaf }) => leaf === 'read' || leaf === 'stable')
    return isReader && any === undefined && this.waitedBefore.has(id) && this.lone.has(session)
  }

  private mayEnter(ticket: Waiting, queue: readonly Waiting[]): boolean {
    if (!this.isInPhase(ticket)) return false
    const open = this.openedFor(ticket)
    if (open.size === 0) return false
    return ticket.pieces.every(
      (piece) =>
        holdsInTheWay(this.facts, ticket.session, piece).length === 0 &&
        ticketsInTheWay(queue, ticket, piece).every((other) => meetsOnlyAt(open, piece, other)),
    )
  }

  /** The nodes where a writer that stood against it left; ranges meet in the file, not on its node. */
  private openedFor({ pieces }: Waiting): Set<string> {
    const open = new Set<string>()
    for (const piece of pieces) {
      for (const gone of this.left) {
        const node = commonNode(piece, gone)
        if (node === undefined || node.endsWith('#bytes')) continue
        if (opposed(piece.leaf, gone.leaf)) open.add(node)
      }
    }
    return open
  }
}

function loneIn(queue: readonly Waiting[]): Set<string> {
  const lone = new Set<string>()
  const several = new Set<string>()
  for (const { session } of queue) (lone.has(session) ? several : lone).add(session)
  for (const session of several) lone.delete(session)
  return lone
}

/** Everybody that `piece` meets in `other` it meets at one of these nodes. */
function meetsOnlyAt(open: ReadonlySet<string>, piece: Piece, other: Waiting): boolean {
  return other.pieces.every((one) => {
    const node = commonNode(piece, one)
    return node === undefined || !opposed(piece.leaf, one.leaf) || open.has(node)
  })
}
