import type { OutsideChange } from '../core/command.ts'
import { type Entry, folderRange } from '../core/file/entry.ts'
import type { FileStat } from '../store/file-system.ts'
import type { OutsideChanges } from './outside-changes.ts'
import type { Parts } from './parts.ts'
import { identityOf, isInStep, isSameContent, stampOf } from './stamps.ts'

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
  private turnEnds = 0

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
    const left = [...from].reverse()
    for (let path = left.pop(); path !== undefined && !signal.aborted; path = left.pop()) {
      left.push(...this.lookIn(path))
      if (this.changes.length >= CHANGES_A_COMMIT) this.record()
      if (this.doubtful.length >= DOUBTFUL_MOST) {
        this.record()
        await this.lookInto()
      }
      if (performance.now() > this.turnEnds) {
        this.record()
        await this.parts.turn()
        this.turnEnds = performance.now() + TURN_MS
      }
    }
    this.record()
    await this.lookInto()
    this.doubtful = this.gone.splice(0)
    await this.lookInto()
    this.progress.isDone = true
  }

  /** Where files lay when the server last ran, so that what was moved meanwhile is recognised. */
  async recall(signal: { readonly aborted: boolean }): Promise<void> {
    const { parts } = this
    const left = [...parts.roots.tops]
    for (let path = left.pop(); path !== undefined && !signal.aborted; path = left.pop()) {
      const { entry } = parts.resolve(path)
      if (entry?.kind !== 'folder') continue
      for (const [name, one] of this.entriesIn(entry.id)) {
        const child = path === '/' ? `/${name}` : `${path}/${name}`
        if (one.kind === 'folder') left.push(child)
        if (one.kind === 'gone') continue
        const row = parts.stamps.get(entry.id, name)
        if (row !== undefined) parts.places.set(row.identity, child)
      }
      if (performance.now() > this.turnEnds) {
        await parts.turn()
        this.turnEnds = performance.now() + TURN_MS
      }
    }
  }

  /** Compares one folder with its records; gives the folders in it that are to be looked at. */
  private lookIn(path: string): string[] {
    const { parts, progress } = this
    const { fs, roots, tracked } = parts
    const disk = roots.diskPath(path)
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
    for (const { name, kind } of listed(parts, disk)) {
      const before = known.get(name)
      known.delete(name)
      if (!isNameable(name)) {
        progress.unnamed += 1
        continue
      }
      const child = path === '/' ? `/${name}` : `${path}/${name}`
      if (!tracked.has(child, kind === 'folder')) {
        progress.untracked += 1
      } else if (kind === 'folder') {
        if (before?.kind === 'file') this.doubtful.push(child)
        below.push(child)
      } else if (kind === 'file') {
        progress.files += 1
        this.lookAt(child, `${disk}/${name}`, before, entry?.kind === 'folder' ? entry.id : 0)
      } else if (before !== undefined) {
        this.doubtful.push(child)
      }
    }
    // What the records have and the folder has not, but for what is no longer tracked.
    for (const [name, one] of known) {
      if (one.kind !== 'gone') this.gone.push(path === '/' ? `/${name}` : `${path}/${name}`)
    }
    return below.reverse()
  }

  private lookAt(path: string, disk: string, entry: Entry | undefined, folder: number): void {
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
    const row = parts.stamps.get(folder, entry.name)
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
    const changes = this.changes.splice(0)
    const seen = this.seen.splice(0)
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

  private async lookInto(): Promise<void> {
    const paths = this.doubtful.splice(0)
    if (paths.length > 0) await this.outside.take(paths, this.message)
  }
}

function listed({ fs }: Parts, disk: string) {
  try {
    return fs.list(disk)
  } catch {
    // It went, or may not be looked into: there is nothing to be said of what lies in it.
    return []
  }
}

/** Whether a path of a workspace can have this name. */
export function isNameable(name: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
  return !/[\u0000-\u001f\u007f\ufffd]/.test(name) && name.isWellFormed()
}

const TURN_MS = 8
const CHANGES_A_COMMIT = 1000
const DOUBTFUL_MOST = 1000
