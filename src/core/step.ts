import type { Refusal } from '../contract/errors.ts'
import type { Event, EventDraft } from '../contract/events.ts'
import { apply } from './apply.ts'
import type { Command, Moment } from './command.ts'
import { type Decision, decide } from './decide.ts'
import { grantOf } from './lock/acquire.ts'
import { grantable } from './lock/wake.ts'
import type { State } from './state.ts'

/** A decided command: its facts, applied already, and what it comes to for the caller. */
export interface Step extends Omit<Decision, 'events'> {
  events: Event[]
}

/**
 * One decision, whole: decide, apply, and grant whoever can go now (locks §42: release, expiry and
 * revocation grant the next waiters in the same decision). The only place that changes a state
 * outside a replay.
 */
export function step(state: State, command: Command, moment: Moment): Step {
  const decision = decide(state, command, moment)
  const events: Event[] = []
  for (const draft of decision.events) events.push(applied(state, draft, moment.at))
  for (const ticket of grantable(state.locks)) {
    events.push(applied(state, grantOf(state, ticket), moment.at))
  }
  return { ...decision, events }
}

/** The event of a refusal, for the audit (refusals are facts too). */
export function refusalDraft(
  command: string,
  by: { agent: string; session: string },
  paths: string[],
  refusal: Refusal,
  requestId: string | undefined,
): EventDraft {
  return {
    kind: 'command-refused',
    agent: by.agent,
    session: by.session,
    command,
    paths,
    code: refusal.code,
    detail: refusal.detail,
    count: 1,
    // Only a retry needs the whole problem again.
    ...(requestId === undefined ? {} : { requestIds: [requestId], problem: refusal.data ?? {} }),
  }
}

/** Gives a fact its place in the stream. */
export function applied(state: State, draft: EventDraft, at: number): Event {
  const event = { ...draft, revision: state.revision + 1, at } as Event
  apply(state, event)
  return event
}
