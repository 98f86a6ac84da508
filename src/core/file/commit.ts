import { type Refusal, refuse } from '../../contract/errors.ts'
import type { NewEvent } from '../../contract/events.ts'
import { LIMITS } from '../../contract/limits.ts'
import { optional } from '../../contract/optional.ts'
import { foldPath, isUnder } from '../../contract/path.ts'
import type { Commit, CommitChange, Moment } from '../command.ts'
import { type Decision, decided, nothing, refused } from '../decision.ts'
import type { Wanted } from '../lock/conflict.ts'
import { MODE, type Mode } from '../lock/mode.ts'
import type { Range, Splice } from '../lock/range.ts'
import type { State } from '../state.ts'
import { copiedAttributes } from './attributes.ts'
import { Draft } from './draft.ts'
import { type Entry, type FileEntry, type FolderEntry, folderRange } from './entry.ts'
import { inexactlyKnown } from './inexact.ts'
import { alreadyThere, notAFile, nothingThere } from './path-refusals.ts'
import {
  coveringWrite,
  lockedByOther,
  lockRequired,
  lostOwn,
  missingAccess,
  taken,
  unknownVersion,
  type Writer,
  writerOf,
} from './permit.ts'
import { fileAsOf, occupantAt } from './resolve-path.ts'

/**
 * A commit (files §7–16, locks §33–35): up to 10,000 changes, all or nothing, one event, one
 * revision. Each change is decided against a draft that has the changes before it.
 */
export function decideCommit(state: State, command: Commit, moment: Moment): Decision {
  const writer = writerOf(state, command, moment)
  if ('code' in writer) return refused(writer)
  const work = new Work(writer)
  for (const change of command.changes) {
    const refusal = work.add(change)
    if (refusal !== undefined) return refused(refusal)
  }
  const { agent, session } = command.actor
  const released = !command.release
    ? []
    : [...work.used].map(
        (lock): NewEvent => ({ kind: 'lock-released', agent, session, lock, reason: 'released' }),
      )
  // What changes nothing is no fact: there is no new version, and nobody's reading goes stale. Where it
  // gives locks back, there is one without changes: a retry has to find that it was done.
  if (work.changes.length === 0 && released.length === 0) return nothing
  const committed: NewEvent = {
    kind: 'files-committed',
    agent,
    session,
    changes: work.changes,
    ...(command.locks.length > 0 ? { locks: command.locks } : {}),
    ...optional('message', command.message),
    ...optional('run', command.run),
  }
  return decided([committed, ...released])
}

/** One commit in the making. */
class Work extends Draft {
  /** Locks that a change was made under. */
  readonly used: Set<number>
  private readonly writer: Writer

  constructor(writer: Writer) {
    const { state, command, moment } = writer
    super(state, command.actor, moment.at)
    this.writer = writer
    this.used = new Set(command.locks)
  }

  add(change: CommitChange): Refusal | undefined {
    if (change.kind === 'write') return this.write(change)
    if (change.kind === 'make-folder') return this.makeFolder(change.path)
    if (change.kind === 'delete') return this.delete(change)
    if (change.kind === 'set-attributes') return this.setAttributes(change)
    return change.kind === 'copy' ? this.copy(change) : this.move(change)
  }

  private write(change: CommitChange & { kind: 'write' }): Refusal | undefined {
    const { path, how, content } = change
    const place = this.place(path)
    const entry = place.entry
    const early =
      missingAccess(this.writer, path, false) ??
      tooLarge(this.writer.state, path, content.size) ??
      this.lockedWrite(change, entry) ??
      notAFile(place, path)
    if (early !== undefined) return early
    const file = entry as FileEntry | undefined
    const covering = coveringWrite(this.writer, path, replaced(change, file))
    if (covering !== undefined) this.used.add(covering.id)
    const refusal =
      (covering === undefined ? lostOwn(this.writer, path, file) : undefined) ??
      lockRequired(this.writer, path, covering !== undefined) ??
      this.versionRefusal(change, file)
    if (refusal !== undefined) return refusal
    this.put(place, path, how, { content, splice: change.splice })
    return undefined
  }

  private lockedWrite(
    change: CommitChange & { kind: 'write' },
    entry: Entry | undefined,
  ): Refusal | undefined {
    const { path, how } = change
    const size = entry?.kind === 'file' ? entry.size : 0
    // An append is a write of the bytes from the end on (files §11), where there is a file.
    const isAppended = how === 'append' && entry !== undefined
    const splice = isAppended ? { start: size, end: size, size: 0 } : change.splice
    return lockedByOther(this.writer, this.taken(path, MODE.W, writtenRange(splice, size)))
  }

