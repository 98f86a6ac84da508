import { fail, problemOf, SluiceError } from '../../contract/errors.ts'
import { LIMITS } from '../../contract/limits.ts'
import type { Parsed } from '../../contract/operations.ts'
import { optional } from '../../contract/optional.ts'
import type { CommitChange } from '../../core/command.ts'
import { resolvePath } from '../../core/file/resolve-path.ts'
import type { Splice } from '../../core/lock/range.ts'
import type { State } from '../../core/state.ts'
import type { Blobs } from '../../store/blobs.ts'
import type { Attachment } from '../../store/ledger.ts'
import type { EditThread } from '../../text/edit-thread.ts'
import type { Content } from '../api.ts'
import type { Overlay } from '../stream/overlay.ts'
import type { WorkingTree } from '../working-tree.ts'
import { bytesOf, contentOf, contentOfStaged, stage, stageBytes } from './contents.ts'
import { editRefusal } from './edit-refusal.ts'
import { joined } from './joined.ts'

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
  texts: EditThread
  tree: WorkingTree | undefined
  /** Calls back when others had their turn. */
  soon: (callback: () => void) => void
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
  /** What the file holds; undefined when there is none. */
  content: Content | undefined
  version: number
}

/** @param withDiff somebody will see what the edits come to */
export async function prepareChanges(
  source: ChangeSource,
  asked: readonly AskedChange[],
  withDiff = false,
): Promise<Prepared> {
  const prepared: Prepared = { changes: [], attachments: [], diffs: [] }
  // Contents as the earlier changes of this commit leave them.
  const made = new Map<string, Base>()
  const moved = new Set<string>()
  const { state, blobs } = source
  for (const [index, change] of withoutRuns(asked).entries()) {
    if (index % CHANGES_A_TURN === CHANGES_A_TURN - 1) await new Promise<void>(source.soon)
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
      const base = op === 'write' ? undefined : (made.get(path) ?? baseOf(source, path))
      const { content, splice, diff } = await contentFor(source, change, base, withDiff)
      if (diff !== undefined) prepared.diffs.push(diff)
      const staged = await stage(content, blobs, state.settings.file_bytes)
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
      made.set(path, { content: contentOfStaged(blobs, staged), version: state.revision + 1 })
    }
  }
  return prepared
}

type Given = AskedChange & { op: 'write' | 'append' }

function givenBytes(change: Given): Buffer {
  const { path, text, base64 } = change
  if ((text === undefined) === (base64 === undefined)) {
    fail('invalid_request', `${path}: give either text or base64.`)
  }
  return text === undefined ? Buffer.from(base64 as string, 'base64') : Buffer.from(text, 'utf8')
}

/** Appends to one file that follow each other are one: each would store the whole file anew. */
function withoutRuns(asked: readonly AskedChange[]): readonly AskedChange[] {
  const isRun = (at: number): boolean => {
    const [before, change] = [asked[at - 1], asked[at]]
    return change?.op === 'append' && before?.op === 'append' && before.path === change.path
  }
  if (!asked.some((_, at) => isRun(at))) return asked
  const kept: AskedChange[] = []
  for (let at = 0; at < asked.length; ) {
    const first = asked[at] as AskedChange
    const start = at
    do at += 1
    while (isRun(at))
    const run = asked.slice(start, at) as Given[]
    const base64 = (): string => Buffer.concat(run.map(givenBytes)).toString('base64')
    kept.push(run.length > 1 ? { op: 'append', path: first.path, base64: base64() } : first)
  }
  return kept
}

interface Made {
  /** Large ones are put together from their parts while they are stored. */
  content: Uint8Array | AsyncIterable<Uint8Array>
  splice?: Splice | undefined
  diff?: string | undefined
}

async function contentFor(
  source: ChangeSource,
  change: AskedChange & { op: 'write' | 'append' | 'edit' | 'replace' },
  base: Base | undefined,
  withDiff: boolean,
): Promise<Made> {
  if (change.op === 'replace') return replaceBytes(change, base)
  if (change.op === 'edit') return editText(source, change, base, withDiff)
  const given = givenBytes(change)
  const before = change.op === 'append' ? base?.content : undefined
  if (before === undefined) return { content: given }
  return { content: joined([{ content: before, start: 0, end: before.size }, given]) }
}

function replaceBytes(
  { path, text, range }: AskedChange & { op: 'replace' },
  base: Base | undefined,
): Made {
  const content = base?.content
  if (content === undefined) {
    return fail('not_found', `There is no file at ${path} to replace bytes of. Write it first.`, {
      path,
    })
  }
  const { size } = content
  const { start, end = size } = range
  if (start > end || end > size) {
    fail('range_invalid', `${path} has ${size} bytes now; ${start} to ${end} are not in it.`, {
      path,
      size,
    })
  }
  const given = Buffer.from(text, 'utf8')
  return {
    content: joined([{ content, start: 0, end: start }, given, { content, start: end, end: size }]),
    splice: { start, end, size: given.length },
  }
}

/** What a file holds now; nothing and version 0 when there is none. */
function baseOf({ state, overlay, blobs, tree }: ChangeSource, path: string): Base {
  const { entry } = resolvePath(state.records, path, state.settings.portable_names)
  if (entry?.kind !== 'file') return { content: undefined, version: 0 }
  const content =
    entry.sha256 === '' && tree !== undefined
      ? tree.contentOf(path, entry)
      : contentOf(overlay, blobs, entry)
  return { content, version: entry.version }
}

async function editText(
  { texts, tree }: ChangeSource,
  { path, edits }: AskedChange & { op: 'edit' },
  base: Base | undefined,
  withDiff: boolean,
): Promise<Made> {
  const content = base?.content
  if (base === undefined || content === undefined) {
    return fail('not_found', `There is no file at ${path} to edit. Write it first.`, { path })
  }
  if (content.size > LIMITS.textBytes) {
    fail(
      'too_large',
      `${path} has ${content.size} bytes; text is looked for in at most ${LIMITS.textBytes}. ` +
        'Append to it, or replace bytes of it.',
      { path, size: content.size, limit: LIMITS.textBytes },
    )
  }
  const load = async (): Promise<Uint8Array> =>
    // What is in memory stays there; what is read for this is given away.
    content.bytes === undefined ? bytesOf(content, LIMITS.textBytes) : new Uint8Array(content.bytes)
  const terms = { edits, diffOf: withDiff ? (tree?.diskPath(path) ?? path) : undefined }
  const outcome = await texts.edit(content.size, load, terms)
  if (!outcome.ok) throw new SluiceError(problemOf(editRefusal(path, base.version, outcome)))
  const { bytes, splice, diff } = outcome
  return { content: bytes, splice, diff }
}

/**
 * The common small append without leaving the turn: undefined when it has to take the long way
 * (a large file, or bytes that come as a stream).
 */
export function prepareAppendNow(
  { state, overlay, blobs }: Pick<ChangeSource, 'state' | 'overlay' | 'blobs'>,
  path: string,
  data: Uint8Array,
): Prepared | undefined {
  const { entry } = resolvePath(state.records, path, state.settings.portable_names)
  const size = entry?.kind === 'file' ? entry.size : 0
  if (size + data.length > LIMITS.smallContentBytes) return undefined
  if (entry?.kind === 'file' && entry.sha256 === '') return undefined
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

/** A commit of thousands of changes is made ready in steps, so that others get in between. */
const CHANGES_A_TURN = 200
