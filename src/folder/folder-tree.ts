import { SluiceError } from '../contract/errors.ts'
import { pathsOfChange } from '../contract/event/file.ts'
import type { Event } from '../contract/events.ts'
import { optional } from '../contract/optional.ts'
import { parentPath } from '../contract/path.ts'
import { BoundedMap } from '../core/bounded-map.ts'
import type { CommitChange } from '../core/command.ts'
import type { FileEntry } from '../core/file/entry.ts'
import { OUTSIDE } from '../core/file/take-in.ts'
import type { Content } from '../engine/api.ts'
import type { Call } from '../engine/call.ts'
import type { Follower } from '../engine/stream/followers.ts'
import type { Child, DiskFacts, Spool, TreeContext, WorkingTree } from '../engine/working-tree.ts'
import { codeOf, type FileSystem } from '../store/file-system.ts'
import type { Attachment } from '../store/ledger.ts'
import { Absence } from './absence.ts'
import { type Applied, Applying } from './applying.ts'
import { DiskView } from './disk-view.ts'
import { GuardMode } from './guard-mode.ts'
import { LateWriters } from './late-writers.ts'
import { Looking } from './looking.ts'
import { OutsideChanges } from './outside-changes.ts'
import { OwnFolder } from './own-folder.ts'
import { Parts } from './parts.ts'
import { missingFault, Presence } from './presence.ts'
import { Progress } from './progress.ts'
import { recoverHeld } from './recover-held.ts'
import { recover } from './recovery.ts'
import { Roots } from './roots.ts'
import { Scan } from './scan.ts'
import { Spooling } from './spooling.ts'
import { Stamps } from './stamps.ts'
import { Tracked } from './tracked.ts'
import { Watching } from './watching.ts'

export interface FolderOptions {
  fs: FileSystem
  /** Existing folders, absolute, none within another. */
  roots: readonly string[]
  /** Files of its own that the workspace has would be lost under those of the folder. */
  isNew: boolean
  /** Of the clock that files are stamped by, ms since 1970. Default: the machine's. */
  wallNow?: () => number
  log: (message: string, error: unknown) => void
}

/**
 * A real folder as the place of a workspace's files.
 *
 *   a call ──► ready: real paths, one stat each ──► same as recorded: answered from the records
 *                                               └─► else OutsideChanges.take ──► commit of `outside`
 *   a commit ─► spool: contents beside their places ─► decided, stored ─► Applying ─► answer
 *   a change from outside ─► Watching ─► OutsideChanges.take
 *
 * Invariants:
 *  1. A read answers with what the file holds and the version that stands for it (folder §4).
 *  2. No content that somebody wrote is overwritten before it has a version (folder §7).
 *  3. Folder and records never stay apart: each commit is followed, or taken back (folder §9).
 */
export class FolderTree implements WorkingTree {
  readonly follower: Follower
  private readonly options: FolderOptions
  private parts!: Parts
  private outside!: OutsideChanges
  private late!: LateWriters
  private spooling!: Spooling
  private looking!: Looking
  private absence!: Absence
  private view!: DiskView
  private guard: GuardMode | undefined
  private watching: Watching | undefined
  private scan: Scan | undefined
  private scanning: Promise<void> | undefined
  private readonly stop = new AbortController()
  private readonly opened = Promise.withResolvers<void>()
  private readonly refusals = new BoundedMap<number, SluiceError>(REFUSALS_KEPT)
  /** Written since the last sync. */
  private unsynced = new Set<string>()
  /** Facts up to here may have been followed before: they are recovered, not applied. */
  private recoverTo = 0
  private hasLostPower = false

  constructor(options: FolderOptions) {
    this.options = options
    this.follower = {
      name: 'folder',
      barrier: { kinds: ['files-committed'], withinMs: FOLLOW_MS },
      take: (events) => this.follow(events),
      sync: () => this.sync(),
      refusalOf: (revision) => this.refusals.get(revision)?.refusal,
    }
  }

