import { type Refusal, refuse } from '../../contract/errors.ts'
import type { FileEntry } from './entry.ts'
import type { Writer } from './permit.ts'

/**
 * files §9: what was shown as text in a guessed encoding is not what the file holds byte for byte, so
 * having read it is no proof for writing the whole file: that would change what nobody meant to change.
 */
export function inexactlyKnown(
  { state, command, moment }: Writer,
  path: string,
  entry: FileEntry,
  ifVersion: number | undefined,
): Refusal | undefined {
  if (ifVersion !== undefined || state.settings.write_mode === 'open') return undefined
  const { session, unnamed } = command.actor
  const seen = unnamed === true ? undefined : moment.seen(session, entry.id)
  if (seen?.inexact === undefined || seen.version !== entry.version) return undefined
  const as = seen.inexact === 'utf-8' ? 'UTF-8 with bytes that are none' : seen.inexact
  return refuse(
    'unseen_version',
    `What you read of ${path} is not its exact bytes: it was shown as ${as}, and written back it ` +
      'would be other bytes. Nothing was written. Edit the text that is to change, which leaves the ' +
      `rest as it is, or pass if_version ${entry.version} to replace the file all the same.`,
    { path, current: entry.version, encoding: seen.inexact },
  )
}
