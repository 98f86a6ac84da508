import { dirname } from 'node:path'
import { type Refusal, refuse } from '../contract/errors.ts'
import type { EventOf, FileChange } from '../contract/events.ts'
import { parentPath } from '../contract/path.ts'
import { type VersionRecord, versionOf } from '../core/file/entry.ts'
import { codeOf, type FileStat } from '../store/file-system.ts'
import { diskRefusal } from './disk-refusal.ts'
import { hashOf, isToBeKept, keep, readNow, readWhole } from './keeping.ts'
import type { LateWriters } from './late-writers.ts'
import { makeFolders } from './own-folder.ts'
import type { Parts } from './parts.ts'
import { putContent } from './spooling.ts'
import { type DiskRow, identityOf, isSameContent, stampOf } from './stamps.ts'
import { GoneMeanwhile, putNew, type Swapped, swapIn } from './swap.ts'

type Committed = EventOf<'files-committed'>
type Write = FileChange & { op: 'write' }

/** What came of a commit in the folder. */
export interface Applied {
  /** Paths where somebody outside was at work in the same moment: they are to be looked at. */
  overlapped: string[]
  /** The folder did not take it: what of it was done is undone. */
  refusal?: Refusal
}

/**
 * Brings one commit into the folder, file by file (folder §7, §8). What is replaced or deleted has a
 * second name until it is known to be what the commit was made from; where it is something else,
 * somebody wrote in between: that goes back to its place, and is taken in as theirs.
 */
export class Applying {
  private readonly parts: Parts
  private readonly late: LateWriters
  private readonly event: Committed
  /** Contents that were put beside their places before the commit was decided, by path. */
  private readonly fresh: Map<string, string>
  private readonly overlapped: string[] = []
  private readonly undo: (() => void)[] = []

  constructor(parts: Parts, late: LateWriters, event: Committed, fresh: Map<string, string>) {
    this.parts = parts
    this.late = late
    this.event = event
    this.fresh = fresh
  }

  async run(): Promise<Applied> {
    const { overlapped, parts, event } = this
    const changes = inOrder(event.changes)
    for (let at = parts.progress.doneOf(event.revision); at < changes.length; at++) {
      const change = changes[at] as FileChange
      try {
        const done = this.apply(change)
        if (done !== undefined) await done
        parts.noteDone(event.revision, at + 1, change.path)
      } catch (error) {
        const refusal = diskRefusal(change.path, error)
        if (refusal === undefined) throw error
        const { revision } = event
        for (const back of this.undo.reverse()) back()
        parts.noteDone(revision, changes.length, change.path)
        const detail =
          `${refusal.detail} It was recorded as revision ${revision} and is taken back: nothing of it ` +
          'stands in the folder.'
        return { overlapped, refusal: refuse(refusal.code, detail, refusal.data) }
      }
    }
    return { overlapped }
  }

  private apply(change: FileChange): Promise<void> | undefined {
    switch (change.op) {
      case 'write':
        return this.write(change)
      case 'make-folder':
        return this.makeFolder(change.path)
      case 'move':
        return this.move(change)
      case 'delete':
        return this.remove(change)
      case 'set-attributes':
        return undefined
    }
  }

  private write(change: Write): Promise<void> | undefined {
    const fresh = this.fresh.get(change.path)
    if (fresh !== undefined) return this.putInPlace(change, fresh)
    return this.makeFresh(change).then((made) => this.putInPlace(change, made))
  }

  /** Of a commit that was decided before the server was started, or whose content came by itself. */
  private async makeFresh(change: Write): Promise<string> {
    const place = this.parts.roots.diskPath(change.path)
    const fresh = this.parts.ownFolder(place).newName(place)
    await putContent(this.parts, fresh, change)
    return fresh
  }

  private putInPlace(change: Write, fresh: string): Promise<void> | undefined {
    const { parts } = this
    const { roots } = parts
    const { path, folder, name } = change
    const place = roots.diskPath(path)
    const row = parts.stamps.get(folder, name)
    const before = this.dress(change, fresh, place)
    const swapped = this.swap(change, fresh, place, before?.device)
    this.fresh.delete(path)
    const { old, now } = swapped
    if (now === undefined) {
      this.overlapped.push(path)
      if (swapped.held === undefined || old === undefined) return undefined
      return this.goneAgain(change, row, old, swapped.held)
    }
    if (swapped.held === undefined || old === undefined) {
      this.undo.push(() => removeIf(this.parts, place, now))
      parts.noteInStep(path, folder, name, this.event.revision, now)
      return undefined
    }
    const second = swapped.held
    const isExpected = this.isExpected(change, row, old, second)
    if (isExpected === true) return this.replaced(change, { place, now, old, second })
    if (isExpected === false) return this.putBack(change, place, now, second)
    return isExpected.then((is) =>
      is
        ? this.replaced(change, { place, now, old, second })
        : this.putBack(change, place, now, second),
    )
  }

