import type { Event } from '../../src/contract/events.ts'
import { broken, type Operation } from '../history.ts'
import type { Timing } from './linear.ts'

/**
 * locks §29: whoever is granted something is alive at that moment. Asked when it is decided, of the
 * directory as it is then.
 */
export function checkAlive(events: readonly Event[], isOpen: (session: string) => boolean): void {
  for (const event of events) {
    const isGrant = event.kind === 'lock-acquired' || event.kind === 'lock-raised'
    if (isGrant && !isOpen(event.session)) {
      broken('locks §29', `${event.session} was granted ${event.revision} after its end`)
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
