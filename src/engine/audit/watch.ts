import { fail } from '../../contract/errors.ts'
import { type Event, type ShownEvent, shownEvent } from '../../contract/events.ts'
import { isUnder } from '../../contract/path.ts'
import type { Actor } from '../../core/command.ts'
import type { State } from '../../core/state.ts'
import type { WatchQuery } from '../api.ts'
import type { Stream } from '../stream/stream.ts'
import { mayHear } from './audience.ts'
import { type PathsOf, pathsIn } from './event-paths.ts'

/**
 * A watch is a cursor on the stream (locks §43): ordered, gap-free, resumable. Live events are handed
 * on while the consumer keeps up; once more than `LIVE_EVENTS` wait for it, they are dropped and it
 * reads on from the ledger, so a consumer that never reads costs nothing.
 */
export async function* watch(
  stream: Stream,
  query: WatchQuery,
  actorNow: () => Actor | undefined,
): AsyncIterable<ShownEvent[]> {
  const live = new LiveTail(stream, query.signal)
  try {
    let next = query.since + 1
    if (query.since > stream.durable) {
      fail('invalid_request', `Revision ${query.since} is not written yet.`, {
        revision: stream.durable,
      })
    }
    while (!query.signal.aborted) {
      const events = (await live.take(next)) ?? (await stored(stream, next))
      const last = events.at(-1)
      if (last === undefined) continue
      next = last.revision + 1
      const pathsOf = await pathsIn(stream, events, (event) => isOfKind(event, query))
      const actor = actorNow()
      if (actor === undefined) fail('unauthenticated', 'The session has ended. Open a new one.')
      const told = events.flatMap((event) => shown(event, pathsOf, query, actor, stream.state))
      if (told.length > 0) yield told
    }
  } finally {
    live.stop()
  }
}

function isOfKind({ kind }: Event, { kinds }: WatchQuery): boolean {
  return kinds === undefined || kinds.includes(kind)
}

function shown(
  event: Event,
  pathsOf: PathsOf,
  query: WatchQuery,
  actor: Actor,
  state: State,
): ShownEvent[] {
  if (!isOfKind(event, query)) return []
  const { path: within } = query
  const paths = pathsOf(event)
  const isAbout = (path: string): boolean =>
    within === undefined || isUnder(within, path, state.settings.portable_names)
  if (within !== undefined && paths?.some(isAbout) !== true) return []
  return mayHear(event, paths, actor, state) ? [shownEvent(event, paths)] : []
}

/** One page of stored events from a revision on. */
async function stored(stream: Stream, from: number): Promise<Event[]> {
  const to = Math.min(stream.durable, from + PAGE_EVENTS - 1)
  const events: Event[] = []
  for await (const batch of stream.history(from, to)) {
    events.push(...batch.events.filter((event) => event.revision >= from && event.revision <= to))
  }
  if (events[0] !== undefined && events[0].revision !== from) {
    fail(
      'compacted',
      `Revisions before ${events[0].revision} are no longer kept. Start from there.`,
      {
        oldest: events[0].revision,
      },
    )
  }
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
