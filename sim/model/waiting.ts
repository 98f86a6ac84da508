import { itemsClash, type ModelItem } from './conflict.ts'
import type { ModelHold, ModelState, ModelTicket } from './state.ts'

/** Who is ahead of whom, who could go, and who can never finish: each asked of everybody anew. */

export interface Place {
  rank: number
  seq: number
  id: number
}

/** A waiting request, in the queue or thought of as in it. */
export type Waiting = Pick<
  ModelTicket,
  'session' | 'agent' | 'items' | 'any' | 'rank' | 'seq' | 'id'
>

export function isAhead(a: Place, b: Place): boolean {
  if (a.rank !== b.rank) return a.rank < b.rank
  return a.seq !== b.seq ? a.seq < b.seq : a.id < b.id
}

export function clashes(items: readonly ModelItem[], others: readonly ModelItem[]): boolean {
  return items.some((item) => others.some((other) => itemsClash(item, other)))
}

export function holdsAgainst(state: ModelState, session: string, item: ModelItem): ModelHold[] {
  return state.standing.filter((hold) => {
    // What was lost stands against its former owner too.
    const isOwn = hold.session === session && !state.closed.has(hold.id)
    return !isOwn && clashes([item], hold.items)
  })
}

export function ticketsAgainst(
  queue: readonly Waiting[],
  waiting: Waiting,
  item: ModelItem,
): Waiting[] {
  return queue.filter(
    (other) =>
      other.session !== waiting.session && isAhead(other, waiting) && clashes([item], other.items),
  )
}

/** Record 0008 no. 8 and 9: the items it would get now, or undefined when it has to wait. */
export function served(
  state: ModelState,
  waiting: Waiting,
  queue: readonly Waiting[] = [...state.tickets.values()],
): ModelItem[] | undefined {
  const free = waiting.items.filter(
    (item) =>
      holdsAgainst(state, waiting.session, item).length === 0 &&
      ticketsAgainst(queue, waiting, item).length === 0,
  )
  const wanted = waiting.any ?? waiting.items.length
  return free.length >= wanted ? free.slice(0, wanted) : undefined
}

/**
 * Sessions that can never finish (record 0008 no. 17): what is left when everybody is let go whose
 * tickets can all be served once those in the way have finished.
 */
export function stuckSessions(state: ModelState, queue: readonly Waiting[]): Set<string> {
  const stuck = new Set(queue.map((ticket) => ticket.session))
  const canBeServed = (ticket: Waiting): boolean => {
    const free = ticket.items.filter((item) => {
      const holders = holdsAgainst(state, ticket.session, item)
        .filter((hold) => !state.closed.has(hold.id))
        .map((hold) => hold.session)
      const ahead = ticketsAgainst(queue, ticket, item).map((other) => other.session)
      return ![...holders, ...ahead].some((session) => stuck.has(session))
    })
    return free.length >= (ticket.any ?? ticket.items.length)
  }
  for (let before = -1; before !== stuck.size; ) {
    before = stuck.size
    for (const session of stuck) {
      const own = queue.filter((ticket) => ticket.session === session)
      if (own.every(canBeServed)) stuck.delete(session)
    }
  }
  return stuck
}

/** Between a place and whoever stands before it. */
export function directlyAhead(
  queue: readonly Waiting[],
  { rank, seq, id }: Place,
): { rank: number; seq: number } {
  const before = queue
    .filter((one) => one.rank === rank && isAhead(one, { rank, seq, id }))
    .sort((a, b) => (isAhead(a, b) ? 1 : -1))[0]
  return { rank, seq: before === undefined ? seq - 0.5 : (before.seq + seq) / 2 }
}

/** Whether moving one waiter directly ahead of another would leave nobody stuck. */
export function oneMoveHelps(state: ModelState, queue: readonly Waiting[]): boolean {
  return queue.some((moved) =>
    queue.some((other) => {
      if (other === moved || !isAhead(other, moved)) return false
      const place = directlyAhead(queue, other)
      const reordered = queue.map((one) => (one === moved ? { ...one, ...place } : one))
      return stuckSessions(state, reordered).size === 0
    }),
  )
}
