import { fail } from '../contract/errors.ts'
import { LIMITS } from '../contract/limits.ts'
import type { Parsed } from '../contract/operations.ts'
import { optional } from '../contract/optional.ts'
import type { CommitChange } from '../core/command.ts'
import { placeOf } from '../core/file/place.ts'
import type { Splice } from '../core/lock/range.ts'
import type { State } from '../core/state.ts'
import type { Blobs } from '../store/blobs.ts'
import type { Attachment } from '../store/ledger.ts'
import { applyEdits, type Edit, excerptFor, unifiedDiff } from '../text/edit.ts'
import { spliceBetween } from '../text/lines.ts'
import { bytesOf, contentOf, stage, stageBytes } from './contents.ts'
import type { Overlay } from './overlay.ts'

/**
 * Making contents ready for a decision. An append or edit is worked out on the newest version and
 * names it (`onto`); if that moved on before the decision, the workspace prepares it again, so
 * appends and edits never lose anything, however many write (files §11, §12).
 */
export interface Prepared {
  changes: CommitChange[]
  attachments: Attachment[]
  diffs: string[]
}

export interface ChangeSource {
  state: State
  overlay: Overlay
  blobs: Blobs
}

export type AskedChange =
  | Parsed<'commit'>['changes'][number]
  | {
      op: 'replace'
      path: string
      text: string
      range: { start: number; end?: number | undefined }
    }

interface Base {
  bytes: Uint8Array | undefined
  version: number
}

export async function prepareChanges(
  source: ChangeSource,
  asked: readonly AskedChange[],
): Promise<Prepared> {
  const prepared: Prepared = { changes: [], attachments: [], diffs: [] }
  // Contents as the earlier changes of this commit leave them.
  const made = new Map<string, Base>()
  const moved = new Set<string>()
  const { state, blobs } = source
  for (const change of asked) {
    if (change.op === 'make_folder') {
      prepared.changes.push({ kind: 'make-folder', path: change.path })
    } else if (change.op === 'delete') {
      const { path, recursive = false, if_version } = change
      prepared.changes.push({ kind: 'delete', path, recursive, ifVersion: if_version })
      moved.add(path)
    } else if (change.op === 'copy' || change.op === 'move') {
      const { op, path, to, overwrite = false } = change
      const at = change.op === 'copy' ? change.at : undefined
      prepared.changes.push({ kind: op, path, to, at, overwrite })
      moved.add(path).add(to)
    } else {
      const { op, path } = change
      if (op !== 'write' && moved.has(path)) {
        fail('invalid_request', `${path} was moved, copied or deleted earlier in this commit.`)
      }
      const base = op === 'write' ? undefined : (made.get(path) ?? (await baseOf(source, path)))
      const { bytes, splice } = contentFor(change, base, prepared)
      const staged = await stage(bytes, blobs, state.settings.file_bytes)
      if (staged.attachment !== undefined) prepared.attachments.push(staged.attachment)
      const isEdit = op === 'edit' || op === 'replace'
      prepared.changes.push({
        kind: 'write',
        how: isEdit ? 'edit' : op,
        path,
        content: { sha256: staged.sha256, size: staged.size },
        ...(change.op === 'write' ? { ifVersion: change.if_version, ifNone: change.if_none } : {}),
        ...(base === undefined ? {} : { onto: base.version }),
        // Whose bytes it touches decides which locks are in its way.
        ...optional('splice', splice),
      })
      made.set(path, { bytes, version: state.revision + 1 })
    }
  }
  return prepared
}

interface Made {
  bytes: Uint8Array
  splice?: Splice
}

