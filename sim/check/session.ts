import type { Event } from '../../src/contract/events.ts'
import { broken, type Operation } from '../history.ts'
import type { Timing } from './linear.ts'

/**
 * locks §29: whoever is granted something is alive. An end is two decisions, of the server and of the
 * workspace, and what was granted between them is taken back at once; so it is asked whether a grant
 * to nobody lasts.
 */
export class Alive {
  private readonly doubtful: { lock: number; session: string; askAt: number }[] = []

  follow(
    events: readonly Event[],
    now: number,
    isOpen: (session: string) => boolean,
    isHeld: (lock: number) => boolean,
  ): void {
    for (const { kind, session, revision } of events) {
      if (kind !== 'lock-acquired' || isOpen(session)) continue
      this.doubtful.push({ lock: revision, session, askAt: now + TAKEN_BACK_MS })
    }
    for (
      let [first] = this.doubtful;
      first !== undefined && first.askAt <= now;
      [first] = this.doubtful
    ) {
      if (isHeld(first.lock)) {
        broken('locks §29', `${first.session} was granted ${first.lock} after its end`)
      }
      this.doubtful.shift()
    }
  }
}

/** More than a disk is full, or a server stopped, in one go; less than an orphan would hold on. */
const TAKEN_BACK_MS = 20_000

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