  async open(context: TreeContext): Promise<void> {
    const { fs, roots: given, wallNow = Date.now, log } = this.options
    const roots = new Roots(fs, given)
    const own = new Map(roots.paths.map((root) => [root, new OwnFolder(fs, root)]))
    const presence = new Presence(fs, roots, (root) => this.absence.noticed(root))
    const { stream } = context
    if (this.options.isNew && stream.state.nextFileId > 2) throw new HasFilesAlready(stream.name)
    const stamps = new Stamps(
      () => stream.overlay,
      () => stream.state.settings.portable_names,
    )
    const tracked = new Tracked(fs, roots)
    const progress = new Progress(fs)
    const folders = [...own.values()].map(({ path }) => path)
    progress.open(folders, stream.durable, this.options.isNew)
    this.parts = new Parts({
      fs,
      roots,
      presence,
      progress,
      tracked,
      stamps,
      context,
      own,
      wallNow,
      log,
    })
    this.absence = new Absence(this.parts, this.stop.signal, () => this.returned())
    this.outside = new OutsideChanges(this.parts)
    this.late = new LateWriters(this.parts)
    this.spooling = new Spooling(this.parts)
    this.view = new DiskView(this.parts)
    this.looking = new Looking(this.parts, this.outside, (paths) => this.rescan(paths))
    this.recoverTo = stream.durable
    const boot = fs.bootId()
    const before = stream.overlay.get('state', BOOT)
    this.hasLostPower = before !== undefined && boot !== undefined && before !== boot
    if (boot !== before) stream.overlay.put('state', BOOT, boot)
    stream.onReload(() => this.parts.pending.clear())
    for (const one of own.values()) await one.clean()
    this.opened.resolve()
    await context.followers.caughtUp()
    this.recoverTo = 0
    await recoverHeld(this.parts)
    await this.outside.take(roots.tops)
    this.guard = new GuardMode(this.parts)
    await this.guard.open()
    this.watching = new Watching(this.parts, {
      changed: (paths) => this.takeIn(paths),
      rescan: async (paths) => {
        await this.rescan(paths)
      },
    })
    this.scanning = this.firstScan().catch((error: unknown) => {
      this.options.log(`scan of ${roots.paths.join(', ')}`, error)
    })
  }

  private async firstScan(): Promise<void> {
    const { roots } = this.parts
    const isFirst = this.parts.context.stream.state.nextFileId <= 2 + roots.tops.length
    this.scan = this.newScan({ message: isFirst ? FIRST_SCAN : LATER_SCAN, isStart: true })
    if (isFirst) await this.scan.run(roots.tops, this.stop.signal)
    else await this.scan.runCold(roots.tops, this.stop.signal)
  }

  report(): ReturnType<WorkingTree['report']> {
    const none = { folders: 0, files: 0, untracked: 0, unnamed: 0, isDone: false }
    const { isDone, ...seen } = this.scan?.progress ?? none
    const { watched, fault: unwatched } = this.watching?.report ?? { watched: 0, fault: undefined }
    const [missing] = this.parts.presence.missing()
    const fault = missing === undefined ? unwatched : missingFault(missing)
    return {
      roots: [...this.parts.roots.paths],
      scan: { done: isDone, ...seen },
      watching: { folders: watched, ...optional('fault', fault) },
    }
  }

  /** Resolves when the first scan is done. */
  async scanned(): Promise<void> {
    await this.scanning
  }

  async close(): Promise<void> {
    this.stop.abort()
    await this.watching?.close()
    await this.scanning
    await this.guard?.close()
    await this.late?.close()
    this.spooling?.close()
    if (this.parts !== undefined) for (const own of this.parts.ownFolders) own.close()
  }

  ready(call: Call): Promise<void> | undefined {
    return this.looking.ready(call)
  }

  contentOf(path: string, entry: FileEntry): Content {
    return this.view.contentOf(path, entry)
  }

  diskPath(path: string): string {
    return this.parts.roots.diskPath(path)
  }

  childrenOf(path: string): readonly Child[] {
    return this.view.childrenOf(path)
  }

  factsOf(path: string): DiskFacts | undefined {
    return this.view.factsOf(path)
  }

  spool(
    changes: readonly CommitChange[],
    attachments: readonly Attachment[],
  ): Spool | Promise<Spool> {
    return this.spooling.spool(changes, attachments)
  }

