import { refuse } from '../../contract/errors.ts'
import type { NewEvent } from '../../contract/events.ts'
import { LIMITS } from '../../contract/limits.ts'
import { optional } from '../../contract/optional.ts'
import type { AnswerAsk, AskHolder } from '../command.ts'
import { type Decision, decided, refused } from '../decision.ts'
import type { State } from '../state.ts'
import { seenLock } from './own-locks.ts'

/** A word to a holder, and its answer (locks §37). Asking costs nothing and forces nothing. */
export function decideAsk(state: State, command: AskHolder): Decision {
  const { actor, message } = command
  // Who may not see a path does not hear of its holder either.
  const lock = seenLock(state, actor, command.lock)
  if ('code' in lock) return refused(lock)
  const paths = lock.items.map((item) => item.path)
  const { agent, session } = lock.owner
  if (session === actor.session) {
    const fields = [{ field: 'id', fault: 'your own lock' }]
    const detail = `L${lock.id} is your own lock. Release it when you are done.`
    return refused(refuse('invalid_request', detail, { fields }))
  }
  let open = 0
  for (const ask of state.asks.values()) {
    if (ask.from.session === actor.session && ask.answer === undefined) open += 1
  }
  if (open >= LIMITS.asksOpen) {
    const limit = { limit: 'asks_open', limit_value: LIMITS.asksOpen }
    const detail = `${open} of your questions are not answered yet. Wait, or work on something else.`
    return refused(refuse('too_many', detail, limit))
  }
  return decided([
    {
      kind: 'holder-asked',
      agent: actor.agent,
      session: actor.session,
      lock: lock.id,
      to: { agent, session },
      paths,
      message,
    },
  ])
}

export function decideAnswer(state: State, command: AnswerAsk): Decision {
  const { actor, answer, estimateS, message } = command
  const ask = state.asks.get(command.ask)
  if (ask === undefined || ask.to.session !== actor.session) {
    const id = `A${command.ask}`
    return refused(refuse('not_found', `There is no question ${id} to you.`, { ask: id }))
  }
  const { agent, session } = actor
  const answered: NewEvent = {
    kind: 'ask-answered',
    agent,
    session,
    ask: ask.id,
    answer,
    ...optional('estimateS', estimateS),
    ...optional('message', message),
  }
  const lock = state.locks.locks.get(ask.lock)
  if (answer !== 'yield' || lock?.owner.session !== session) {
    return decided([answered], { released: false })
  }
  // To yield is to give it back, not to promise it.
  return decided(
    [answered, { kind: 'lock-released', agent, session, lock: lock.id, reason: 'released' }],
    { released: true },
  )
}