function contentFor(
  change: AskedChange & { op: 'write' | 'append' | 'edit' | 'replace' },
  base: Base | undefined,
  prepared: Prepared,
): Made {
  if (change.op === 'replace') return replaceBytes(change, base)
  if (change.op === 'edit') {
    const { diff, ...made } = editText(change.path, base, change.edits)
    prepared.diffs.push(diff)
    return made
  }
  if ((change.text === undefined) === (change.base64 === undefined)) {
    fail('invalid_request', `${change.path}: give either text or base64.`)
  }
  const given =
    change.text === undefined
      ? Buffer.from(change.base64 as string, 'base64')
      : Buffer.from(change.text, 'utf8')
  const isAppended = change.op === 'append' && base?.bytes !== undefined
  return { bytes: isAppended ? Buffer.concat([base.bytes as Uint8Array, given]) : given }
}

function replaceBytes(
  { path, text, range }: AskedChange & { op: 'replace' },
  base: Base | undefined,
): Made {
  const before = base?.bytes
  if (before === undefined) {
    return fail('not_found', `There is no file at ${path} to replace bytes of. Write it first.`, {
      path,
    })
  }
  const { start, end = before.length } = range
  if (start > end || end > before.length) {
    fail(
      'range_invalid',
      `${path} has ${before.length} bytes now; ${start} to ${end} are not in it.`,
      {
        path,
        size: before.length,
      },
    )
  }
  const given = Buffer.from(text, 'utf8')
  return {
    bytes: Buffer.concat([before.subarray(0, start), given, before.subarray(end)]),
    splice: { start, end, size: given.length },
  }
}

/** What a file holds now; nothing and version 0 when there is none. */
async function baseOf({ state, overlay, blobs }: ChangeSource, path: string): Promise<Base> {
  const { entry } = placeOf(state.records, path, state.settings.portable_names)
  if (entry?.kind !== 'file') return { bytes: undefined, version: 0 }
  const bytes = await bytesOf(contentOf(overlay, blobs, entry), LIMITS.textBytes)
  return { bytes, version: entry.version }
}

function editText(
  path: string,
  base: Base | undefined,
  edits: readonly Edit[],
): Made & { diff: string } {
  if (base?.bytes === undefined) {
    fail('not_found', `There is no file at ${path} to edit. Write it first.`, { path })
  }
  const before = decodeText(path, base.bytes)
  const result = applyEdits(before, edits)
  if (!result.ok) {
    const { oldText } = edits[result.index] as Edit
    fail(
      'edit_conflict',
      `${path}: edit ${result.index + 1} was not applied: ${result.fault}. Nothing was written. ` +
        'Read the file and give text that stands there exactly once.',
      { path, edit: result.index, version: base.version, excerpt: excerptFor(before, oldText) },
    )
  }
  const { text, touched } = result
  const bytes = Buffer.from(text, 'utf8')
  const diff = unifiedDiff(path, before, text)
  if (touched === undefined) return { bytes, splice: spliceBetween(base.bytes, bytes), diff }
  const start = Buffer.byteLength(before.slice(0, touched.start))
  const tail = Buffer.byteLength(before.slice(before.length - touched.tail))
  const end = Math.max(start, base.bytes.length - tail)
  return { bytes, splice: { start, end, size: bytes.length - tail - start }, diff }
}

function decodeText(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return fail('invalid_request', `${path} is not UTF-8 text, so it cannot be edited as text.`, {
      path,
    })
  }
}

/**
 * The common small append without leaving the turn: undefined when it has to take the long way
 * (a large file, or bytes that come as a stream).
 */
export function prepareAppendNow(
  { state, overlay, blobs }: ChangeSource,
  path: string,
  data: Uint8Array,
): Prepared | undefined {
  const { entry } = placeOf(state.records, path, state.settings.portable_names)
  const size = entry?.kind === 'file' ? entry.size : 0
  if (size + data.length > LIMITS.smallContentBytes) return undefined
  const before = entry?.kind === 'file' ? contentOf(overlay, blobs, entry).bytes : undefined
  const staged = stageBytes(before === undefined ? data : Buffer.concat([before, data]))
  const { sha256 } = staged
  return {
    changes: [
      {
        kind: 'write',
        how: 'append',
        path,
        content: { sha256, size: staged.size },
        onto: entry?.kind === 'file' ? entry.version : 0,
      },
    ],
    attachments: [staged.attachment],
    diffs: [],
  }
}
