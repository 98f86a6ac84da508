import type { Facts, Held, Place, Waiting } from './facts.ts'
import { anyConflict, type Piece } from './leaf.ts'

/** Who is ahead, who is in the way, who could go, who can never finish: asked of everybody anew. */

export function isAhead(a: Place, b: Place): boolean {
  if (a.rank !== b.rank) return a.rank < b.rank
  if (a.seq !== b.seq) return a.seq < b.seq
  return a.id < b.id
}

export function byPlace(tickets: Iterable<Waiting>): Waiting[] {
  return [...tickets].sort((a, b) => (isAhead(a, b) ? -1 : 1))
}

/** What is closed is nobody's and stands against its former owner too (record 0008 no. 5). */
export function holdsInTheWay(facts: Facts, session: string, piece: Piece): Held[] {
  const inTheWay: Held[] = []
  for (const hold of facts.holds.values()) {
    if (hold.session !== session && anyConflict([piece], hold.pieces)) inTheWay.push(hold)
  }
  for (const hold of facts.closed.values()) {
    if (anyConflict([piece], hold.pieces)) inTheWay.push(hold)
  }
  return inTheWay
}

export function ticketsInTheWay(
  queue: Iterable<Waiting>,
  waiting: Waiting,
  piece: Piece,
): Waiting[] {
  const inTheWay: Waiting[] = []
  for (const other of queue) {
    const isOther = other.session !== waiting.session && isAhead(other, waiting)
    if (isOther && anyConflict([piece], other.pieces)) inTheWay.push(other)
  }
  return inTheWay
}

/** Record 0008 no. 8 and 9: what it would be granted now; undefined: it has to wait. */
export function served(
  facts: Facts,
  waiting: Waiting,
  queue: Iterable<Waiting> = facts.tickets.values(),
): Piece[] | undefined {
  const all = [...queue]
  const free = waiting.pieces.filter(
    (piece) =>
      holdsInTheWay(facts, waiting.session, piece).length === 0 &&
      ticketsInTheWay(all, waiting, piece).length === 0,
  )
  const wanted = waiting.any ?? waiting.pieces.length
  return free.length < wanted ? undefined : free.slice(0, wanted)
}

/**
 * Record 0008 no. 17: the sessions that can never finish. Everybody is let go whose tickets can all
 * be served once those in the way are gone, until nobody more can be.
 */
export function stuck(facts: Facts, queue: readonly Waiting[]): Set<string> {
  const rest = new Set(queue.map((ticket) => ticket.session))
  const canBeServed = (ticket: Waiting): boolean => {
    let free = 0
    for (const piece of ticket.pieces) {
      const isStuck = (one: { session: string }) => rest.has(one.session)
      // Closed holds are nobody's, and end by themselves.
      const holders = holdsInTheWay(facts, ticket.session, piece).filter(
        (hold) => hold.closedUntil === undefined,
      )
      if (!holders.some(isStuck) && !ticketsInTheWay(queue, ticket, piece).some(isStuck)) free += 1
    }
    return free >= (ticket.any ?? ticket.pieces.length)
  }
  for (let size = -1; size !== rest.size; ) {
    size = rest.size
    for (const session of rest) {
      if (queue.every((one) => one.session !== session || canBeServed(one))) rest.delete(session)
    }
  }
  return rest
}

/** Record 0008 no. 18: one ticket directly ahead of one other that is now ahead of it. */
export function helpfulMove(facts: Facts, queue: readonly Waiting[]): string | undefined {
  for (const moved of queue) {
    for (const other of queue) {
      if (other === moved || other.session === moved.session || !isAhead(other, moved)) continue
      if (!anyConflict(moved.pieces, other.pieces)) continue
      const place = directlyAhead(queue, other)
      const order = queue.map((one) => (one === moved ? { ...one, ...place } : one))
      if (stuck(facts, order).size === 0) return `T${moved.id} directly ahead of T${other.id}`
    }
  }
  return undefined
}

/** Record 0008 no. 7: directly ahead of the first that could never go before it. */
export function placed(facts: Facts, request: Waiting): Waiting {
  const own = [...facts.holds.values()].filter((hold) => hold.session === request.session)
  const first = byPlace(facts.tickets.values()).find(
    (ticket) =>
      ticket.session !== request.session &&
      isAhead(ticket, request) &&
      anyConflict(ticket.pieces, request.pieces) &&
      own.some((hold) => anyConflict(hold.pieces, ticket.pieces)),
  )
  if (first === undefined) return request
  return { ...request, ...directlyAhead([...facts.tickets.values()], first) }
}

/** Ahead of `other` and of those that share its place, behind everybody before them. */
function directlyAhead(queue: readonly Waiting[], other: Waiting): { rank: number; seq: number } {
  const before = byPlace(queue).findLast((one) => isAhead(one, other) && one.seq !== other.seq)
  const isNear = before !== undefined && before.rank === other.rank
  const seq = isNear ? (before.seq + other.seq) / 2 : other.seq - 0.5
  return { rank: other.rank, seq }
}

/** Behind `other` and nobody else. */
export function directlyBehind(
  queue: readonly Waiting[],
  { rank, seq }: Waiting,
): { rank: number; seq: number } {
  const next = byPlace(queue).find((one) => one.rank === rank && one.seq > seq)
  return { rank, seq: next === undefined ? seq + 0.5 : (seq + next.seq) / 2 }
}

/**
 * Record 0008 no. 12: the last ticket of another agent that an agent at its limit has to let go
 * first.
 */
export function toLetGoFirst(facts: Facts, request: Waiting): Waiting | undefined {
  if (request.any !== undefined) return undefined
  if (!request.pieces.some((piece) => facts.isAtLimit(request.agent, piece))) return undefined
  return byPlace(facts.tickets.values()).findLast(
    (ticket) => ticket.agent !== request.agent && anyConflict(ticket.pieces, request.pieces),
  )
}
