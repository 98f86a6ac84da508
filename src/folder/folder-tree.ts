import { readFileSync } from 'node:fs'
import { fail, SluiceError } from '../contract/errors.ts'
import type { Event } from '../contract/events.ts'
import { LIMITS } from '../contract/limits.ts'
import { optional } from '../contract/optional.ts'
import { foldPath, isWithin, parentPath } from '../contract/path.ts'
import { BoundedMap } from '../core/bounded-map.ts'
import type { CommitChange } from '../core/command.ts'
import { type FileEntry, ROOT_FOLDER } from '../core/file/entry.ts'
import { OUTSIDE } from '../core/file/take-in.ts'
import type { Content } from '../engine/api.ts'
import type { Call } from '../engine/call.ts'
import type { Follower } from '../engine/stream/followers.ts'
import type { Child, DiskFacts, Spool, TreeContext, WorkingTree } from '../engine/working-tree.ts'
import type { FileStat, FileSystem } from '../store/file-system.ts'
import type { Attachment } from '../store/ledger.ts'
import { compareKeys } from '../store/tables.ts'
import { type Applied, Applying } from './applying.ts'
import { GuardMode } from './guard-mode.ts'
import { keep, readNow, readWhole } from './keeping.ts'
import { LateWriters } from './late-writers.ts'
import { OutsideChanges } from './outside-changes.ts'
import { OwnFolder } from './own-folder.ts'
import { OWN_FOLDER } from './own-name.ts'
import { Parts } from './parts.ts'
import { pathsOf, withPaths } from './paths-of-call.ts'
import { recover } from './recovery.ts'
import { Roots } from './roots.ts'
import { isNameable, Scan } from './scan.ts'
import { Spooling } from './spooling.ts'
import { isInStep, Stamps, stampOf } from './stamps.ts'
import { isInGit, Tracked } from './tracked.ts'
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
    const { fs, roots: given, wallNow = Date.now } = this.options
    const roots = new Roots(fs, given)
    const own = new Map(roots.paths.map((root) => [root, new OwnFolder(fs, root)]))
    const { stream } = context
    if (this.options.isNew && stream.state.nextFileId > 2) throw new HasFilesAlready(stream.name)
    const stamps = new Stamps(
      () => stream.overlay,
      () => stream.state.settings.portable_names,
    )
    const tracked = new Tracked(fs, roots)
    this.parts = new Parts({ fs, roots, tracked, stamps, context, own, wallNow })
    this.outside = new OutsideChanges(this.parts)
    this.late = new LateWriters(this.parts)
    this.spooling = new Spooling(this.parts)
    this.recoverTo = stream.durable
    stream.onReload(() => this.parts.pending.clear())
    for (const one of own.values()) await one.clean()
    this.opened.resolve()
    await context.followers.caughtUp()
    this.recoverTo = 0
    await this.outside.take(roots.tops)
    this.guard = new GuardMode(this.parts)
    await this.guard.open()
    this.watching = new Watching(this.parts, {
      changed: (paths) => this.takeIn(paths),
      rescan: (paths) => this.rescan(paths),
      log: this.options.log,
    })
    this.scanning = this.firstScan().catch((error: unknown) => {
      this.options.log(`scan of ${roots.paths.join(', ')}`, error)
    })
  }

  private async firstScan(): Promise<void> {
    const { roots } = this.parts
    const isFirst = this.parts.context.stream.state.nextFileId <= 2 + roots.tops.length
    this.scan = this.newScan(isFirst ? FIRST_SCAN : LATER_SCAN)
    await this.scan.recall(this.stop.signal)
    await this.scan.run(roots.tops, this.stop.signal)
  }

  report(): ReturnType<WorkingTree['report']> {
    const none = { folders: 0, files: 0, untracked: 0, unnamed: 0, isDone: false }
    const { isDone, ...seen } = this.scan?.progress ?? none
    const { watched, fault } = this.watching?.report ?? { watched: 0, fault: undefined }
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
  }

  // ——— Before a call

  ready(call: Call): Promise<void> | undefined {
    const named = pathsOf(call)
    if (named === undefined) return undefined
    const { roots } = this.parts
    const { use } = named
    const placed = new Map<string, string>()
    for (const given of named.paths) {
      const meant = roots.meant(given, this.hasTop)
      placed.set(given, use === 'name' ? meant : roots.place(meant))
    }
    for (const [given, path] of placed) {
      if (given === path) continue
      call.input = withPaths(call.input, (one) => placed.get(one) ?? one)
      break
    }
    if (use === 'name') return undefined
    const paths = [...placed.values()]
    if (use === 'write') for (const path of paths) this.assertOurs(path)
    return this.lookAt(paths, call)
  }

  /** Whether the records have something of that name at the top. */
  private readonly hasTop = (name: string): boolean => {
    const entry = this.parts.entryAt(ROOT_FOLDER, name)
    return entry !== undefined && entry.kind !== 'gone'
  }

  private lookAt(paths: readonly string[], call: Call): Promise<void> | undefined {
    const stale = paths.filter((path) => !this.isCurrent(path))
    if (stale.length > 0 || mayRemoveFolder(call, this.parts)) {
      return this.lookAgain(stale, paths, call)
    }
    const { operation } = call
    if (operation === 'read_text' || operation === 'read_file' || operation === 'patch_file') {
      for (const path of paths) this.keepSmall(path)
    }
    return operation === 'commit' ? this.keepSources(call) : undefined
  }

  private async lookAgain(
    stale: readonly string[],
    paths: readonly string[],
    call: Call,
  ): Promise<void> {
    await this.outside.take(stale.filter((path) => !this.parts.isPending(path)))
    for (const path of stale) await this.whilePending(path)
    for (const path of removedFolders(call, this.parts)) {
      await this.rescan([path])
    }
    if (call.operation === 'read_text' || call.operation === 'read_file') {
      for (const path of paths) this.keepSmall(path)
    }
    if (call.operation === 'commit') await this.keepSources(call)
  }

  private async whilePending(path: string): Promise<void> {
    const deadline = this.parts.context.clock.now() + FOLLOW_MS
    while (this.parts.isPending(path) && this.parts.context.clock.now() < deadline) {
      await this.parts.context.followers.caughtUp()
      await this.parts.turn()
    }
  }

  /** Whether the records say what the disk has. Two system calls for most. */
  private isCurrent(path: string): boolean {
    const { parts } = this
    const stat = parts.fs.lstat(parts.roots.diskPath(path))
    const place = parts.resolve(path)
    const { entry } = place
    if (stat === undefined) return entry === undefined && place.fileInTheWay === undefined
    if (stat.kind === 'folder') return entry?.kind === 'folder'
    if (stat.kind !== 'file') return entry === undefined
    const row = parts.rowAt(place)
    if (!isInStep(row, entry, stat)) return false
    if (row?.young === undefined || entry?.kind !== 'file' || entry.sha256 === '') return true
    return this.isSameYoung(path, place.folder, place.name, entry, stat)
  }

  /** Written an instant ago: a second write would have left the same stamp, so the content is compared. */
  private isSameYoung(
    path: string,
    folder: number,
    name: string,
    entry: FileEntry,
    stat: FileStat,
  ): boolean {
    const { parts } = this
    if (stat.size > LIMITS.smallContentBytes) return false
    const read = readNow(parts, parts.roots.diskPath(path))
    if (!read.isStable || read.content.sha256 !== entry.sha256) return false
    parts.noteInStep(path, folder, name, entry.version, read.stat)
    return true
  }

  /** What an agent reads is kept: it is what later changes are compared with. */
  private keepSmall(path: string): void {
    const { parts } = this
    const { entry, folder, name } = parts.resolve(path)
    if (entry?.kind !== 'file' || entry.sha256 !== '') return
    if (entry.size > LIMITS.smallContentBytes || !parts.tracked.has(path, false)) return
    const row = parts.stamps.get(folder, name)
    const read = readNow(parts, parts.roots.diskPath(path))
    // It changed right now; the reading finds that by itself.
    if (!read.isStable || !isInStep(row, entry, read.stat)) return
    keep(parts, { path, folder, name, id: entry.id, version: entry.version }, read)
  }

  /** A copy names a content, so its source has to have one. */
  private async keepSources(call: Call): Promise<void> {
    const { changes } = call.input as { changes?: readonly { op: string; path: string }[] }
    for (const { op, path } of changes ?? []) {
      if (op === 'copy') await this.keepTree(path)
    }
  }

  private async keepTree(path: string): Promise<void> {
    const { parts } = this
    const { entry, folder, name } = parts.resolve(path)
    if (entry?.kind === 'folder') {
      await this.rescan([path])
      for (const child of this.childrenOf(path)) {
        await this.keepTree(path === '/' ? `/${child.name}` : `${path}/${child.name}`)
      }
      return
    }
    if (entry?.kind !== 'file' || entry.sha256 !== '') return
    const row = parts.stamps.get(folder, name)
    const read = await readWhole(parts, parts.roots.diskPath(path))
    if (!read.isStable || !isInStep(row, entry, read.stat)) return
    keep(parts, { path, folder, name, id: entry.id, version: entry.version }, read)
  }

  private assertOurs(path: string): void {
    if (!isInGit(path)) return
    fail('forbidden', `${path} belongs to git, which keeps it in order by itself: use git.`, {
      path,
    })
  }

  // ——— What there is

  contentOf(path: string, entry: FileEntry): Content {
    const { parts } = this
    const disk = parts.roots.diskPath(path)
    const { size } = entry
    const row = parts.rowAt(parts.resolve(path))
    return {
      size,
      sha256: '',
      async *stream(start = 0, end = size) {
        const file = parts.fs.open(disk)
        try {
          if (row !== undefined && stampOf(file.stat()) !== row.stamp) throw changedMeanwhile(path)
          yield* file.stream(start, end)
          if (row !== undefined && stampOf(file.stat()) !== row.stamp) throw changedMeanwhile(path)
        } finally {
          file.close()
        }
      },
    }
  }

  diskPath(path: string): string {
    return this.parts.roots.diskPath(path)
  }

  childrenOf(path: string): readonly Child[] {
    const { parts } = this
    const { fs, portable } = parts
    const disk = parts.roots.diskPath(path)
    if (fs.lstat(disk)?.kind !== 'folder') return []
    const { entry: folder } = parts.resolve(path)
    const id = folder?.kind === 'folder' ? folder.id : undefined
    const isTop = parts.roots.tops.includes(path)
    const children: Child[] = []
    for (const { name, kind } of fs.list(disk)) {
      if (!isNameable(name) || (isTop && name === OWN_FOLDER)) continue
      const isFolder = kind === 'folder'
      const entry = id === undefined ? undefined : parts.entryAt(id, name)
      const stat = fs.stat(`${disk}/${name}`)
      const row = id === undefined ? undefined : parts.stamps.get(id, name)
      const isKnown =
        entry?.kind === 'file' ? stat !== undefined && isInStep(row, entry, stat) : isFolder
      children.push({
        name,
        kind: isFolder ? 'folder' : 'file',
        isUnreachable: kind === 'link' && !this.isWithin(`${disk}/${name}`),
        entry: isKnown && entry?.kind !== 'gone' ? entry : undefined,
        size: stat?.size ?? 0,
        createdAt: stat?.createdAt ?? 0,
        modifiedAt: stat?.modifiedAt ?? 0,
      })
    }
    return children.sort((a, b) =>
      compareKeys(foldPath(a.name, portable), foldPath(b.name, portable)),
    )
  }

  /** Whether a link leads to something in the folder. */
  private isWithin(disk: string): boolean {
    const real = this.parts.fs.realPath(disk)
    return real !== undefined && this.parts.roots.pathOf(real) !== undefined
  }

  factsOf(path: string): DiskFacts | undefined {
    const stat = this.parts.fs.lstat(this.parts.roots.diskPath(path))
    if (stat === undefined) return undefined
    const { size, createdAt, modifiedAt, accessedAt, mode } = stat
    const kind = stat.kind === 'folder' ? 'folder' : 'file'
    return { kind, size, createdAt, modifiedAt, accessedAt, mode: mode & 0o777 }
  }

  // ——— Commits

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
      for (const { path } of event.changes) this.unsynced.add(path)
      if (revision <= this.recoverTo) {
        await recover(this.parts, this.outside, event)
        continue
      }
      const fresh = this.spooling.take(revision)
      const applied = await new Applying(this.parts, this.late, event, fresh).run()
      this.parts.pending.delete(revision)
      this.spooling.drop(fresh)
      this.told(applied, revision, session)
      const paths = event.changes.map(({ path }) => path)
      const moved = event.changes.flatMap((one) => (one.op === 'move' ? [one.to] : []))
      if (applied.refusal !== undefined) await this.outside.take([...paths, ...moved], TAKEN_BACK)
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

  private newScan(message: string): Scan {
    return new Scan(this.parts, this.outside, message, (path) => this.watching?.add(path))
  }

  private async rescan(paths: readonly string[]): Promise<void> {
    await this.newScan(LATER_SCAN).run(paths, this.stop.signal)
  }

  private async sync(): Promise<void> {
    const { fs, roots } = this.parts
    const paths = this.unsynced
    this.unsynced = new Set()
    const folders = new Set<string>()
    for (const path of paths) {
      folders.add(parentPath(path))
      if (fs.lstat(roots.diskPath(path))?.kind === 'file') await fs.sync(roots.diskPath(path))
    }
    for (const path of folders) {
      if (fs.lstat(roots.diskPath(path))?.kind === 'folder') await fs.sync(roots.diskPath(path))
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

function changedMeanwhile(path: string): SluiceError {
  return SluiceError.of({
    code: 'stale_version',
    detail: `${path} was changed from outside while it was read. Read it again.`,
    data: { path },
  })
}

/** Folders that a call would take away with all in them. */
function removedFolders(call: Call, parts: Parts): string[] {
  const { operation, input } = call
  const one = input as { path?: string; changes?: readonly { op: string; path: string }[] }
  const paths =
    operation === 'delete_file'
      ? [one.path as string]
      : operation === 'commit'
        ? (one.changes ?? []).flatMap(({ op, path }) => (op === 'delete' ? [path] : []))
        : []
  return paths.filter((path) => parts.resolve(path).entry?.kind === 'folder')
}

function mayRemoveFolder(call: Call, parts: Parts): boolean {
  return removedFolders(call, parts).length > 0
}

/** Whether a folder can be served: what is inside another's, or holds one, would be served twice. */
export function overlapOf(roots: readonly string[]): [string, string] | undefined {
  for (const outer of roots) {
    const inner = roots.find((one) => one !== outer && isWithin(outer, one))
    if (inner !== undefined) return [outer, inner]
  }
  return undefined
}

/** Says whether the machine was started anew since: what was not synced may be gone. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return ''
  }
}

const FIRST_SCAN = 'What was there at the start'
const LATER_SCAN = 'Changed while the server was not looking'
const TAKEN_BACK = 'Taken back: the folder refused it'
const REFUSALS_KEPT = 10_000
/** An answer waits so long for the folder, in ms. */
const FOLLOW_MS = 30_000
const NAMED = 5
