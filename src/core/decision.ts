import type { Refusal } from '../contract/errors.ts'
import type { NewEvent } from '../contract/events.ts'
import type { Lock, Ticket } from './lock/table.ts'

/** What a command comes to: facts, a refusal, or something that stands already. */
export interface Decision {
  events: readonly NewEvent[]
  refusal?: Refusal
  /** The caller has this lock, or waits with this ticket: nothing new happened (locks §12). */
  held?: Lock
  waiting?: Ticket
  /** What the answer says and the first fact does not; kept with it, so that a retry is told the same. */
  result?: Record<string, unknown>
}

export function decided(events: readonly NewEvent[], result?: Record<string, unknown>): Decision {
  return result === undefined ? { events } : { events, result }
}

export function refused(refusal: Refusal): Decision {
  return { events: none, refusal }
}

const none: readonly NewEvent[] = []

export const nothing: Decision = { events: none }
