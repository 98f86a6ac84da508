import { comparePlaces, type QueuePlace } from './order.ts'

/** What stands in a line: a place, and whose it is. */
export interface Standing extends QueuePlace {
  readonly owner: { readonly agent: string }
}

/**
 * A queue in the order of places. Almost everybody joins at the end and leaves from the front, but
 * urgent and moved requests join anywhere and anyone may give up: a sorted list in chunks, so that
 * joining and leaving cost a search and the move of at most one chunk, with ten in line or twenty
 * thousand.
 *
 * It counts agents, because whether somebody of another agent waits is asked at every grant.
 */
export class WaitQueue<T extends Standing> {
  size = 0
  private readonly chunks: T[][] = [[]]
  private readonly agents = new Map<string, number>()

  /** A ticket that stands here already stays where it is. */
  add(ticket: T): void {
    const at = this.chunkOf(ticket)
    const chunk = this.chunks[at] as T[]
    const index = indexIn(chunk, ticket)
    if (chunk[index]?.id === ticket.id) return
    chunk.splice(index, 0, ticket)
    this.size += 1
    const { agent } = ticket.owner
    this.agents.set(agent, (this.agents.get(agent) ?? 0) + 1)
    if (chunk.length > CHUNK) this.chunks.splice(at + 1, 0, chunk.splice(CHUNK / 2))
  }

  delete(ticket: T): boolean {
    const at = this.chunkOf(ticket)
    const chunk = this.chunks[at] as T[]
    const index = indexIn(chunk, ticket)
    if (chunk[index]?.id !== ticket.id) return false
    chunk.splice(index, 1)
    if (chunk.length === 0 && this.chunks.length > 1) this.chunks.splice(at, 1)
    this.size -= 1
    const { agent } = ticket.owner
    const left = (this.agents.get(agent) as number) - 1
    if (left === 0) this.agents.delete(agent)
    else this.agents.set(agent, left)
    return true
  }

  has(ticket: T): boolean {
    const chunk = this.chunks[this.chunkOf(ticket)] as T[]
    return chunk[indexIn(chunk, ticket)]?.id === ticket.id
  }

  get first(): T | undefined {
    return this.chunks[0]?.[0]
  }

  /** The first that stands behind a place. Finding the next anew is safe while the line changes. */
  after(place: QueuePlace): T | undefined {
    const at = this.chunkOf(place)
    const chunk = this.chunks[at] as T[]
    let index = indexIn(chunk, place)
    const here = chunk[index]
    if (here !== undefined && comparePlaces(here, place) === 0) index += 1
    return chunk[index] ?? this.chunks[at + 1]?.[0]
  }

  /** The last that stands ahead of a place. */
  before(place: QueuePlace): T | undefined {
    const at = this.chunkOf(place)
    const index = indexIn(this.chunks[at] as T[], place)
    return index > 0 ? this.chunks[at]?.[index - 1] : this.chunks[at - 1]?.at(-1)
  }

  /** All that stand ahead of a place, in order, from behind `from` on. */
  *ahead(place: QueuePlace, from?: QueuePlace): Generator<T> {
    let next = from === undefined ? this.first : this.after(from)
    while (next !== undefined && comparePlaces(next, place) < 0) {
      yield next
      next = this.after(next)
    }
  }

  *[Symbol.iterator](): Generator<T> {
    for (let next = this.first; next !== undefined; next = this.after(next)) yield next
  }

  /** How many stand ahead of a place. */
  countAhead(place: QueuePlace): number {
    const at = this.chunkOf(place)
    let count = indexIn(this.chunks[at] as T[], place)
    for (let i = 0; i < at; i++) count += (this.chunks[i] as T[]).length
    return count
  }

  hasOtherAgent(agent: string): boolean {
    return this.agents.size > (this.agents.has(agent) ? 1 : 0)
  }

  /** The chunk where a place is, or would be: the last that begins at or ahead of it. */
  private chunkOf(place: QueuePlace): number {
    let low = 0
    let high = this.chunks.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      const first = (this.chunks[middle] as T[])[0] as T
      if (comparePlaces(first, place) <= 0) low = middle
      else high = middle - 1
    }
    return low
  }
}

const CHUNK = 256

/** The index of the first that is not ahead of a place. */
function indexIn(chunk: readonly QueuePlace[], place: QueuePlace): number {
  let low = 0
  let high = chunk.length
  // Most join at the end.
  const last = chunk[high - 1]
  if (last !== undefined && comparePlaces(last, place) < 0) return high
  while (low < high) {
    const middle = (low + high) >>> 1
    if (comparePlaces(chunk[middle] as QueuePlace, place) < 0) low = middle + 1
    else high = middle
  }
  return low
}
