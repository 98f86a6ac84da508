import { childPath, isWithin } from '../contract/path.ts'
import type { OutsideChange } from '../core/command.ts'
import { type Entry, folderRange } from '../core/file/entry.ts'
import type { FileStat, Listed } from '../store/file-system.ts'
import { isNameable } from './nameable.ts'
import type { OutsideChanges } from './outside-changes.ts'
import { leftBeside } from './own-name.ts'
import type { Parts } from './parts.ts'
import { recoverBeside } from './recover-held.ts'
import { type DiskRow, identityOf, isInStep, isSameContent, stampOf } from './stamps.ts'

export interface ScanProgress {
  folders: number
  files: number
  /** Entries that are not tracked; what lies in them is not looked at. */
  untracked: number
  /** That no path can name: control characters, or no Unicode. */
  unnamed: number
  isDone: boolean
}

/**
 * Looks through all that is tracked and brings the records in step with it (folder §5). At the start
 * contents are not read: what is new has its size and state, and is read when somebody asks for it. Later
 * on what is new has just come from outside, and is kept. What may differ from what the records hold is
 * left to be looked into.
 *
 * One folder at a time, in short turns, so that agents are served meanwhile.
 */
export class Scan {
  readonly progress: ScanProgress = {
    folders: 0,
    files: 0,
    untracked: 0,
    unnamed: 0,
    isDone: false,
  }
  private readonly parts: Parts
  private readonly outside: OutsideChanges
  private readonly message: string
  private readonly isStart: boolean
  private readonly entering: (path: string) => void
  private changes: OutsideChange[] = []
  private seen: { path: string; stat: FileStat }[] = []
  private doubtful: string[] = []
  /** Looked at last: it may have moved to where the scan has not been yet. */
  private readonly gone: string[] = []
  /** Folders that could not be looked into. */
  readonly shut: string[] = []
  /** By a server that was killed, beside files on another disk. */
  private readonly left: string[] = []
  private turnEnds = 0
  private isCold = false
  /** What the records do not have, while it may have moved there: files with the folder they lie in. */
  private readonly unknown: { path: string; folder: number | undefined }[] = []

  /** @param entering called with each folder before it is looked at */
  constructor(
    parts: Parts,
    outside: OutsideChanges,
    { message, isStart }: { message: string; isStart: boolean },
    entering: (path: string) => void,
  ) {
    this.parts = parts
    this.outside = outside
    this.message = message
    this.isStart = isStart
    this.entering = entering
  }

  /** @param from folders of the workspace, with all below them */
  async run(from: readonly string[], signal: { readonly aborted: boolean }): Promise<void> {
    await this.walk(from, signal)
    await this.finish()
  }

  /**
   * The same after a start, when nobody knows yet where files lay before: what is new may be what has
   * gone from elsewhere, so it is looked at once that is known.
   */
  async runCold(from: readonly string[], signal: { readonly aborted: boolean }): Promise<void> {
    this.isCold = true
    await this.walk(from, signal)
    this.isCold = false
    for (const path of this.gone) this.recall(path)
    const unknown = this.unknown.splice(0)
    for (const { path, folder } of unknown) {
      if (folder !== undefined)
        this.lookAt(path, this.parts.roots.diskPath(path), undefined, folder)
      await this.rest()
    }
    const folders = unknown.flatMap(({ path, folder }) => (folder === undefined ? [path] : []))
    await this.walk(folders, signal)
    await this.finish()
  }

  private async walk(
    from: readonly string[],
    signal: { readonly aborted: boolean },
  ): Promise<void> {
    const left = [...from].reverse()
    for (let path = left.pop(); path !== undefined && !signal.aborted; path = left.pop()) {
      left.push(...this.lookIn(path))
      await this.rest()
    }
  }

  /** What has gathered is recorded, and others have their turn. */
  private async rest(): Promise<void> {
    if (this.changes.length >= CHANGES_A_COMMIT) {
      this.record()
      await this.stored()
    }
    if (this.doubtful.length >= DOUBTFUL_MOST) {
      this.record()
      await this.lookInto()
    }
    if (performance.now() < this.turnEnds) return
    this.record()
    await this.parts.turn()
    this.turnEnds = performance.now() + TURN_MS
  }

  /** What was recorded is written before more is: else all of it lives in memory for a while. */
  private async stored(): Promise<void> {
    const { stream } = this.parts.context
    await stream.settled(stream.state.revision)
    while (stream.overlay.hasFrozen && stream.fault === undefined) await this.parts.turn()
  }

  private async finish(): Promise<void> {
    this.record()
    await this.lookInto()
    this.doubtful = this.gone.splice(0)
    await this.lookInto()
    for (const disk of this.left.splice(0)) await recoverBeside(this.parts, disk)
    this.progress.isDone = true
  }

  /** Who lay there when the server last ran, and below it. */
  private recall(path: string): void {
    const { parts } = this
    const place = parts.resolve(path)
    const row = parts.rowAt(place)
    if (row !== undefined) parts.places.set(row.identity, path)
    if (place.entry?.kind !== 'folder') return
    for (const [name, { kind }] of this.entriesIn(place.entry.id)) {
      if (kind !== 'gone') this.recall(`${path}/${name}`)
    }
  }

