import type { ErrorCode, Problem } from '../../contract/errors.ts'
import { detailIn, type Wording } from '../../contract/wording.ts'
import { wordsFor } from './tools-of-operations.ts'

/**
 * How a refusal reads to an agent: what happened and what to do next, which the decision's detail says
 * for every door, and which tool does that, which is added here unless the detail names one. Undefined: no
 * tool helps, or the detail says it all.
 */
const NEXT_TOOLS: Record<ErrorCode, string | undefined> = {
  invalid_request: undefined,
  invalid_path: undefined,
  unsupported: undefined,
  unauthenticated: undefined,
  forbidden: undefined,
  not_found: 'Use list_directory.',
  is_folder: 'Use list_directory.',
  not_folder: undefined,
  already_exists: undefined,
  not_empty: 'Use delete_file with recursive: true.',
  lock_conflict: undefined,
  deadlock: 'Use release_lock, then acquire_lock with all paths at once.',
  upgrade_conflict: 'Use release_lock, or change_lock to read, then acquire_lock again.',
  locked: 'Use acquire_lock to queue for it.',
  lock_required: 'Use acquire_lock first.',
  unseen_version:
    'Use read_text_file, then write_file; append_file and edit_file need no reading before.',
  stale_version: 'Use read_text_file, then write_file again with your change put into it.',
  lock_lost: 'Use acquire_lock again, then read_text_file.',
  edit_conflict: 'Use read_text_file, then edit_file.',
  merge_conflict: undefined,
  ticket_gone: 'Use acquire_lock.',
  compacted: undefined,
  too_large: undefined,
  range_invalid: 'Use read_text_file to see what is there now.',
  quota_exceeded: undefined,
  server_full: undefined,
  rate_limited: undefined,
  too_many: undefined,
  overloaded: undefined,
  read_only_mode: undefined,
  internal: undefined,
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

const WORDING: Wording = {
  operation: wordsFor,
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
