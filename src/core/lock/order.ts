import type { Settings } from '../../contract/events.ts'

/**
 * Places in the queue (locks §18–19, record 0008 no. 6): `(rank, seq, id)`, smaller is ahead.
 *
 * The rank is the time of the request, moved back by what its priority is worth in waiting. Two
 * waiters thus stand in the same order at all times: places change only by facts, so the check for
 * cycles at enqueue stays exact, and queues stay sorted.
 */
export interface QueuePlace {
  /** Milliseconds. */
  readonly rank: number
  /** The ticket's number, or between those it was put between. */
  readonly seq: number
  readonly id: number
}

export const USUAL_PRIORITY = 5

export function rankOf(settings: Settings, at: number, priority: number | undefined): number {
  const steps = settings.order === 'priority' ? (priority ?? USUAL_PRIORITY) : USUAL_PRIORITY
  return at - 1000 * settings.age_step_s * steps
}

export function isAhead(a: QueuePlace, b: QueuePlace): boolean {
  return comparePlaces(a, b) < 0
}

export function comparePlaces(a: QueuePlace, b: QueuePlace): number {
  return a.rank - b.rank || a.seq - b.seq || a.id - b.id
}

/** The place of a newcomer whose ticket would have this number. */
export function newcomerPlace(
  settings: Settings,
  at: number,
  priority: number | undefined,
  id: number,
): QueuePlace {
  const rank = rankOf(settings, at, priority)
  return { rank, seq: id, id }
}

/** Directly ahead of a place: halfway to whoever stands before it, of all that wait. */
export function placeBefore(
  place: QueuePlace,
  before: QueuePlace | undefined,
  id: number,
): QueuePlace {
  const { rank, seq } = place
  return { rank, seq: before?.rank === rank ? (before.seq + seq) / 2 : seq - 0.5, id }
}

/** Directly behind a place, ahead of whoever stands after it. */
export function placeBehind(
  place: QueuePlace,
  after: QueuePlace | undefined,
  id: number,
): QueuePlace {
  const { rank, seq } = place
  return { rank, seq: after?.rank === rank ? (seq + after.seq) / 2 : seq + 0.5, id }
}

/** What a waiter's wait is worth by now, as people see it (locks §19). */
export function effectivePriority(
  settings: Settings,
  ticket: { priority: number | undefined; since: number },
  at: number,
): number {
  const age = Math.floor((at - ticket.since) / (1000 * settings.age_step_s))
  return (ticket.priority ?? USUAL_PRIORITY) + Math.max(0, age)
}
