import type { EventFrame, FileChange } from '../../contract/events.ts'
import { optional } from '../../contract/optional.ts'
import { withAttributes } from './attributes.ts'
import {
  type Entry,
  entryAt,
  entryKey,
  type FileEntry,
  type FolderEntry,
  type GoneEntry,
  PAST_KEPT,
  type Past,
  type Records,
  type VersionRecord,
  versionKey,
  versionOf,
} from './entry.ts'

/**
 * The one place that turns a recorded change into records: `apply` uses it for good, a decision about
 * many changes uses it on its draft, so that each change sees the ones before it.
 */
export function applyChange(
  records: Records,
  change: FileChange,
  frame: EventFrame,
  commit: { message?: string | undefined; run?: string | undefined },
  portable: boolean,
): void {
  const before = entryAt(records, change.folder, change.name, portable)
  const put = (folder: number, name: string, entry: Entry): void =>
    records.put('entry', entryKey(folder, name, portable), entry)
  switch (change.op) {
    case 'write': {
      const old = before?.kind === 'file' ? before : undefined
      const entry = fileEntry(change, frame, before, old)
      put(change.folder, change.name, entry)
      putVersion(records, change.id, frame, commit, { ...change, attributes: entry.attributes })
      return
    }
    case 'make-folder':
      put(change.folder, change.name, {
        kind: 'folder',
        name: change.name,
        id: change.id,
        since: frame.revision,
        ...pastOf(before?.past),
      })
      return
    case 'move': {
      if (before === undefined || before.kind === 'gone') return
      const target = entryAt(records, change.toFolder, change.toName, portable)
      // Only the case of the name changes: both names share one record.
      const isRename =
        entryKey(change.folder, change.name, portable) ===
        entryKey(change.toFolder, change.toName, portable)
      put(change.folder, change.name, {
        kind: 'gone',
        name: change.name,
        ...pastOf(withFormer(before, frame.revision)),
      })
      const former = isRename
        ? withFormer(before, frame.revision)
        : withFormer(target, frame.revision)
      put(change.toFolder, change.toName, {
        ...before,
        name: change.toName,
        since: frame.revision,
        past: former,
      })
      return
    }
    case 'delete': {
      if (before === undefined || before.kind === 'gone') return
      const gone: GoneEntry = {
        kind: 'gone',
        name: change.name,
        past: withFormer(before, frame.revision),
      }
      if (before.kind === 'file') {
        gone.fileId = before.id
        gone.version = frame.revision
        putVersion(records, before.id, frame, commit, {
          how: 'delete',
          base: before.version,
          size: 0,
          sha256: '',
        })
      }
      put(change.folder, change.name, gone)
      return
    }
    case 'set-attributes': {
      if (before === undefined || before.kind === 'gone') return
      const { attributes: _, ...entry } = before
      const attributes = withAttributes(before.attributes, change.set)
      put(change.folder, change.name, { ...entry, ...optional('attributes', attributes) })
      return
    }
  }
}

/** A version gets the content that until now only the folder had. */
export function applyKept(
  records: Records,
  kept: { folder: number; name: string; id: number; version: number; sha256: string },
  portable: boolean,
): void {
  const { folder, name, id, version, sha256 } = kept
  const record = versionOf(records, id, version)
  if (record !== undefined) records.put('version', versionKey(id, version), { ...record, sha256 })
  const entry = entryAt(records, folder, name, portable)
  if (entry?.kind !== 'file' || entry.id !== id || entry.version !== version) return
  records.put('entry', entryKey(folder, name, portable), { ...entry, sha256 })
}

function fileEntry(
  change: FileChange & { op: 'write' },
  frame: EventFrame,
  before: Entry | undefined,
  old: FileEntry | undefined,
): FileEntry {
  return {
    kind: 'file',
    name: change.name,
    id: change.id,
    since: old?.since ?? frame.revision,
    version: frame.revision,
    size: change.size,
    sha256: change.sha256,
    createdAt: old?.createdAt ?? change.modifiedAt ?? frame.at,
    modifiedAt: change.modifiedAt ?? frame.at,
    agent: frame.agent,
    session: frame.session,
    ...(change.how === 'write' ? { whole: true as const } : {}),
    ...optional('attributes', old === undefined ? change.attributes : old.attributes),
    ...pastOf(before?.past),
  }
}

function putVersion(
  records: Records,
  file: number,
  frame: EventFrame,
  commit: { message?: string | undefined; run?: string | undefined },
  facts: Pick<VersionRecord, 'how' | 'base' | 'size' | 'sha256'> & {
    from?: VersionRecord['from'] | undefined
    attributes?: VersionRecord['attributes'] | undefined
  },
): void {
  const record: VersionRecord = {
    version: frame.revision,
    base: facts.base,
    how: facts.how,
    size: facts.size,
    sha256: facts.sha256,
    at: frame.at,
    agent: frame.agent,
    session: frame.session,
  }
  if (commit.message !== undefined) record.message = commit.message
  if (commit.run !== undefined) record.run = commit.run
  if (facts.from !== undefined) record.from = facts.from
  if (facts.attributes !== undefined) record.attributes = facts.attributes
  records.put('version', versionKey(file, frame.revision), record)
}

function pastOf(past: Past[] | undefined): { past: Past[] } | Record<string, never> {
  return past === undefined || past.length === 0 ? {} : { past }
}

function withFormer(entry: FileEntry | FolderEntry | GoneEntry | undefined, until: number): Past[] {
  const past = entry?.past ?? []
  if (entry === undefined || entry.kind === 'gone') return past
  const { kind, id, since } = entry
  return [{ kind, id, since, until }, ...past].slice(0, PAST_KEPT)
}
