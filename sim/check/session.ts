import type { Event } from '../../src/contract/events.ts'
import { broken, type Operation } from '../history.ts'
import type { Timing } from './linear.ts'

/**
 * locks §29: whoever is granted something is alive. Asked when the grant is durable: a session that
 * ended since has had its locks taken by then, and ends that waited for a full disk come one after
 * the other in one batch.
 */
export function checkAlive(
  events: readonly Event[],
  isOpen: (session: string) => boolean,
  isHeld: (lock: number) => boolean,
): void {
  for (const { kind, session, revision } of events) {
    if (kind === 'lock-acquired' && isHeld(revision) && !isOpen(session)) {
      broken('locks §29', `${session} was granted ${revision} after its end`)
    }
  }
}

/** locks §26: when an end of a session is answered, nothing of the session is left. */
export function checkEnded(
  operations: readonly Operation[],
  events: readonly Event[],
  timings: ReadonlyMap<number, Timing>,
): void {
  const ends = new Map<string, number>()
  for (const { name, outcome, input, returned } of operations) {
    if (name === 'end_session' && outcome === 'done') ends.set(String(input.id), returned)
  }
  const held = new Map<number, string>()
  for (const event of events) {
    if (event.kind === 'lock-acquired') held.set(event.revision, event.session)
    else if (event.kind === 'lock-handed-over') held.set(event.revision, event.to.session)
    if (event.kind !== 'lock-released') continue
    const session = held.get(event.lock)
    const end = session === undefined ? undefined : ends.get(session)
    const decided = timings.get(event.revision)?.decided
    if (end !== undefined && decided !== undefined && decided > end) {
      broken('locks §26', `L${event.lock} of ${session} was held when its end was answered`)
    }
  }
}
