import type { Attributes } from '../../contract/events.ts'
import { foldName } from '../../contract/path.ts'

/**
 * How a tree of files lies in records.
 *
 * `entry`: key `folder/name`, what has that name in that folder. Folders have numbers, so moving one
 * changes a single record whatever lies in it (files §15). A record keeps its former occupants, so any
 * path can be followed as of an earlier revision (files §16).
 * `version`: key `file/newest-first number`, one record a version; each is based on the one before.
 */
export interface Records {
  get(table: 'entry' | 'version', key: string): unknown
  put(table: 'entry' | 'version', key: string, value: unknown): void
  /** Rows with `from <= key < to` in key order. */
  range(table: 'entry' | 'version', from: string, to: string, limit: number): [string, unknown][]
}

export const ROOT_FOLDER = 1

/** A former occupant of a name: valid for revisions `since <= r < until`. */
export interface Past {
  kind: 'file' | 'folder'
  id: number
  since: number
  until: number
}

interface Named {
  name: string
  past?: Past[]
}

export interface FileEntry extends Named {
  kind: 'file'
  id: number
  /** Since when this file has this name here. */
  since: number
  version: number
  size: number
  sha256: string
  createdAt: number
  modifiedAt: number
  agent: string
  session: string
  /** Its writer gave the whole content, so it knows all of it: no append, edit or copy (files §9). */
  whole?: true
  attributes?: Attributes
}

export interface FolderEntry extends Named {
  kind: 'folder'
  id: number
  since: number
  attributes?: Attributes
}

/** Nothing is there now. `fileId`: a file was deleted here; writing it anew goes on with its history. */
export interface GoneEntry extends Named {
  kind: 'gone'
  fileId?: number
  /** The revision of the deletion: what a new version is based on. */
  version?: number
}

export type Entry = FileEntry | FolderEntry | GoneEntry

export interface VersionRecord {
  version: number
  base: number
  how: 'write' | 'append' | 'edit' | 'copy' | 'delete'
  size: number
  sha256: string
  at: number
  agent: string
  session: string
  message?: string
  run?: string
  from?: { path: string; version: number }
  /** As they were when it was written. */
  attributes?: Attributes
}

/** Former occupants kept by a name; older ones can no longer be followed by path. */
export const PAST_KEPT = 64

export function entryKey(folder: number, name: string, portable: boolean): string {
  return `${folder.toString(36)}/${portable ? foldName(name) : name}`
}

/** Keys of everything in a folder: from (inclusive) and to (exclusive). `0` follows `/`. */
export function folderRange(folder: number): [from: string, to: string] {
  const number = folder.toString(36)
  return [`${number}/`, `${number}0`]
}

export function versionKey(file: number, version: number): string {
  const newestFirst = (Number.MAX_SAFE_INTEGER - version).toString(36).padStart(11, '0')
  return `${file.toString(36)}/${newestFirst}`
}

export function versionOf(
  records: Records,
  file: number,
  version: number,
): VersionRecord | undefined {
  return records.get('version', versionKey(file, version)) as VersionRecord | undefined
}

export function entryAt(
  records: Records,
  folder: number,
  name: string,
  portable: boolean,
): Entry | undefined {
  return records.get('entry', entryKey(folder, name, portable)) as Entry | undefined
}