  /** @param device of what stands there, where that is known */
  private swap(change: Write, fresh: string, place: string, device: bigint | undefined): Swapped {
    const { parts } = this
    for (let tries = 0; ; tries++) {
      try {
        const held = parts.ownFolder(place).heldName(place, device, this.nameOf(change))
        return swapIn(parts.fs, fresh, place, held)
      } catch (error) {
        if (error instanceof GoneMeanwhile) {
          this.fresh.set(change.path, error.fresh)
          throw error
        }
        if (codeOf(error) !== 'ENOENT' || tries >= TRIES) throw error
        // Somebody took its folder away: the file is what they would find missing.
        makeFolders(parts.fs, dirname(place))
        if (tries === 0) this.overlapped.push(parentPath(change.path))
      }
    }
  }

  /** Somebody took ours away at once; what it had replaced may be theirs as well. */
  private async goneAgain(
    change: Write,
    row: DiskRow | undefined,
    old: FileStat,
    second: string,
  ): Promise<void> {
    const { path, folder, name, id, base } = change
    const isOurs = await this.isExpected(change, row, old, second)
    if (isOurs && this.isUnkept(path, id, base, old)) {
      keep(
        this.parts,
        { path, folder, name, id, version: base },
        await readWhole(this.parts, second),
      )
    }
    const stat = isOurs ? old : undefined
    this.late.hold({ held: second, stat, path, session: this.event.session })
  }

  /** Nobody had asked for its content yet. */
  private isUnkept(path: string, id: number, version: number, { size }: FileStat): boolean {
    return this.versionOf(id, version)?.sha256 === '' && isToBeKept(this.parts, path, size)
  }

  private replaced(
    change: Write,
    { place, now, old, second }: { place: string; now: FileStat; old: FileStat; second: string },
  ): Promise<void> | undefined {
    const { parts } = this
    const { path, folder, name, id, base } = change
    this.undo.push(() => {
      const third = parts.ownFolder(place).heldName(place, undefined, this.nameOf(change))
      swapIn(parts.fs, second, place, third)
      parts.fs.remove(third)
    })
    parts.noteInStep(path, folder, name, this.event.revision, now)
    const hold = (): void => {
      // Of many changes, one that fails takes the others back from there.
      const isLast = this.event.changes.length === 1
      if (isLast && parts.ownFolder(place).takeBack(second, old)) return
      this.late.hold({ held: second, stat: old, path, session: this.event.session })
    }
    if (!this.isUnkept(path, id, base, old)) {
      hold()
      return undefined
    }
    const of = { path, folder, name, id, version: base }
    if (old.size <= SMALL_BYTES) {
      keep(parts, of, readNow(parts, second))
      hold()
      return undefined
    }
    return readWhole(parts, second).then((read) => {
      keep(parts, of, read)
      hold()
    })
  }

  /**
   * Whether what was replaced is what the commit was made from. A file that was written within the
   * grain of the clock is compared by content.
   */
  private isExpected(
    { base, id, created, sha256 }: Write,
    row: DiskRow | undefined,
    old: FileStat,
    second: string,
  ): boolean | Promise<boolean> {
    if (old.kind !== 'file') return false
    const before = created === true ? undefined : this.versionOf(id, base)
    const isStamped = row?.version === base && isSameContent(row.stamp, stampOf(old))
    if (before !== undefined && isStamped && (row.young === undefined || before.sha256 === '')) {
      return true
    }
    const known = [before?.sha256, sha256]
    if (old.size <= SMALL_BYTES) {
      return known.includes(readNow(this.parts, second).content.sha256)
    }
    return hashOf(this.parts, second).then((found) => known.includes(found))
  }

  /** Somebody wrote in between: theirs stands, and comes after ours in the history. */
  private putBack(change: Write, place: string, ours: FileStat, second: string): undefined {
    const { parts } = this
    let expected = ours
    let theirs = second
    for (let tries = 0; tries < TRIES; tries++) {
      const third = parts.ownFolder(place).heldName(place, undefined, this.nameOf(change))
      const { old, now, held } = swapIn(parts.fs, theirs, place, third)
      const isOurs = old === undefined || isSameContent(stampOf(old), stampOf(expected))
      if (isOurs || held === undefined || now === undefined) {
        if (held !== undefined) parts.fs.remove(held)
        break
      }
      // And once more, over what we had just put there.
      theirs = held
      expected = now
    }
    this.overlapped.push(change.path)
    return undefined
  }

  /** A new content has the mode and owner of the file that it replaces, as far as the system lets us. */
  private dress(change: Write, fresh: string, place: string): FileStat | undefined {
    const { fs, roots } = this.parts
    const from = change.created === true ? change.from?.path : undefined
    const source = from === undefined ? place : roots.diskPath(from)
    const like = fs.lstat(source)
    if (like?.kind !== 'file') return undefined
    const { plain } = this.parts.ownFolder(place)
    try {
      if (change.created !== true && (plain.uid !== like.uid || plain.gid !== like.gid)) {
        fs.changeOwner(fresh, like.uid, like.gid)
      }
    } catch {
      // Only root may give files away.
    }
    if (plain.mode !== like.mode) fs.changeMode(fresh, like.mode)
    fs.rare?.copyAttributes(source, fresh)
    return from === undefined ? like : undefined
  }

