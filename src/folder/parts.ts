import type { Notice } from '../contract/door.ts'
import { isWithin } from '../contract/path.ts'
import { isoTime } from '../contract/time.ts'
import { type Entry, entryAt } from '../core/file/entry.ts'
import { type ResolvedPath, resolvePath } from '../core/file/resolve-path.ts'
import type { State } from '../core/state.ts'
import type { TreeContext } from '../engine/working-tree.ts'
import type { FileStat, FileSystem } from '../store/file-system.ts'
import type { OwnFolder } from './own-folder.ts'
import type { Presence } from './presence.ts'
import type { Progress } from './progress.ts'
import type { Roots } from './roots.ts'
import { type DiskRow, identityOf, rowOf, type Stamps } from './stamps.ts'
import type { Tracked } from './tracked.ts'

/** What every part of a folder workspace works with. */
export class Parts {
  readonly fs: FileSystem
  readonly roots: Roots
  readonly presence: Presence
  readonly progress: Progress
  readonly tracked: Tracked
  readonly stamps: Stamps
  readonly context: TreeContext
  /** Where each file and folder that was seen lies, by its identity: renames are recognised by it. */
  readonly places = new Map<string, string>()
  /** Paths of commits that are decided and that the folder has not followed yet, by revision. */
  readonly pending = new Map<number, readonly string[]>()
  private readonly own: ReadonlyMap<string, OwnFolder>
  private readonly wallNow: () => number
  /** Of what nobody waits for. */
  readonly log: (message: string, error: unknown) => void

  constructor(given: {
    fs: FileSystem
    roots: Roots
    presence: Presence
    progress: Progress
    tracked: Tracked
    stamps: Stamps
    context: TreeContext
    own: ReadonlyMap<string, OwnFolder>
    wallNow: () => number
    log: (message: string, error: unknown) => void
  }) {
    this.fs = given.fs
    this.roots = given.roots
    this.presence = given.presence
    this.progress = given.progress
    this.tracked = given.tracked
    this.stamps = given.stamps
    this.context = given.context
    this.own = given.own
    this.wallNow = given.wallNow
    this.log = given.log
  }

  get state(): State {
    return this.context.stream.state
  }

  get portable(): boolean {
    return this.state.settings.portable_names
  }

  resolve(path: string): ResolvedPath {
    return resolvePath(this.state.records, path, this.portable)
  }

  entryAt(folder: number, name: string): Entry | undefined {
    return entryAt(this.state.records, folder, name, this.portable)
  }

  ownFolder(disk: string): OwnFolder {
    const root = this.roots.paths.find((one) => isWithin(one, disk)) as string
    return this.own.get(root) as OwnFolder
  }

  get ownFolders(): Iterable<OwnFolder> {
    return this.own.values()
  }

  /** Of the clock that files are stamped by, ms since 1970. */
  now(): number {
    return this.wallNow()
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.context.clock.after(ms, resolve)
    })
  }

  /** So many changes of a commit are in the folder, the last of them at that path. */
  noteDone(revision: number, done: number, path: string): void {
    this.progress.mark(revision, done, this.ownFolder(this.roots.diskPath(path)).path)
  }

  /** Lets others have their turn. */
  turn(): Promise<void> {
    return new Promise((resolve) => this.context.clock.soon(resolve))
  }

  /** Folder and records are in step here: the file holds this version. */
  noteInStep(path: string, folder: number, name: string, version: number, stat: FileStat): void {
    this.stamps.put(folder, name, rowOf(version, stat, this.now()))
    this.places.set(identityOf(stat), path)
  }

  /** Folders too are known by their identity, after a restart as well. */
  noteFolder(path: string, stat: FileStat): void {
    const identity = identityOf(stat)
    this.places.set(identity, path)
    const { folder, name } = this.resolve(path)
    if (name === '' || this.stamps.get(folder, name)?.identity === identity) return
    this.stamps.put(folder, name, { version: 0, stamp: '', identity })
  }

  rowAt(place: ResolvedPath): DiskRow | undefined {
    return this.stamps.get(place.folder, place.name)
  }

  /** Whether a commit that is decided will still change this path, or a folder that it lies in. */
  isPending(path: string): boolean {
    for (const paths of this.pending.values()) {
      if (paths.some((one) => isWithin(one, path) || isWithin(path, one))) return true
    }
    return false
  }

  tell(session: string, text: string, paths: readonly string[]): void {
    const notice: Notice = {
      kind: 'overlapped',
      text,
      at: isoTime(this.context.clock.now()),
      paths: [...paths],
    }
    this.context.tell(session, notice)
  }

  /** Of the names that a move of a folder took along. */
  movePlaces(from: string, to: string): void {
    for (const [identity, path] of this.places) {
      if (isWithin(from, path)) this.places.set(identity, `${to}${path.slice(from.length)}`)
    }
  }
}
