import type { OperationName } from '../contract/operations.ts'

/**
 * The command that speaks for each operation, as it is typed behind `sluice`; `call`: none does, and
 * `sluice call` takes any. An operation that is new here says which, or does not compile.
 */
export const COMMAND_OF = {
  open_session: 'call',
  list_sessions: 'call',
  end_session: 'call',
  list_workspaces: 'call',
  get_workspace: 'call',
  put_workspace: 'call',
  delete_workspace: 'call',
  list_agents: 'agents',
  get_agent: 'call',
  put_agent: 'agents set',
  delete_agent: 'agents rm',
  create_token: 'token',
  put_group: 'groups set',
  list_groups: 'groups',
  workspace_status: 'status',
  query_audit: 'log',
  verify_audit: 'log --verify',
  read_file: 'cat',
  read_text: 'call',
  write_file: 'put',
  patch_file: 'call',
  delete_file: 'rm',
  commit: 'call',
  get_entry: 'ls',
  get_history: 'history',
  acquire_lock: 'lock',
  change_lock: 'change',
  handover_lock: 'handover',
  ask_holder: 'ask',
  answer_ask: 'answer',
  recall_lock: 'recall',
  extend_recall: 'extend',
  read_draft: 'call',
  list_locks: 'locks',
  get_lock: 'call',
  renew_lock: 'call',
  release_lock: 'unlock',
  release_all_locks: 'call',
  wait_for_lock: 'lock --wait',
  leave_queue: 'call',
} as const satisfies Record<OperationName, string>

/** What to type for an operation. */
export function typedFor(name: OperationName): string {
  const command = COMMAND_OF[name]
  return command === 'call' ? `sluice call ${name}` : `sluice ${command}`
}
