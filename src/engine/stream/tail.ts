import type { Event } from '../../contract/events.ts'
import type { Stream } from './stream.ts'

/** Facts from a revision on are not kept any more. */
export class Compacted extends Error {
  override name = 'Compacted'
  /** The first revision that still is. */
  readonly oldest: number
  constructor(oldest: number) {
    super(`Revisions before ${oldest} are no longer kept.`)
    this.oldest = oldest
  }
}

/**
 * The durable facts of a stream from a revision on, as they are: in order, none left out, and as they
 * come when all that is stored was given; until the signal. Live facts are handed on while whoever
 * follows keeps up; once more than `LIVE_EVENTS` wait for it, they are dropped and it reads on from the
 * ledger, so that one that never reads costs nothing. Throws `Compacted`.
 */
export async function* follow(
  stream: Stream,
  from: number,
  signal: AbortSignal,
): AsyncIterable<Event[]> {
  const live = new LiveTail(stream, signal)
  try {
    for (let next = from; !signal.aborted; ) {
      const events = (await live.take(next)) ?? (await stored(stream, next))
      const last = events.at(-1)
      if (last === undefined) continue
      next = last.revision + 1
      yield events
    }
  } finally {
    live.stop()
  }
}

/** One page of stored events from a revision on. */
async function stored(stream: Stream, from: number): Promise<Event[]> {
  const to = Math.min(stream.durable, from + PAGE_EVENTS - 1)
  const events: Event[] = []
  for await (const batch of stream.history(from, to)) {
    events.push(...batch.events.filter((event) => event.revision >= from && event.revision <= to))
  }
  const [first] = events
  if (first?.revision !== from) throw new Compacted(first?.revision ?? to + 1)
  return events
}

/** Durable events as they come, as long as they join on to what the consumer has. */
class LiveTail {
  private waiting: Event[] = []
  private wake: () => void = () => {}
  private readonly stream: Stream
  private readonly signal: AbortSignal
  private readonly stopListening: () => void
  private readonly onAbort = (): void => this.wake()

  constructor(stream: Stream, signal: AbortSignal) {
    this.stream = stream
    this.signal = signal
    signal.addEventListener('abort', this.onAbort)
    this.stopListening = stream.listen((events) => {
      if (this.waiting.length + events.length > LIVE_EVENTS) this.waiting = []
      else this.waiting.push(...events)
      this.wake()
    })
  }

  /** Events from `next` on; waits while there are none; undefined when the ledger has to be read. */
  async take(next: number): Promise<Event[] | undefined> {
    while (this.stream.durable < next && !this.signal.aborted) {
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    }
    const events = this.waiting
    this.waiting = []
    if (this.signal.aborted) return []
    const start = events.findIndex((event) => event.revision === next)
    return start < 0 ? undefined : events.slice(start)
  }

  stop(): void {
    this.stopListening()
    this.signal.removeEventListener('abort', this.onAbort)
  }
}

const LIVE_EVENTS = 4096
const PAGE_EVENTS = 1000
