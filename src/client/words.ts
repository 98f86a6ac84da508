import { type Problem, SluiceError } from '../contract/errors.ts'
import type { OperationName } from '../contract/operations.ts'
import { detailIn, type Wording } from '../contract/wording.ts'

/** What the methods of the SDK are called; undefined: it is reached by `call`. */
const METHODS: Record<OperationName, string | undefined> = {
  open_session: 'connect()',
  list_sessions: undefined,
  end_session: 'sluice.close()',
  list_workspaces: undefined,
  get_workspace: undefined,
  put_workspace: undefined,
  delete_workspace: undefined,
  list_agents: undefined,
  get_agent: undefined,
  put_agent: undefined,
  delete_agent: undefined,
  create_token: undefined,
  put_group: undefined,
  list_groups: undefined,
  workspace_status: 'ws.status()',
  query_audit: undefined,
  verify_audit: undefined,
  read_file: 'ws.read()',
  read_text: undefined,
  write_file: 'ws.write()',
  patch_file: 'ws.edit()',
  delete_file: 'ws.delete()',
  commit: 'ws.commit()',
  get_entry: 'ws.list()',
  get_history: 'ws.history()',
  acquire_lock: 'ws.lock()',
  change_lock: 'lock.change()',
  handover_lock: undefined,
  ask_holder: 'ws.ask()',
  answer_ask: 'ws.answer()',
  recall_lock: undefined,
  extend_recall: 'lock.extend()',
  read_draft: 'ws.draft()',
  list_locks: 'ws.locks()',
  get_lock: undefined,
  renew_lock: undefined,
  release_lock: 'lock.release()',
  release_all_locks: undefined,
  wait_for_lock: 'ws.lock()',
  leave_queue: undefined,
}

const WORDING: Wording = {
  takeBack: "sluice.call('handover_lock')",
  operation: (name) => METHODS[name] ?? `sluice.call('${name}')`,
  argument: (name) =>
    `"${name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())}"`,
}

/** The message is in the words of the SDK; the problem stays as the server said it. */
export function refusedAs(problem: Problem): SluiceError {
  return new SluiceError(problem, detailIn(WORDING, problem))
}
