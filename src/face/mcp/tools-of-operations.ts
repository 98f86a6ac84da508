import type { OperationName } from '../../contract/operations.ts'

/**
 * Which tools do what an operation does, or why none does. An operation that is new here says so, or
 * does not compile.
 */
export type Spoken =
  /** `words`: what a refusal says for the operation; the first of the tools unless given. */
  { tools: readonly [string, ...string[]]; words?: string } | { none: string }

const OF_ITS_OWN = 'a client has the session of its connection'
const FOR_PEOPLE = 'for people and admins, by the command line'

export const TOOLS_OF: Record<OperationName, Spoken> = {
  open_session: { none: OF_ITS_OWN },
  list_sessions: { none: FOR_PEOPLE },
  end_session: { none: OF_ITS_OWN },
  list_workspaces: { none: 'a client is in one workspace, by its address' },
  get_workspace: { none: 'a client is in one workspace, by its address' },
  put_workspace: { none: FOR_PEOPLE },
  delete_workspace: { none: FOR_PEOPLE },
  list_agents: { none: FOR_PEOPLE },
  get_agent: { none: FOR_PEOPLE },
  put_agent: { none: FOR_PEOPLE },
  delete_agent: { none: FOR_PEOPLE },
  create_token: { none: FOR_PEOPLE },
  put_group: { none: FOR_PEOPLE },
  list_groups: { none: FOR_PEOPLE },
  workspace_status: { tools: ['workspace_status'] },
  query_audit: { none: 'who did what is for people; an agent hears what concerns it in notes' },
  verify_audit: { none: FOR_PEOPLE },
  read_file: { tools: ['read_text_file', 'read_media_file'] },
  read_text: { tools: ['read_text_file', 'read_file', 'read_multiple_files'] },
  write_file: { tools: ['write_file'] },
  patch_file: { tools: ['edit_file', 'append_file'] },
  delete_file: { tools: ['delete_file'] },
  // Also a plain word of sentences.
  commit: { tools: ['create_directory', 'move_file', 'copy_file'], words: 'commit' },
  get_entry: {
    tools: [
      'list_directory',
      'list_directory_with_sizes',
      'directory_tree',
      'search_files',
      'get_file_info',
    ],
  },
  get_history: { none: 'the official tools know no versions; every byte of a tool costs' },
  acquire_lock: { tools: ['acquire_lock'] },
  change_lock: { tools: ['change_lock'] },
  handover_lock: { tools: ['change_lock'], words: 'change_lock with hand_to' },
  ask_holder: { tools: ['ask_holder'] },
  answer_ask: { tools: ['ask_holder'] },
  recall_lock: { tools: ['recall_lock'] },
  extend_recall: { tools: ['change_lock'], words: 'change_lock with to "extend"' },
  read_draft: { tools: ['read_draft'] },
  list_locks: { tools: ['list_locks'] },
  get_lock: { none: 'list_locks and workspace_status show all of a lock' },
  renew_lock: { tools: ['change_lock'], words: 'change_lock with to "renew"' },
  release_lock: { tools: ['release_lock', 'force_release'] },
  release_all_locks: { tools: ['release_lock'], words: 'release_lock with all' },
  wait_for_lock: { tools: ['wait_for_lock'] },
  leave_queue: { tools: ['release_lock'] },
}

/** Tools that do nothing of any operation. */
export const TOOLS_OF_NONE: readonly string[] = ['list_allowed_directories']

export function wordsFor(name: OperationName): string {
  const spoken = TOOLS_OF[name]
  return 'none' in spoken ? name : (spoken.words ?? spoken.tools[0])
}
