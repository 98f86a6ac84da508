import { fail } from '../../contract/errors.ts'
import type { Output, Parsed } from '../../contract/operations.ts'
import { isoTime } from '../../contract/time.ts'
import { type VersionRecord, versionKey } from '../../core/file/entry.ts'
import { lastFileAt, resolvePath } from '../../core/file/resolve-path.ts'
import type { Reader } from '../handler.ts'
import { assertReadable, notFound } from './look-up.ts'

export function getHistory(reader: Reader, input: Parsed<'get_history'>): Output<'get_history'> {
  const { path, limit, before } = input
  assertReadable(reader, path)
  const { records, settings } = reader.state
  const place = resolvePath(records, path, settings.portable_names)
  if (place.record?.kind === 'folder') fail('is_folder', `${path} is a folder.`, { path })
  const file = lastFileAt(records, path, settings.portable_names)
  if (file === undefined || place.clash !== undefined) return notFound(path, place.clash)
  const { id, until } = file
  const start = versionKey(id, Math.min(before ?? until, until) - 1)
  const rows = records.range('version', start, `${id.toString(36)}0`, limit + 1)
  const versions = rows.slice(0, limit).map(([, value]) => {
    const { at, sha256, ...facts } = value as VersionRecord
    return { ...facts, ...(sha256 === '' ? {} : { sha256 }), at: isoTime(at) }
  })
  return { versions, more: rows.length > limit }
}
