import type { EventOf } from '../../contract/events.ts'
import type { Output } from '../../contract/operations.ts'
import { fileAsOf, occupantAt, resolvePath } from '../../core/file/resolve-path.ts'
import type { State } from '../../core/state.ts'
import type { AskedChange } from './prepare-changes.ts'

type Written = Output<'commit'>['files'][number]

/** A file that held just what was written to it. */
interface Left {
  path: string
  id: number
  version: number
  size: number
  sha256: string
}

/** What a commit came to: the versions it made, and of what it left as it was those that stand. */
export interface Committed {
  revision: number
  files: Written[]
  created: ReadonlySet<string>
  left: readonly Left[]
  /** Nothing at all changed: but for locks given back there is no fact of it. */
  unchanged: boolean
}

/**
 * @param event undefined when nothing changed
 * @param revision as of which what was left as it was is looked up
 */
export function committed(
  state: State,
  asked: readonly AskedChange[],
  event: EventOf<'files-committed'> | undefined,
  revision: number,
): Committed {
  const made = event === undefined ? [] : writtenReply(event)
  const known = new Set(made.map(({ path }) => path))
  const left: Left[] = []
  for (const path of asked.map(writtenPath)) {
    if (path === undefined || known.has(path)) continue
    known.add(path)
    const file = fileAt(state, path, revision)
    if (file !== undefined) {
      const { id, version, size, sha256 } = file
      left.push({ path, id, version, size, sha256 })
    }
  }
  const created = (event?.changes ?? []).flatMap((change) =>
    change.op === 'write' && change.created === true ? [change.path] : [],
  )
  return {
    revision: event?.revision ?? revision,
    files: [
      ...made,
      ...left.map(({ path, version, size, sha256 }) => ({
        ...{ path, version, size, sha256 },
        unchanged: true,
      })),
    ],
    left,
    created: new Set(created),
    unchanged: event === undefined || event.changes.length === 0,
  }
}

function fileAt({ records, settings }: State, path: string, revision: number) {
  const { entry } = resolvePath(records, path, settings.portable_names)
  // Nearly always nothing came after it.
  if (entry?.kind === 'file' && entry.since <= revision && entry.version <= revision) return entry
  const occupant = occupantAt(records, path, revision, settings.portable_names)
  return occupant?.kind === 'file' ? fileAsOf(records, occupant.id, revision) : undefined
}

/** The path whose content a change may leave as it was. */
function writtenPath(change: AskedChange): string | undefined {
  if (change.op === 'copy') return change.to
  return change.op === 'move' || change.op === 'delete' || change.op === 'make_folder'
    ? undefined
    : change.path
}

/** The row of one path, for operations that write only one. */
export function writtenRow(
  { files, revision, created }: Committed,
  path: string,
): Written & { created: boolean } {
  const row = files.find((file) => file.path === path) ?? { path, version: revision }
  return { ...row, created: created.has(path) }
}

/** What a commit made, a row a path; folders made on the way are not named. */
function writtenReply(event: EventOf<'files-committed'>): Output<'commit'>['files'] {
  return event.changes.flatMap((change): Output<'commit'>['files'] => {
    const version = event.revision
    if (change.op === 'write') {
      return [{ path: change.path, version, size: change.size, sha256: change.sha256 }]
    }
    if (change.op === 'move') return [{ path: change.to, version }]
    return change.op === 'delete' ? [{ path: change.path, version }] : []
  })
}
