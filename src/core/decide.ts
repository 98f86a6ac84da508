import { type Refusal, refuse } from '../contract/errors.ts'
import { type OperationName, operationOf } from '../contract/operations.ts'
import {
  decideCloseSession,
  decideCreateToken,
  decideMakeWorkspace,
  decideOpenSession,
  decideRemoveAgent,
  decideRemoveWorkspace,
  decideSetAgent,
  decideSetGroup,
} from './agent/directory.ts'
import { hasRole, roleNeeded } from './agent/rights.ts'
import type { Actor, Command, Moment, RecordRefusals, SetWorkspace } from './command.ts'
import { type Decision, decided, refused } from './decision.ts'
import { decideCommit } from './file/commit.ts'
import { decideKeepDraft } from './file/keep-draft.ts'
import { decideKeepContents, decideTakeIn } from './file/take-in.ts'
import { decideAcquire } from './lock/acquire.ts'
import { decideAnswer, decideAsk } from './lock/ask.ts'
import { decideChange, decideHandOver } from './lock/change-lock.ts'
import { decideExtend, decideFollowUp, decideRecall } from './lock/recall.ts'
import {
  decideEndSession,
  decideExpire,
  decideLeave,
  decideRelease,
  decideReleaseAll,
} from './lock/release.ts'
import type { State } from './state.ts'

type CommandOf<K extends Command['kind']> = Extract<Command, { kind: K }>

/** How a kind of command is decided, and for which operation: whose role is needed. */
type DecisionRow<K extends Command['kind']> = {
  decide(state: State, command: CommandOf<K>, moment: Moment): Decision
} & (CommandOf<K> extends { actor: Actor } ? { for: OperationName } : { for: 'engine' })

const DECISIONS: { readonly [K in Command['kind']]: DecisionRow<K> } = {
  'acquire-lock': { for: 'acquire_lock', decide: decideAcquire },
  'change-lock': { for: 'change_lock', decide: decideChange },
  'hand-over-lock': { for: 'handover_lock', decide: decideHandOver },
  'recall-lock': { for: 'recall_lock', decide: decideRecall },
  'extend-recall': { for: 'extend_recall', decide: decideExtend },
  'ask-holder': { for: 'ask_holder', decide: decideAsk },
  'answer-ask': { for: 'answer_ask', decide: decideAnswer },
  'release-lock': { for: 'release_lock', decide: decideRelease },
  'release-all': { for: 'release_all_locks', decide: decideReleaseAll },
  'leave-queue': { for: 'leave_queue', decide: decideLeave },
  commit: { for: 'commit', decide: decideCommit },
  'keep-draft': { for: 'commit', decide: decideKeepDraft },
  'set-workspace': { for: 'put_workspace', decide: decideSetWorkspace },
  'open-session': { for: 'open_session', decide: decideOpenSession },
  'close-session': { for: 'end_session', decide: decideCloseSession },
  'set-agent': { for: 'put_agent', decide: decideSetAgent },
  'remove-agent': { for: 'delete_agent', decide: decideRemoveAgent },
  'create-token': { for: 'create_token', decide: decideCreateToken },
  'set-group': { for: 'put_group', decide: decideSetGroup },
  'make-workspace': { for: 'put_workspace', decide: decideMakeWorkspace },
  'remove-workspace': { for: 'delete_workspace', decide: decideRemoveWorkspace },
  'follow-up': { for: 'engine', decide: decideFollowUp },
  'expire-locks': { for: 'engine', decide: decideExpire },
  'end-session': { for: 'engine', decide: decideEndSession },
  'record-refusals': { for: 'engine', decide: decideRecordRefusals },
  'take-in': { for: 'engine', decide: decideTakeIn },
  'keep-contents': { for: 'engine', decide: decideKeepContents },
}

/** Reads the state, changes nothing, needs nothing that did not come in with the command. */
export function decide(state: State, command: Command, moment: Moment): Decision {
  const row = DECISIONS[command.kind] as DecisionRow<Command['kind']>
  const refusal =
    'actor' in command && row.for !== 'engine' ? missingRole(row.for, command.actor) : undefined
  return refusal === undefined ? row.decide(state, command as never, moment) : refused(refusal)
}

/** The refusal of who has not the role that an operation's row asks for. */
export function missingRole(operation: OperationName, { role }: Actor): Refusal | undefined {
  const needed = operationOf(operation).role
  if (hasRole(role, needed)) return undefined
  const detail = `Only ${roleNeeded(needed)} may do that (${operation}).`
  return refuse('forbidden', detail, { needed })
}

function decideSetWorkspace(_: State, { actor, settings }: SetWorkspace): Decision {
  const { agent, session } = actor
  return decided([{ kind: 'workspace-set', agent, session, settings }])
}

function decideRecordRefusals(_: State, { refusals }: RecordRefusals): Decision {
  return decided(refusals.map((refusal) => ({ kind: 'command-refused', ...refusal })))
}
