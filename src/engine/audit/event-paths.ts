import { type Event, eventRowOf } from '../../contract/events.ts'
import { BoundedMap } from '../../core/bounded-map.ts'
import type { Stream } from '../stream/stream.ts'

/**
 * The paths that facts are about.
 *
 * Some facts name what they are about by its number alone: a lock, a ticket, a question, a draft. That
 * number is the revision of the fact that made it, and its paths never change afterwards (a change of a
 * lock is of its level). So they are known from the stream itself, whoever reads it and when: live, from
 * an old revision, or after a restart (I11). Undefined: the fact that says them is not kept any more.
 */
export type PathsOf = (event: Event) => readonly string[] | undefined

/** What a fact names by number: the revision of the fact that has the paths. */
function subjectOf(event: Event): number | undefined {
  const { about } = eventRowOf(event.kind)
  return about !== 'nothing' && 'subject' in about ? about.subject(event as never) : undefined
}

function saidPaths(event: Event): readonly string[] | undefined {
  const { about } = eventRowOf(event.kind)
  return about !== 'nothing' && 'paths' in about ? about.paths(event as never) : undefined
}

/**
 * The paths of these durable facts, which are in the order of the stream. Those that are not wanted
 * may stay unknown. Nearly all are found among the facts themselves or in memory; the ledger is read
 * only for what ended long ago.
 */
export async function pathsIn(
  stream: Stream,
  events: readonly Event[],
  isWanted: (event: Event) => boolean = () => true,
): Promise<PathsOf> {
  const known = new Map<number, readonly string[]>()
  for (const event of events) {
    const subject = subjectOf(event)
    const paths =
      subject === undefined
        ? saidPaths(event)
        : isWanted(event)
          ? (known.get(subject) ?? inMemory(stream, subject) ?? (await inLedger(stream, subject)))
          : undefined
    if (paths !== undefined) known.set(event.revision, paths)
  }
  return (event) => known.get(event.revision)
}

/** A durable fact names only what is durable too, so the state may be ahead of it. */
function inMemory({ state }: Stream, subject: number): readonly string[] | undefined {
  const { locks, ended, tickets } = state.locks
  const made = locks.get(subject) ?? ended.get(subject)?.lock ?? tickets.get(subject)
  return made?.items.map((item) => item.path) ?? state.asks.get(subject)?.paths
}

/** Many watches ask for the same at the same time. */
const read = new WeakMap<Stream, BoundedMap<number, Promise<readonly string[] | undefined>>>()
const KEPT = 10_000

function inLedger(stream: Stream, subject: number): Promise<readonly string[] | undefined> {
  const kept = read.get(stream) ?? new BoundedMap(KEPT)
  read.set(stream, kept)
  let paths = kept.get(subject)
  if (paths === undefined) {
    paths = madeAt(stream, subject)
    kept.set(subject, paths)
    paths.catch(() => kept.delete(subject))
  }
  return paths
}

async function madeAt(stream: Stream, subject: number): Promise<readonly string[] | undefined> {
  for (let revision = subject; ; ) {
    const event = await stream.eventAt(revision)
    if (event === undefined) return undefined
    const before = subjectOf(event)
    if (before === undefined) return saidPaths(event)
    // A lock that was handed over goes on under a number of its own.
    revision = before
  }
}
