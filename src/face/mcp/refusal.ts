import type { ErrorCode, Problem } from '../../contract/errors.ts'

/**
 * How a refusal reads to an agent: one plain sentence that says what happened and which tool to call
 * next. The detail comes from the decision; the tool's name is added where the detail names none.
 */
const NEXT_STEPS: Partial<Record<ErrorCode, string>> = {
  unseen_version:
    'Read it first with read_text_file, then write again; append_file and edit_file need no reading.',
  stale_version:
    'Read it again with read_text_file, put your change into what is there now, and write.',
  locked: 'Call acquire_lock on the path to queue for it; it answers when the lock is yours.',
  lock_conflict: 'Call acquire_lock with a wait to queue for it.',
  lock_required: 'Call acquire_lock on the path first.',
  lock_lost: 'Call acquire_lock again and read the file again before you write.',
  deadlock:
    'Call release_lock on what you hold of the cycle, then ask for all paths in one acquire_lock.',
  ticket_gone: 'Call acquire_lock again for a new place in the queue.',
  edit_conflict: 'Read the file with read_text_file and edit what is there now.',
  is_folder: 'Use list_directory for folders.',
  not_empty: 'Call delete_file with recursive: true to delete all in it.',
  not_found: 'Look with list_directory what is there.',
}

const TOOL_NAME = /\b[a-z]+_[a-z_]+\b/

export function refusalText(problem: Problem): string {
  const { detail } = problem
  const step = NEXT_STEPS[problem.code]
  if (step === undefined || TOOL_NAME.test(detail.replaceAll(/\S*\/\S*/g, ''))) return detail
  const sentence = /[.!?]$/.test(detail) ? detail : `${detail}.`
  return `${sentence} ${step}`
}
