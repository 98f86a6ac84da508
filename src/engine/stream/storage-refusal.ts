import { problemOf, refuse, SluiceError } from '../../contract/errors.ts'
import { LedgerFull } from '../../store/ledger.ts'
import { StreamFailed } from './stream-failed.ts'

/** What a stream that could not store something means to a caller; other errors stay as they are. */
export function storageRefusal(error: unknown): unknown {
  if (!(error instanceof StreamFailed)) return error
  const { cause, isUnknown } = error
  const again = { retry_after_s: 1 }
  const refusal = isUnknown
    ? refuse('overloaded', UNKNOWN, again)
    : cause instanceof LedgerFull || isNoSpace(cause)
      ? refuse('server_full', DISK_FULL, again)
      : refuse('overloaded', NOT_STORED, again)
  return new SluiceError(problemOf(refusal))
}

const NOT_STORED = 'The write could not be stored. Nothing was changed. Try again.'
const UNKNOWN =
  'The disk failed while this was stored, and whether it was is not known yet. Send the same request ' +
  'with the same request_id again: it is not done twice. Or look first at what is there.'

export const DISK_FULL = 'The disk is full. Nothing was written. Try again when there is room.'

/** No room on the file system, or none in the quota of its user. */
export function isNoSpace(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOSPC' || code === 'EDQUOT'
}
