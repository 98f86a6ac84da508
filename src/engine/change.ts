import { fail } from '../contract/errors.ts'
import { LIMITS } from '../contract/limits.ts'
import type { Parsed } from '../contract/operations.ts'
import type { CommitChange } from '../core/command.ts'
import { placeOf } from '../core/file/place.ts'
import type { State } from '../core/state.ts'
import type { Blobs } from '../store/blobs.ts'
import type { Attachment } from '../store/ledger.ts'
import { applyEdits, type Edit, excerptFor, unifiedDiff } from '../text/edit.ts'
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

export type AskedChange = Parsed<'commit'>['changes'][number]

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
      const bytes = await contentFor(change, base, prepared)
      const staged = await stage(bytes, blobs, state.settings.file_bytes)
      if (staged.attachment !== undefined) prepared.attachments.push(staged.attachment)
      prepared.changes.push({
        kind: 'write',
        how: op,
        path,
        content: { sha256: staged.sha256, size: staged.size },
        ...(change.op === 'write' ? { ifVersion: change.if_version, ifNone: change.if_none } : {}),
        ...(base === undefined ? {} : { onto: base.version }),
      })
      made.set(path, { bytes, version: state.revision + 1 })
    }
  }
  return prepared
}

async function contentFor(
  change: AskedChange & { op: 'write' | 'append' | 'edit' },
  base: Base | undefined,
  prepared: Prepared,
): Promise<Uint8Array> {
  if (change.op === 'edit') {
    const { text, diff } = editText(change.path, base, change.edits)
    prepared.diffs.push(diff)
    return Buffer.from(text, 'utf8')
  }
  if ((change.text === undefined) === (change.base64 === undefined)) {
    fail('invalid_request', `${change.path}: give either text or base64.`)
  }
  const given =
    change.text === undefined
      ? Buffer.from(change.base64 as string, 'base64')
      : Buffer.from(change.text, 'utf8')
  return change.op === 'append' && base?.bytes !== undefined
    ? Buffer.concat([base.bytes, given])
    : given
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
): { text: string; diff: string } {
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
  return { text: result.text, diff: unifiedDiff(path, before, result.text) }
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
