import type { Output } from '../../contract/operations.ts'
import { isoTime } from '../../contract/time.ts'
import type { FileEntry } from '../../core/file/entry.ts'
import type { HolderFacts } from '../../core/lock/describe.ts'

export function fileFacts(
  path: string,
  entry: FileEntry,
  lock: HolderFacts | undefined,
): Output<'read_file'> {
  return {
    path,
    kind: 'file',
    version: entry.version,
    size: entry.size,
    ...(entry.sha256 === '' ? {} : { sha256: entry.sha256 }),
    created_at: isoTime(entry.createdAt),
    modified_at: isoTime(entry.modifiedAt),
    modified_by: { agent: entry.agent, session: entry.session },
    ...(lock === undefined ? {} : { lock }),
  }
}
