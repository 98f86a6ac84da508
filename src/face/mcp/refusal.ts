import type { ErrorCode, Problem } from '../../contract/errors.ts'
import type { OperationName } from '../../contract/operations.ts'
import { detailIn, type Wording } from '../../contract/wording.ts'

/**
 * How a refusal reads to an agent: what happened and what to do next, which the decision's detail says
 * for every door, and which tool does that, which is added here unless the detail names one.
 */
const NEXT_TOOLS: Partial<Record<ErrorCode, string>> = {
  unseen_version:
    'Use read_text_file, then write_file; append_file and edit_file need no reading before.',
  stale_version: 'Use read_text_file, then write_file again with your change put into it.',
  locked: 'Use acquire_lock to queue for it.',
  lock_required: 'Use acquire_lock first.',
  lock_lost: 'Use acquire_lock again, then read_text_file.',
  deadlock: 'Use release_lock, then acquire_lock with all paths at once.',
  upgrade_conflict: 'Use release_lock, or change_lock to read, then acquire_lock again.',
  range_invalid: 'Use read_text_file to see what is there now.',
  ticket_gone: 'Use acquire_lock.',
  edit_conflict: 'Use read_text_file, then edit_file.',
  is_folder: 'Use list_directory.',
  not_empty: 'Use delete_file with recursive: true.',
  not_found: 'Use list_directory.',
}

function stepAfter({ code, path, owner, ask, draft }: Problem): string | undefined {
  if (code === 'not_found' && path === undefined) {
    return ask === undefined && draft === undefined
      ? undefined
      : 'Use workspace_status to see yours.'
  }
  if (code === 'forbidden' && owner !== undefined) return 'Use ask_holder.'
  if (code === 'lock_lost' && draft !== undefined) {
    return 'Use acquire_lock again, then read_text_file, and read_draft for what you sent.'
  }
  return NEXT_TOOLS[code]
}

/** Operations that are a tool of another name here. */
const TOOLS: Partial<Record<OperationName, string>> = {
  read_file: 'read_text_file',
  patch_file: 'edit_file',
  get_entry: 'list_directory',
  renew_lock: 'change_lock with to "renew"',
  extend_recall: 'change_lock with to "extend"',
  handover_lock: 'change_lock with hand_to',
  answer_ask: 'ask_holder',
  release_all_locks: 'release_lock with all',
  leave_queue: 'release_lock',
}

const WORDING: Wording = {
  operation: (name) => TOOLS[name] ?? name,
  argument: (name) => `"${ARGUMENTS[name] ?? name}"`,
  takeBack: 'change_lock with to "take_back"',
}

const ARGUMENTS: Record<string, string> = { id: 'lock_id', locks: 'lock_token' }

/** Looked for outside of paths, which may hold anything, and may be long. */
function namesTool(detail: string): boolean {
  return detail.split(/\s/).some((word) => !word.includes('/') && TOOL_NAME.test(word))
}

const TOOL_NAME = /\b[a-z]{1,20}_[a-z_]{1,40}\b/

/** The problem in the words of this face: an operation is a tool. */
export function asTold(problem: Problem): Problem {
  return { ...problem, detail: detailIn(WORDING, problem) }
}

/** What an agent reads of a problem that is told in the words of this face. */
export function refusalText(problem: Problem): string {
  const { excerpt } = problem
  const text = sentencesOf(problem)
  const isShown = problem.code === 'edit_conflict' && typeof excerpt === 'string' && excerpt !== ''
  return isShown ? `${text}\nThere it reads:\n${excerpt}` : text
}

function sentencesOf(problem: Problem): string {
  const { detail } = problem
  const step = stepAfter(problem)
  if (step === undefined || namesTool(detail)) return detail
  const sentence = /[.!?]$/.test(detail) ? detail : `${detail}.`
  return `${sentence} ${step}`
}