  private versionRefusal(
    change: CommitChange & { kind: 'write' },
    file: FileEntry | undefined,
  ): Refusal | undefined {
    const { path, how, ifVersion, ifNone, onto } = change
    if (ifNone === true && file !== undefined) return alreadyThere(path, file)
    if (ifVersion !== undefined && ifVersion !== (file?.version ?? 0)) {
      return file === undefined
        ? refuse('stale_version', `${path} is not there any more; you know ${ifVersion}.`, {
            path,
            yours: ifVersion,
            current: 0,
          })
        : unknownVersion(this.writer, path, file, ifVersion)
    }
    if (how === 'write') {
      if (file === undefined) return undefined
      return (
        inexactlyKnown(this.writer, path, file, ifVersion) ??
        unknownVersion(this.writer, path, file, ifVersion)
      )
    }
    // The engine made the content from the newest version; if that moved on, it makes it again.
    if ((file?.version ?? 0) === onto) return undefined
    return refuse('stale_version', `${path} changed while the ${how} was made. Try again.`, {
      path,
      current: file?.version ?? 0,
    })
  }

  private makeFolder(path: string): Refusal | undefined {
    const place = this.place(path)
    const refusal =
      missingAccess(this.writer, path, false) ??
      lockedByOther(this.writer, this.taken(path, MODE.W))
    if (refusal !== undefined) return refusal
    if (place.entry?.kind === 'folder') return undefined
    const blocked =
      place.entry === undefined ? notAFile(place, path) : alreadyThere(path, place.entry)
    const needed = blocked ?? this.uncovered(path)
    if (needed !== undefined) return needed
    const folder = this.makeParents(place, path)
    this.pushFolder(path, folder, place.name)
    return undefined
  }

  private delete(change: CommitChange & { kind: 'delete' }): Refusal | undefined {
    const { path, recursive, ifVersion } = change
    const place = this.place(path)
    const { entry, folder, name } = place
    const isFolder = entry?.kind === 'folder'
    const early =
      missingAccess(this.writer, path, isFolder) ??
      // locks §4: a folder goes only when nobody holds anything in it.
      lockedByOther(this.writer, this.taken(path, isFolder ? MODE.X : MODE.W))
    if (early !== undefined) return early
    if (entry === undefined) return nothingThere(path)
    if (name === '') return refuse('invalid_path', 'The root cannot be deleted.', { path })
    if (isFolder) {
      if (!recursive && !this.isEmpty(entry.id)) {
        return refuse('not_empty', `${path} is not empty. Pass recursive to delete all in it.`, {
          path,
        })
      }
      const refusal = this.uncovered(path)
      if (refusal !== undefined) return refusal
    } else {
      const refusal = this.uncovered(path) ?? unknownVersion(this.writer, path, entry, ifVersion)
      if (refusal !== undefined) return refusal
    }
    this.push({ op: 'delete', path, folder, name })
    return undefined
  }

  /** locks §6: they have a lock of their own, and never wait for the content's. */
  private setAttributes({
    path,
    set,
  }: CommitChange & { kind: 'set-attributes' }): Refusal | undefined {
    const { entry, folder, name } = this.place(path)
    const refusal =
      missingAccess(this.writer, path, false) ??
      lockedByOther(this.writer, { ...this.taken(path, MODE.W), key: 'metadata' })
    if (refusal !== undefined) return refusal
    if (entry === undefined) return nothingThere(path)
    if (name === '') return refuse('invalid_path', 'The root has no attributes.', { path })
    this.push({ op: 'set-attributes', path, folder, name, set })
    return undefined
  }

  private move(change: CommitChange & { kind: 'copy' | 'move' }): Refusal | undefined {
    const { path, to, overwrite } = change
    const forbidden = missingAccess(this.writer, path, false)
    if (forbidden !== undefined) return forbidden
    const source = this.place(path)
    const entry = source.entry
    if (entry === undefined) return nothingThere(path)
    if (source.name === '') return refuse('invalid_path', 'The root cannot be moved.', { path })
    if (path === to) return undefined
    const isFolder = entry.kind === 'folder'
    if (isFolder && !this.isOneName(path, to) && isUnder(path, to, this.portable)) {
      return refuse('invalid_path', `${path} cannot be moved into itself.`, { path, to })
    }
    const mode = isFolder ? MODE.X : MODE.W
    const refusal =
      missingAccess(this.writer, path, isFolder) ??
      missingAccess(this.writer, to, isFolder) ??
      lockedByOther(this.writer, this.taken(path, mode)) ??
      lockedByOther(this.writer, this.taken(to, mode)) ??
      this.uncovered(path) ??
      this.uncovered(to) ??
      this.targetRefusal(to, entry, overwrite, true)
    if (refusal !== undefined) return refusal
    const target = this.place(to)
    const toFolder = this.makeParents(target, to)
    const { folder, name } = source
    this.push({ op: 'move', path, folder, name, to, toFolder, toName: target.name })
    return undefined
  }

