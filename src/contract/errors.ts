/**
 * The error catalog: every refusal any door can give. One row a code; faces translate the row, never
 * the text. `retry` tells a program what can help: `no` (nothing), `now` (the same call at once),
 * `after` (the same call later, see `retry_after_s`), `new_input` (a changed call).
 */
export const ERRORS = {
  invalid_request: { status: 400, retry: 'new_input', exit: 2, title: 'The request is not valid' },
  invalid_path: { status: 400, retry: 'new_input', exit: 2, title: 'The path is not valid' },
  unsupported: { status: 415, retry: 'new_input', exit: 2, title: 'That form is not understood' },
  unauthenticated: { status: 401, retry: 'new_input', exit: 3, title: 'A valid token is needed' },
  forbidden: { status: 403, retry: 'no', exit: 4, title: 'A right is missing' },
  not_found: { status: 404, retry: 'new_input', exit: 5, title: 'There is nothing there' },
  is_folder: { status: 409, retry: 'new_input', exit: 6, title: 'The path is a folder' },
  not_folder: { status: 409, retry: 'new_input', exit: 6, title: 'The path is not a folder' },
  already_exists: { status: 409, retry: 'new_input', exit: 6, title: 'Something is there already' },
  not_empty: { status: 409, retry: 'new_input', exit: 6, title: 'The folder is not empty' },
  lock_conflict: { status: 409, retry: 'after', exit: 7, title: 'Somebody else holds a lock' },
  deadlock: { status: 409, retry: 'new_input', exit: 7, title: 'Waiting would never end' },
  upgrade_conflict: { status: 409, retry: 'after', exit: 7, title: 'Somebody else is upgrading' },
  locked: { status: 423, retry: 'after', exit: 7, title: 'The path is locked by somebody else' },
  lock_required: { status: 428, retry: 'new_input', exit: 8, title: 'A lock is required' },
  unseen_version: { status: 428, retry: 'new_input', exit: 8, title: 'The file was never read' },
  stale_version: { status: 412, retry: 'new_input', exit: 8, title: 'The file has changed' },
  lock_lost: { status: 412, retry: 'new_input', exit: 8, title: 'The lock is no longer held' },
  edit_conflict: {
    status: 409,
    retry: 'new_input',
    exit: 8,
    title: 'The text to replace does not stand there exactly once',
  },
  merge_conflict: { status: 409, retry: 'new_input', exit: 8, title: 'The changes do not merge' },
  ticket_gone: { status: 410, retry: 'new_input', exit: 9, title: 'The ticket is gone' },
  compacted: { status: 410, retry: 'new_input', exit: 9, title: 'That history is no longer kept' },
  too_large: { status: 413, retry: 'new_input', exit: 10, title: 'Too large' },
  range_invalid: { status: 416, retry: 'new_input', exit: 2, title: 'The range is not valid' },
  quota_exceeded: { status: 507, retry: 'new_input', exit: 11, title: 'A quota is used up' },
  server_full: { status: 507, retry: 'after', exit: 11, title: 'The server has no room' },
  rate_limited: { status: 429, retry: 'after', exit: 12, title: 'Too fast' },
  too_many: { status: 429, retry: 'after', exit: 12, title: 'Too many at once' },
  overloaded: { status: 503, retry: 'after', exit: 13, title: 'The server is overloaded' },
  read_only_mode: {
    status: 503,
    retry: 'after',
    exit: 13,
    title: 'The server takes no writes now',
  },
  internal: { status: 500, retry: 'no', exit: 70, title: 'The server failed' },
} as const satisfies Record<string, ErrorRow>

export type Retry = 'no' | 'now' | 'after' | 'new_input'

interface ErrorRow {
  /** HTTP status. */
  status: number
  retry: Retry
  /** Exit code of the command line. */
  exit: number
  title: string
}

export type ErrorCode = keyof typeof ERRORS

/** A refusal as the inside hands it on: a value, never an exception. `detail` says what to do next. */
export interface Refusal {
  code: ErrorCode
  detail: string
  /** What the code promises besides (holders, current version, …), in wire names. */
  data?: Record<string, unknown>
}

/** RFC 9457 problem body: what every door prints. */
export interface Problem {
  type: string
  title: string
  status: number
  code: ErrorCode
  detail: string
  retry: Retry
  retry_after_s?: number
  [field: string]: unknown
}

export function refuse(code: ErrorCode, detail: string, data?: Record<string, unknown>): Refusal {
  return data === undefined ? { code, detail } : { code, detail, data }
}

export function problemOf(refusal: Refusal): Problem {
  const row = ERRORS[refusal.code]
  const problem: Problem = {
    type: `/errors/${refusal.code}`,
    title: row.title,
    status: row.status,
    code: refusal.code,
    // Whatever a refusal quotes: what leaves is text.
    detail: refusal.detail.toWellFormed(),
    retry: row.retry,
    ...refusal.data,
  }
  if (row.retry === 'after' && problem.retry_after_s === undefined) problem.retry_after_s = 1
  return problem
}

/** A refusal on its way out of a promise; faces and the SDK catch it. */
export class SluiceError extends Error {
  override name = 'SluiceError'
  readonly code: ErrorCode
  readonly problem: Problem
  /** @param message the problem's detail, where a door has words of its own for it. */
  constructor(problem: Problem, message: string = problem.detail) {
    super(message)
    this.code = problem.code
    this.problem = problem
  }

  static of(refusal: Refusal): SluiceError {
    return new SluiceError(problemOf(refusal))
  }

  /** What was refused, without what the catalog says of its code. */
  get refusal(): Refusal {
    const { type: _, title: __, status: ___, code, detail, retry: ____, ...data } = this.problem
    return Object.keys(data).length === 0 ? { code, detail } : { code, detail, data }
  }
}

/** Throws a refusal as the error that faces and clients see. */
export function fail(code: ErrorCode, detail: string, data?: Record<string, unknown>): never {
  throw SluiceError.of(refuse(code, detail, data))
}
