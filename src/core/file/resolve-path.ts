import { optional } from '../../contract/optional.ts'
import { namesOf } from '../lock/table.ts'
import {
  type Entry,
  entryAt,
  type FileEntry,
  type FolderEntry,
  type Records,
  ROOT_FOLDER,
  type VersionRecord,
  versionKey,
} from './entry.ts'

/** Where a path leads: what has that name, and how far its folders exist. */
export interface ResolvedPath {
  /** The deepest folder that exists. */
  folder: number
  /** Names of the folders still missing between it and the path's own name. */
  missing: string[]
  /** The path's own name; empty for the root. */
  name: string
  /** What is there, under exactly this name. */
  entry: FileEntry | FolderEntry | undefined
  /** The record of the name, gone ones too. */
  record: Entry | undefined
  /** A file stands where a folder would have to. */
  fileInTheWay: string | undefined
  /** A name that differs only in case stands there (portable names). */
  clash: string | undefined
}

const root: FolderEntry = { kind: 'folder', name: '', id: ROOT_FOLDER, since: 0 }

export function resolvePath(records: Records, path: string, portable: boolean): ResolvedPath {
  const all = namesOf(path)
  const names = all.slice(0, -1)
  const name = all.at(-1)
  const place: ResolvedPath = {
    folder: ROOT_FOLDER,
    missing: [],
    name: name ?? '',
    entry: name === undefined ? root : undefined,
    record: undefined,
    fileInTheWay: undefined,
    clash: undefined,
  }
  if (name === undefined) return place
  let walked = ''
  for (const [index, part] of names.entries()) {
    const entry = entryAt(records, place.folder, part, portable)
    walked += `/${part}`
    if (entry === undefined || entry.kind === 'gone') {
      place.missing = names.slice(index)
      return place
    }
    if (entry.name !== part) {
      place.clash = `${walked.slice(0, walked.lastIndexOf('/'))}/${entry.name}`
      place.missing = names.slice(index)
      return place
    }
    if (entry.kind === 'file') {
      place.fileInTheWay = walked
      place.missing = names.slice(index)
      return place
    }
    place.folder = entry.id
  }
  const record = entryAt(records, place.folder, name, portable)
  place.record = record
  if (record !== undefined && record.kind !== 'gone') {
    if (record.name === name) place.entry = record
    else place.clash = `${walked}/${record.name}`
  }
  return place
}

/** What a path means to locks: also under another spelling of its names, where those are one name. */
export function entryNamed(
  records: Records,
  path: string,
  portable: boolean,
): FileEntry | FolderEntry | undefined {
  let found: Entry = root
  for (const name of namesOf(path)) {
    if (found.kind !== 'folder') return undefined
    const entry = entryAt(records, found.id, name, portable)
    if (entry === undefined) return undefined
    found = entry
  }
  return found.kind === 'gone' ? undefined : found
}

/** The file or folder that a path led to at a revision; undefined when nothing was there. */
export function occupantAt(
  records: Records,
  path: string,
  revision: number,
  portable: boolean,
): { kind: 'file' | 'folder'; id: number } | undefined {
  let found: { kind: 'file' | 'folder'; id: number } = { kind: 'folder', id: ROOT_FOLDER }
  for (const name of namesOf(path)) {
    if (found.kind === 'file') return undefined
    const record = entryAt(records, found.id, name, portable)
    if (record === undefined) return undefined
    if (record.kind !== 'gone' && record.since <= revision) {
      found = { kind: record.kind, id: record.id }
      continue
    }
    const past = record.past?.find((one) => one.since <= revision && revision < one.until)
    if (past === undefined) return undefined
    found = { kind: past.kind, id: past.id }
  }
  return found
}

/**
 * The file that has this path, or had it last, also in a folder that is gone since: its history can
 * still be asked for by path, up to the revision at which it left. What became of it under another
 * path is that path's.
 */
export function lastFileAt(
  records: Records,
  path: string,
  portable: boolean,
): { id: number; until: number } | undefined {
  const names = namesOf(path)
  const search = (
    folder: number,
    depth: number,
    until: number,
  ): { id: number; until: number } | undefined => {
    const name = names[depth]
    const record = name === undefined ? undefined : entryAt(records, folder, name, portable)
    if (record === undefined) return undefined
    const isLast = depth === names.length - 1
    for (const one of occupantsOf(record, isLast ? 'file' : 'folder')) {
      const left = Math.min(until, one.until)
      const found = isLast ? { id: one.id, until: left } : search(one.id, depth + 1, left)
      if (found !== undefined) return found
    }
    return undefined
  }
  return search(ROOT_FOLDER, 0, Number.MAX_SAFE_INTEGER)
}

/** Who has a name and who had it, the newest first, with the revision at which it left. */
export function occupantsOf(
  record: Entry,
  kind: 'file' | 'folder',
): readonly { id: number; until: number }[] {
  const past = record.past?.filter((one) => one.kind === kind) ?? []
  if (record.kind === kind) return [{ id: record.id, until: Number.MAX_SAFE_INTEGER }, ...past]
  // A deletion is the last version of what was deleted here.
  const isDeleted = record.kind === 'gone' && kind === 'file' && record.fileId !== undefined
  if (!isDeleted) return past
  return [{ id: record.fileId as number, until: Number.MAX_SAFE_INTEGER }, ...past]
}

/** The newest version of a file that is not newer than `revision`. */
export function versionAt(
  records: Records,
  file: number,
  revision: number,
): VersionRecord | undefined {
  const [row] = records.range('version', versionKey(file, revision), `${file.toString(36)}0`, 1)
  return row?.[1] as VersionRecord | undefined
}

/** A file as it was at a revision; undefined when it was not there, or deleted. */
export function fileAsOf(records: Records, file: number, revision: number): FileEntry | undefined {
  const found = versionAt(records, file, revision)
  if (found === undefined || found.how === 'delete') return undefined
  const { version, size, sha256, at, agent, session, attributes } = found
  return {
    kind: 'file',
    name: '',
    id: file,
    since: 0,
    version,
    size,
    sha256,
    createdAt: at,
    modifiedAt: at,
    agent,
    session,
    ...optional('attributes', attributes),
  }
}