  /** Compares one folder with its records; gives the folders in it that are to be looked at. */
  private lookIn(path: string): string[] {
    const { parts, progress } = this
    const { fs, roots, tracked } = parts
    const disk = roots.diskPath(path)
    if (roots.tops.includes(path) && parts.presence.isMissingAt(path)) return []
    const stat = fs.lstat(disk)
    if (stat?.kind !== 'folder') {
      if (parts.resolve(path).entry !== undefined) this.doubtful.push(path)
      return []
    }
    progress.folders += 1
    // What changes from here on is told, so nothing is missed in between.
    this.entering(path)
    const { entry } = parts.resolve(path)
    if (entry !== undefined) parts.noteFolder(path, stat)
    const known = entry?.kind === 'folder' ? this.entriesIn(entry.id) : new Map<string, Entry>()
    const isMoved = entry === undefined && this.mayHaveMoved(path, stat)
    if (isMoved) this.doubtful.push(path)
    else if (entry?.kind !== 'folder') {
      this.changes.push({ kind: 'folder', path })
      this.seen.push({ path, stat })
    }
    const below: string[] = []
    const id = entry?.kind === 'folder' ? entry.id : 0
    const rows = this.isCold ? parts.stamps.rowsIn(id) : undefined
    const names = listed(parts, disk)
    if (names === undefined) {
      this.shut.push(path)
      return []
    }
    tracked.enter(path, names)
    for (const { name, kind } of names) {
      const before = known.get(name)
      known.delete(name)
      if (!isNameable(name)) {
        progress.unnamed += 1
        continue
      }
      const child = childPath(path, name)
      if (leftBeside(name) !== undefined) this.left.push(`${disk}/${name}`)
      if (!tracked.has(child, kind === 'folder')) {
        progress.untracked += 1
      } else if (kind === 'folder') {
        if (before?.kind === 'file') this.doubtful.push(child)
        const isNew = this.isCold && before?.kind !== 'folder'
        if (isNew) this.unknown.push({ path: child, folder: undefined })
        else below.push(child)
      } else if (kind === 'file') {
        progress.files += 1
        const isNew = this.isCold && before?.kind !== 'file'
        if (isNew) this.unknown.push({ path: child, folder: id })
        else this.lookAt(child, `${disk}/${name}`, before, id, rows?.get(name))
      } else if (before !== undefined) {
        this.doubtful.push(child)
      }
    }
    // What the records have and the folder has not, but for what is no longer tracked.
    for (const [name, one] of known) {
      if (one.kind !== 'gone') this.gone.push(childPath(path, name))
    }
    return below.reverse()
  }

  private lookAt(
    path: string,
    disk: string,
    entry: Entry | undefined,
    folder: number,
    known?: DiskRow,
  ): void {
    const { parts } = this
    const stat = parts.fs.lstat(disk)
    if (stat?.kind !== 'file') return
    if (entry === undefined || entry.kind === 'gone') {
      if (!this.isStart || this.mayHaveMoved(path, stat)) {
        this.doubtful.push(path)
        return
      }
      const content = { sha256: '', size: stat.size }
      const modifiedAt = Math.trunc(stat.modifiedAt)
      this.changes.push({ kind: 'file', path, content, modifiedAt })
      this.seen.push({ path, stat })
      return
    }
    parts.places.set(identityOf(stat), path)
    const row = known ?? parts.stamps.get(folder, entry.name)
    if (isInStep(row, entry, stat)) return
    const isTouched =
      entry.kind === 'file' &&
      row !== undefined &&
      row.version === entry.version &&
      isSameContent(row.stamp, stampOf(stat))
    if (isTouched && row.young === undefined && !parts.isPending(path)) {
      parts.noteInStep(path, folder, entry.name, entry.version, stat)
    } else {
      this.doubtful.push(path)
    }
  }

  private mayHaveMoved(path: string, stat: FileStat): boolean {
    const before = this.parts.places.get(identityOf(stat))
    return before !== undefined && before !== path
  }

  private entriesIn(folder: number): Map<string, Entry> {
    const [from, to] = folderRange(folder)
    const rows = this.parts.state.records.range('entry', from, to, Number.POSITIVE_INFINITY)
    return new Map(rows.map(([, value]) => [(value as Entry).name, value as Entry]))
  }

  private record(): void {
    const { parts } = this
    if (this.changes.length === 0) return
    const missing = parts.presence.missing()
    const isThere = ({ path }: { path: string }): boolean =>
      !missing.some((root) => isWithin(root, parts.roots.diskPath(path)))
    const changes = this.changes.splice(0).filter((one) => isThere(one) && this.isNews(one))
    const news = new Set(changes.map(({ path }) => path))
    const seen = this.seen.splice(0).filter(({ path }) => news.has(path))
    for (let at = 0; at < changes.length; at += CHANGES_A_COMMIT) {
      const some = changes.slice(at, at + CHANGES_A_COMMIT)
      parts.context.decider.run({ kind: 'take-in', changes: some, message: this.message })
    }
    for (const { path, stat } of seen) {
      const { folder, name, entry } = parts.resolve(path)
      if (stat.kind === 'folder') parts.noteFolder(path, stat)
      // An agent's commit may have come first, to a name that the folder had already.
      if (entry?.kind !== 'file' || entry.sha256 !== '') continue
      parts.noteInStep(path, folder, name, entry.version, stat)
    }
  }

  /**
   * Agents are served meanwhile: what is on its way out of the folder, or has come into it through a
   * commit, is nothing that somebody outside has made.
   */
  private isNews(change: OutsideChange): boolean {
    const { entry } = this.parts.resolve(change.path)
    const isNews = !this.parts.isPending(change.path) && entry?.kind !== change.kind
    if (!isNews) this.doubtful.push(change.path)
    return isNews
  }

  private async lookInto(): Promise<void> {
    const paths = this.doubtful.splice(0)
    if (paths.length > 0) await this.outside.take(paths, this.message)
  }
}

/** Undefined: it went, or may not be looked into, so nothing can be said of what lies in it. */
function listed({ fs }: Parts, disk: string): Listed[] | undefined {
  try {
    return fs.list(disk)
  } catch {
    return undefined
  }
}

const TURN_MS = 8
const CHANGES_A_COMMIT = 1000
const DOUBTFUL_MOST = 1000
