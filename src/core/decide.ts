import { type Refusal, refuse } from '../contract/errors.ts'
import type { EventDraft } from '../contract/events.ts'
import { decideDirectory } from './agent/directory.ts'
import type { Command, Moment } from './command.ts'
import { decideCommit } from './file/commit.ts'
import { decideKeepDraft } from './file/kept-draft.ts'
import { type AcquireDecision, decideAcquire } from './lock/acquire.ts'
import { decideAnswer, decideAsk } from './lock/ask.ts'
import { decideChange, decideHandOver } from './lock/change.ts'
import { decideExtend, decideFollowUp, decideRecall } from './lock/recall.ts'
import {
  decideEndSession,
  decideExpire,
  decideLeave,
  decideRelease,
  decideReleaseAll,
} from './lock/release.ts'
import type { Lock, Ticket } from './lock/table.ts'
import type { State } from './state.ts'

/** What a command comes to: facts, a refusal, or something that stands already. */
export interface Decision {
  events: readonly EventDraft[]
  refusal?: Refusal
  /** The caller has this lock, or waits with this ticket: nothing new happened (locks §12). */
  held?: Lock
  waiting?: Ticket
}

const nothing: readonly EventDraft[] = []

/** Reads the state, changes nothing, needs nothing that did not come in with the command. */
export function decide(state: State, command: Command, moment: Moment): Decision {
  switch (command.kind) {
    case 'acquire-lock':
      return acquired(decideAcquire(state, command, moment))
    case 'change-lock':
      return acquired(decideChange(state, command, moment))
    case 'hand-over-lock':
      return acquired(decideHandOver(state, command))
    case 'recall-lock':
      return decisionOf(decideRecall(state, command, moment))
    case 'extend-recall':
      return decisionOf(decideExtend(state, command))
    case 'follow-up':
      return { events: decideFollowUp(state, command, moment) }
    case 'ask-holder':
      return decisionOf(decideAsk(state, command))
    case 'answer-ask':
      return decisionOf(decideAnswer(state, command))
    case 'keep-draft':
      return { events: decideKeepDraft(state, command, moment) }
    case 'release-lock':
      return decisionOf(decideRelease(state, command, moment))
    case 'release-all':
      return { events: decideReleaseAll(state, command) }
    case 'leave-queue':
      return decisionOf(decideLeave(state, command))
    case 'expire-locks':
      return { events: decideExpire(state, command, moment) }
    case 'end-session':
      return { events: decideEndSession(state, command, moment) }
    case 'commit':
      return decisionOf(decideCommit(state, command, moment))
    case 'set-workspace': {
      const { agent, session, role } = command.actor
      if (role !== 'admin') {
        return decisionOf(refuse('forbidden', 'Only an admin may do that.', { needed: 'admin' }))
      }
      return { events: [{ kind: 'workspace-set', agent, session, settings: command.settings }] }
    }
    case 'record-refusals':
      return {
        events: command.refusals.map((refused) => ({ kind: 'command-refused', ...refused })),
      }
    default:
      return decisionOf(decideDirectory(state.directory, command))
  }
}

function acquired(decision: AcquireDecision): Decision {
  if (decision.outcome === 'events') return { events: decision.events }
  if (decision.outcome === 'held') return { events: nothing, held: decision.lock }
  if (decision.outcome === 'waiting') return { events: nothing, waiting: decision.ticket }
  return { events: nothing, refusal: decision.refusal }
}

function decisionOf(result: EventDraft[] | Refusal): Decision {
  return 'code' in result ? { events: nothing, refusal: result } : { events: result }
}
