import type { Refusal } from '../contract/errors.ts'
import type { Event, NewEvent } from '../contract/events.ts'
import { apply } from './apply.ts'
import type { Command, Moment } from './command.ts'
import { decide } from './decide.ts'
import type { Decision } from './decision.ts'
import { grantEvent } from './lock/grant.ts'
import { inheritances } from './lock/inherit.ts'
import type { Owner } from './lock/table.ts'
import { turns } from './lock/wake.ts'
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
  const add = (draft: NewEvent): void => {
    events.push(applied(state, draft, moment.at))
  }
  const [answer] = decision.events
  if (answer !== undefined) answers(answer, command, decision.result)
  for (const draft of decision.events) add(draft)
  const { freed, moved, tickets } = state.locks
  // Where others were moved for a request, it may be able to go itself by now.
  const [first] = events
  const queued = events.length > 1 && first?.kind === 'lock-queued' ? first.revision : 0
  const asked = tickets.get(queued)
  if (asked !== undefined) moved.push(asked)
  for (let seen = 0; ; ) {
    // Most decisions wake nobody.
    if (freed.length > 0 || moved.length > 0) {
      for (const turn of turns(state.locks, state.settings)) add(grantEvent(state, turn))
    }
    if (state.settings.order !== 'priority' || seen === events.length) break
    const touched = ownersTouched(state, events.slice(seen))
    seen = events.length
    // Whoever was moved ahead may be able to go now.
    for (const draft of inheritances(state, touched)) add(draft)
  }
  return { ...decision, events }
}

/** The first fact of a decision is what a retry of the request is answered from (locks §11). */
function answers(draft: NewEvent, command: Command, result: Decision['result']): void {
  if (result !== undefined) draft.result = result
  if (!('requestId' in command) || command.requestId === undefined) return
  draft.requestId = command.requestId
  const { session } = command.actor
  if (session !== draft.session) draft.asker = session
}

function ownersTouched(state: State, events: readonly Event[]): Set<Owner> {
  const touched = new Set<Owner>()
  for (const event of events) {
    const session =
      event.kind === 'lock-handed-over'
        ? event.to.session
        : event.kind === 'lock-queued' || event.kind === 'lock-acquired'
          ? event.session
          : undefined
    const owner = session === undefined ? undefined : state.locks.owners.get(session)
    if (owner !== undefined && owner.tickets.size > 0) touched.add(owner)
  }
  return touched
}

/** The event of a refusal, for the audit (refusals are facts too). */
export function refusalEvent(
  command: string,
  by: { agent: string; session: string },
  paths: string[],
  refusal: Refusal,
  requestId: string | undefined,
): NewEvent {
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

/** Gives a fact its place in the stream; the draft becomes it. */
export function applied(state: State, draft: NewEvent, at: number): Event {
  const event = draft as Event
  event.revision = state.revision + 1
  event.at = at
  apply(state, event)
  return event
}
