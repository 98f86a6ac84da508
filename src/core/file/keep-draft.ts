import type { KeepDraft, Moment } from '../command.ts'
import { type Decision, decided } from '../decision.ts'
import type { State } from '../state.ts'

/** locks §39 */
export function decideKeepDraft(state: State, command: KeepDraft, moment: Moment): Decision {
  const { actor, path, lock, base, content } = command
  const { agent, session } = actor
  const until = moment.at + 1000 * state.settings.draft_kept_s
  const { sha256, size } = content
  return decided([{ kind: 'draft-kept', agent, session, path, lock, base, sha256, size, until }])
}