  private copy(change: CommitChange & { kind: 'copy' | 'move' }): Refusal | undefined {
    const { path, to, overwrite, at } = change
    const forbidden = missingAccess(this.writer, path, false, 'read')
    if (forbidden !== undefined) return forbidden
    const source = at === undefined ? this.place(path).entry : this.sourceAt(path, at)
    if (source === undefined) return nothingThere(path)
    const isFolder = source.kind === 'folder'
    // An older version of a file may be put in its place; what is there now is there already.
    const isItself = at === undefined && this.isOneName(path, to)
    if (isFolder && !isItself && isUnder(path, to, this.portable)) {
      return refuse('invalid_path', `${path} cannot be copied into itself.`, { path, to })
    }
    const refusal =
      missingAccess(this.writer, path, isFolder, 'read') ??
      missingAccess(this.writer, to, isFolder) ??
      this.hidden(path) ??
      lockedByOther(this.writer, this.taken(to, isFolder ? MODE.X : MODE.W)) ??
      (isItself ? alreadyThere(path, source) : undefined) ??
      this.uncovered(to) ??
      this.targetRefusal(to, source, overwrite, false)
    if (refusal !== undefined) return refusal
    return isFolder ? this.copyFolder(source.id, path, to) : this.copyFile(source, path, to)
  }

  private copyFile(source: FileEntry, path: string, to: string): undefined {
    const { sha256, size, version } = source
    const attributes = copiedAttributes(source.attributes)
    const from = { path, version }
    this.put(this.place(to), to, 'copy', { content: { sha256, size }, from, attributes })
    return undefined
  }

  /** Copies names and hashes, no bytes (files §15). */
  private copyFolder(id: number, path: string, to: string): Refusal | undefined {
    const target = this.place(to)
    if (target.entry === undefined) {
      const folder = this.makeParents(target, to)
      this.pushFolder(to, folder, target.name)
    }
    const rows = this.records.range('entry', ...folderRange(id), LIMITS.commitChanges + 1)
    for (const [, value] of rows) {
      const child = value as Entry
      if (child.kind === 'gone') continue
      if (this.changes.length >= LIMITS.commitChanges) {
        return refuse(
          'too_large',
          `${path} has more than ${LIMITS.commitChanges} entries to copy.`,
          {
            path,
            limit: LIMITS.commitChanges,
          },
        )
      }
      const from = `${path}/${child.name}`
      const into = `${to}/${child.name}`
      const refusal =
        child.kind === 'folder'
          ? this.copyFolder(child.id, from, into)
          : this.copyFile(child, from, into)
      if (refusal !== undefined) return refusal
    }
    return undefined
  }

  private sourceAt(path: string, at: number): FileEntry | undefined {
    const occupant = occupantAt(this.records, path, at, this.portable)
    return occupant?.kind === 'file' ? fileAsOf(this.records, occupant.id, at) : undefined
  }

  /** What a move or copy may land on: nothing, or a file it may replace. */
  private targetRefusal(
    to: string,
    source: FileEntry | FolderEntry,
    overwrite: boolean,
    isMove: boolean,
  ): Refusal | undefined {
    const target = this.place(to)
    if (target.name === '')
      return refuse('already_exists', 'The root is there already.', { path: to })
    if (target.fileInTheWay !== undefined) return notAFile(target, to)
    if (target.entry === undefined) {
      // Renaming in nothing but case meets its own name; a copy there would be the file itself.
      const isOwnName =
        isMove && 'since' in source && target.clash !== undefined && target.record === source
      return isOwnName ? undefined : notAFile(target, to)
    }
    if (!overwrite || target.entry.kind === 'folder' || source.kind === 'folder') {
      return alreadyThere(to, target.entry)
    }
    return unknownVersion(this.writer, to, target.entry, undefined)
  }

  /** A copy reads its source, so what may not be read now is not copied either. */
  private hidden(path: string): Refusal | undefined {
    if (!this.writer.state.settings.exclusive_hides_reads) return undefined
    return lockedByOther(this.writer, this.taken(path, MODE.R))
  }

  /** What any change but a whole write, which says itself what it replaces, needs of the writer's locks. */
  private uncovered(path: string): Refusal | undefined {
    const covering = coveringWrite(this.writer, path)
    if (covering !== undefined) {
      this.used.add(covering.id)
      return undefined
    }
    const { entry } = this.place(path)
    const file = entry?.kind === 'file' ? entry : undefined
    return lostOwn(this.writer, path, file) ?? lockRequired(this.writer, path, false)
  }

  private taken(path: string, mode: Mode, range?: Range): Wanted {
    return taken(this.writer.state.locks, path, mode, range)
  }

  private isOneName(path: string, other: string): boolean {
    return foldPath(path, this.portable) === foldPath(other, this.portable)
  }
}

/** What a splice writes: at the very end of the file it is an append. */
function writtenRange(splice: Splice | undefined, size: number): Range | undefined {
  if (splice === undefined) return undefined
  const { start, end } = splice
  return { start, end: start === end && end === size ? Number.POSITIVE_INFINITY : end }
}

/** What of a file a write replaces: the whole, save where it says. */
function replaced(
  { how, splice }: CommitChange & { kind: 'write' },
  file: FileEntry | undefined,
): Range | undefined {
  const end = file?.size ?? 0
  return how === 'append' ? { start: end, end } : splice
}

function tooLarge(state: State, path: string, size: number): Refusal | undefined {
  const limit = state.settings.file_bytes
  if (size <= limit) return undefined
  return refuse('too_large', `${path} would have ${size} bytes; ${limit} are allowed.`, {
    path,
    size,
    limit,
  })
}