  private makeFolder(path: string): undefined {
    const { fs, roots, places } = this.parts
    const place = roots.diskPath(path)
    const wasThere = fs.stat(place) !== undefined
    makeFolders(fs, place)
    if (!wasThere) this.undo.push(() => fs.removeFolder(place))
    const stat = fs.lstat(place)
    if (stat !== undefined) places.set(identityOf(stat), path)
    return undefined
  }

  private move(change: FileChange & { op: 'move' }): undefined {
    const { parts } = this
    const { fs, roots, stamps } = parts
    const from = roots.diskPath(change.path)
    const to = roots.diskPath(change.to)
    const stat = fs.lstat(from)
    if (stat === undefined) {
      this.overlapped.push(change.path, change.to)
      return undefined
    }
    makeFolders(fs, dirname(to))
    const there = fs.lstat(to)
    if (there !== undefined && identityOf(there) !== identityOf(stat)) {
      // What a move replaces is held like what a write does.
      const held = parts.ownFolder(to).heldName(to, undefined, this.nameOf(change))
      const row = stamps.get(change.toFolder, change.toName)
      if (row === undefined || !isSameContent(row.stamp, stampOf(there))) {
        throw Object.assign(new Error(`EEXIST: ${to} appeared`), { code: 'EEXIST' })
      }
      fs.rename(to, held)
      this.undo.push(() => fs.rename(held, to))
      const { path, session } = { path: change.to, session: this.event.session }
      this.late.hold({ held, stat: there, path, session })
    }
    fs.rename(from, to)
    this.undo.push(() => fs.rename(to, from))
    const now = fs.lstat(to)
    stamps.move(change, now)
    if (now === undefined) return undefined
    if (stat.kind === 'folder') parts.movePlaces(change.path, change.to)
    parts.places.set(identityOf(now), change.to)
    return undefined
  }

  private remove(change: FileChange & { op: 'delete' }): Promise<void> | undefined {
    const { parts } = this
    const { fs, roots, stamps } = parts
    const { path, folder, name } = change
    const place = roots.diskPath(path)
    const held = parts.ownFolder(place).heldName(place, undefined, this.nameOf(change))
    try {
      fs.rename(place, held)
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined
      throw error
    }
    const row = stamps.get(folder, name)
    const stat = fs.lstat(held)
    if (stat === undefined) return undefined
    const gone = parts.entryAt(folder, name)
    if (stat.kind === 'folder') {
      this.undo.push(() => fs.rename(held, place))
      const folderId = gone?.past?.find(({ kind }) => kind === 'folder')?.id
      if (folderId !== undefined) this.late.holdFolder(held, { path, id: folderId })
      return undefined
    }
    if (row === undefined || !isSameContent(row.stamp, stampOf(stat))) {
      if (putNew(fs, held, place)) {
        this.overlapped.push(path)
        return undefined
      }
    }
    this.undo.push(() => {
      putNew(fs, held, place)
    })
    stamps.remove(folder, name)
    const hold = (): void =>
      this.late.hold({ held, stat, path, session: this.event.session, isDeleted: true })
    const id = gone?.kind === 'gone' ? gone.fileId : undefined
    const version = row?.version
    if (id === undefined || version === undefined || !this.isUnkept(path, id, version, stat)) {
      hold()
      return undefined
    }
    return readWhole(parts, held).then((read) => {
      keep(parts, { path, folder, name, id, version }, read)
      hold()
    })
  }

  /** Which of whose changes it is: what is held is known by that after a crash. */
  private nameOf(change: FileChange): [revision: number, change: number] {
    return [this.event.revision, this.event.changes.indexOf(change)]
  }

  private versionOf(file: number, version: number): VersionRecord | undefined {
    return versionOf(this.parts.state.records, file, version)
  }
}

/** Takes away what we put there, unless somebody has put something else. */
function removeIf({ fs }: Parts, place: string, ours: FileStat): void {
  const there = fs.lstat(place)
  if (there !== undefined && identityOf(there) === identityOf(ours)) fs.remove(place)
}

/**
 * New files, then changed ones, then deletions, so that a reader finds no reference to what is not there
 * yet or any more. Where names change, the order they were given in is the only one.
 */
export function inOrder(changes: readonly FileChange[]): readonly FileChange[] {
  if (changes.length === 1 || changes.some(({ op }) => op === 'move')) return changes
  if (new Set(changes.map(({ path }) => path)).size < changes.length) return changes
  const rank = (change: FileChange): number => {
    if (change.op === 'delete') return 2
    return change.op === 'write' && change.created !== true ? 1 : 0
  }
  return changes.toSorted((a, b) => rank(a) - rank(b))
}

const SMALL_BYTES = 64 * 1024
const TRIES = 8