  private async follow(events: readonly Event[]): Promise<void> {
    await this.opened.promise
    for (const event of events) {
      if (event.kind !== 'files-committed' || event.agent === OUTSIDE.agent) continue
      const { revision, session } = event
      const paths = event.changes.flatMap(pathsOfChange)
      await this.absence.whileMissing(paths)
      for (const path of paths) this.unsynced.add(path)
      if (revision <= this.recoverTo) {
        await recover(this.parts, this.outside, event, this.hasLostPower)
        this.absence.assertThere(paths)
        continue
      }
      const fresh = this.spooling.freshOf(revision)
      const applied = await new Applying(this.parts, this.late, event, fresh).run()
      // What found nothing there may have found a folder that is gone: then it is to be done again.
      this.absence.assertThere(paths)
      this.parts.pending.delete(revision)
      this.spooling.followed(revision)
      this.told(applied, revision, session)
      if (applied.refusal !== undefined) await this.outside.take(paths, TAKEN_BACK)
    }
    await this.guard?.follow(events)
  }

  private told({ overlapped, refusal }: Applied, revision: number, session: string): void {
    if (refusal !== undefined) this.refusals.set(revision, SluiceError.of(refusal))
    if (overlapped.length === 0) return
    void this.takeIn(overlapped)
    const names = overlapped.slice(0, NAMED).join(', ')
    this.parts.tell(
      session,
      `While you wrote, somebody outside of Sluice (an editor, a shell, git) wrote to ${names} as well. ` +
        `Yours is version ${revision} in the history; theirs came after it and stands. Read it again, and ` +
        'merge what is missing.',
      overlapped,
    )
  }

  private async takeIn(paths: readonly string[]): Promise<void> {
    try {
      await this.outside.take(paths)
    } catch (error) {
      if (!this.stop.signal.aborted) this.options.log('taking in changes from outside', error)
    }
  }

  private newScan(about: { message: string; isStart: boolean }): Scan {
    return new Scan(this.parts, this.outside, about, (path) => this.watching?.add(path))
  }

  /** Gives the folders that could not be looked into. */
  private async rescan(paths: readonly string[]): Promise<readonly string[]> {
    const scan = this.newScan({ message: FOUND, isStart: false })
    await scan.run(paths, this.stop.signal)
    return scan.shut
  }

  /** Anything may have been done to it meanwhile. */
  private async returned(): Promise<void> {
    const { tracked, roots } = this.parts
    tracked.forget()
    this.watching?.forgetAll()
    await this.rescan(roots.tops)
    await this.guard?.follow([])
  }

  private async sync(): Promise<void> {
    const paths = this.unsynced
    await this.absence.whileMissing(paths)
    this.unsynced = new Set()
    try {
      for (const path of paths) await this.syncOne(path, 'file')
      for (const path of new Set([...paths].map(parentPath))) await this.syncOne(path, 'folder')
    } catch (error) {
      for (const path of paths) this.unsynced.add(path)
      throw error
    }
  }

  private async syncOne(path: string, kind: 'file' | 'folder'): Promise<void> {
    const { fs, roots } = this.parts
    const disk = roots.diskPath(path)
    if (fs.lstat(disk)?.kind !== kind) return
    try {
      await fs.sync(disk)
    } catch (error) {
      // What somebody has taken away meanwhile need not be there after a loss of power either.
      const code = codeOf(error)
      if (code !== 'ENOENT' && code !== 'ENOTDIR' && code !== 'ELOOP') throw error
    }
  }
}

/** A workspace that keeps files itself does not become a folder. */
export class HasFilesAlready extends Error {
  override name = 'HasFilesAlready'
  constructor(workspace: string) {
    super(
      `The workspace "${workspace}" has files of its own, kept by Sluice. Give the folder a workspace of ` +
        'another name: --folder NAME=DIR.',
    )
  }
}

const BOOT = 'folder boot'
const FIRST_SCAN = 'What was there at the start'
const LATER_SCAN = 'Changed while the server was not looking'
const FOUND = 'Found when the folder was looked through'
const TAKEN_BACK = 'Taken back: the folder refused it'
const REFUSALS_KEPT = 10_000
/** An answer waits so long for the folder, in ms. */
const FOLLOW_MS = 30_000
const NAMED = 5
