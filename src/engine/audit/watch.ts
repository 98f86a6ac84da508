import { fail } from '../../contract/errors.ts'
import { type Event, type ShownEvent, shownEvent } from '../../contract/events.ts'
import { isUnder } from '../../contract/path.ts'
import type { Actor } from '../../core/command.ts'
import type { State } from '../../core/state.ts'
import type { WatchQuery } from '../api.ts'
import type { Stream } from '../stream/stream.ts'
import { Compacted, follow } from '../stream/tail.ts'
import { mayHear } from './audience.ts'
import { type PathsOf, pathsIn } from './event-paths.ts'

/**
 * A watch is a cursor on the stream (locks §43): ordered, gap-free, resumable; of the facts that the
 * caller may hear of by then, in the form in which they leave.
 */
export async function* watch(
  stream: Stream,
  query: WatchQuery,
  actorNow: () => Actor | undefined,
): AsyncIterable<ShownEvent[]> {
  if (query.since > stream.durable) {
    fail('invalid_request', `Revision ${query.since} is not written yet.`, {
      revision: stream.durable,
    })
  }
  try {
    for await (const events of follow(stream, query.since + 1, query.signal)) {
      const pathsOf = await pathsIn(stream, events, (event) => isOfKind(event, query))
      const actor = actorNow()
      if (actor === undefined) fail('unauthenticated', 'The session has ended. Open a new one.')
      const told = events.flatMap((event) => shown(event, pathsOf, query, actor, stream.state))
      if (told.length > 0) yield told
    }
  } catch (error) {
    if (!(error instanceof Compacted)) throw error
    const { oldest } = error
    fail('compacted', `${error.message} Start from there.`, { oldest })
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
