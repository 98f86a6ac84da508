import { fail } from '../contract/errors.ts'
import { LIMITS } from '../contract/limits.ts'
import { childPath } from '../contract/path.ts'
import { type Entry, type FileEntry, folderRange, ROOT_FOLDER } from '../core/file/entry.ts'
import type { Call } from '../engine/call.ts'
import type { FileStat } from '../store/file-system.ts'
import { isGone, refusedByDisk } from './disk-refusal.ts'
import { keep, type ReadFile, readNow, readWhole } from './keeping.ts'
import type { OutsideChanges } from './outside-changes.ts'
import type { Parts } from './parts.ts'
import { pathsOf, withPaths } from './paths-of-call.ts'
import { isInStep } from './stamps.ts'
import { isInGit } from './tracked.ts'

/**
 * What comes before a call is decided or answered (folder §4): its paths become those that files really
 * have, and where the disk is not as the records say, that is taken in first.
 */
export class Looking {
  private readonly parts: Parts
  private readonly outside: OutsideChanges
  private readonly rescan: (paths: readonly string[]) => Promise<readonly string[]>

  constructor(
    parts: Parts,
    outside: OutsideChanges,
    rescan: (paths: readonly string[]) => Promise<readonly string[]>,
  ) {
    this.parts = parts
    this.outside = outside
    this.rescan = rescan
  }

  ready(call: Call): Promise<void> | undefined {
    const named = pathsOf(call)
    if (named === undefined) return undefined
    const { roots } = this.parts
    const { use } = named
    const placed = new Map<string, string>()
    const stats = new Map<string, FileStat | undefined>()
    for (const given of named.paths) {
      const meant = roots.meant(given, this.hasTop)
      if (use !== 'name') this.assertThere(meant, placed.size === 0)
      const place = use === 'name' ? { path: meant, stat: undefined } : roots.place(meant)
      placed.set(given, place.path)
      stats.set(place.path, place.stat)
    }
    for (const [given, path] of placed) {
      if (given === path) continue
      call.input = withPaths(call.input, (one) => placed.get(one) ?? one)
      break
    }
    if (use === 'name') return undefined
    const paths = [...placed.values()]
    if (use === 'write') for (const path of paths) this.assertOurs(path)
    return this.lookAt(stats, call)
  }

  /** One root is looked at once a call. */
  private assertThere(path: string, isFirst: boolean): void {
    const { presence, roots } = this.parts
    if (isFirst || roots.paths.length > 1) presence.assertAt(path)
  }

  /** Whether the records have something of that name at the top. */
  private readonly hasTop = (name: string): boolean => {
    const entry = this.parts.entryAt(ROOT_FOLDER, name)
    return entry !== undefined && entry.kind !== 'gone'
  }

  private lookAt(
    stats: ReadonlyMap<string, FileStat | undefined>,
    call: Call,
  ): Promise<void> | undefined {
    const paths = [...stats.keys()]
    // What a whole write replaces is compared when it is replaced.
    const isWhole = call.operation === 'write_file'
    const stale = paths.filter((path) => !this.isCurrent(path, stats.get(path), isWhole))
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
      const [shut] = await this.rescan([path])
      if (shut !== undefined) failShut(shut)
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
  private isCurrent(path: string, stat: FileStat | undefined, isWhole: boolean): boolean {
    const { parts } = this
    const place = parts.resolve(path)
    const { entry } = place
    if (stat === undefined) return entry === undefined && place.fileInTheWay === undefined
    if (stat.kind === 'folder') return entry?.kind === 'folder'
    if (stat.kind !== 'file') return entry === undefined
    const row = parts.rowAt(place)
    if (!isInStep(row, entry, stat)) return false
    if (row?.young === undefined || entry?.kind !== 'file') return true
    if (isWhole || entry.sha256 === '') return true
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
    const read = readIfThere(parts, path)
    if (read?.isStable !== true || read.content.sha256 !== entry.sha256) return false
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
    const read = readIfThere(parts, path)
    // It changed right now; the reading finds that by itself.
    if (read?.isStable !== true || !isInStep(row, entry, read.stat)) return
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
      const [shut] = await this.rescan([path])
      if (shut !== undefined) failShut(shut)
      const [from, to] = folderRange(entry.id)
      for (const [, value] of parts.state.records.range('entry', from, to, LIMITS.commitChanges)) {
        const { kind, name } = value as Entry
        if (kind !== 'gone') await this.keepTree(childPath(path, name))
      }
      return
    }
    if (entry?.kind !== 'file' || entry.sha256 !== '') return
    const row = parts.stamps.get(folder, name)
    const read = await readWhole(parts, parts.roots.diskPath(path)).catch((error: unknown) => {
      if (isGone(error)) return undefined
      throw refusedByDisk(path, error)
    })
    if (read?.isStable !== true || !isInStep(row, entry, read.stat)) return
    keep(parts, { path, folder, name, id: entry.id, version: entry.version }, read)
  }

  private assertOurs(path: string): void {
    if (!isInGit(path)) return
    fail('forbidden', `${path} belongs to git, which keeps it in order by itself: use git.`, {
      path,
    })
  }
}

/** Undefined: it went, or became something else, since it was looked at. */
function readIfThere(parts: Parts, path: string): ReadFile | undefined {
  try {
    return readNow(parts, parts.roots.diskPath(path))
  } catch (error) {
    if (isGone(error)) return undefined
    throw refusedByDisk(path, error)
  }
}

/** What nobody has seen cannot be kept, and so is neither copied nor taken away. */
function failShut(path: string): never {
  return fail(
    'forbidden',
    `${path}: the user that the server runs as may not look into that folder. Change its permissions.`,
    { path, reason: 'EACCES' },
  )
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

/** A call waits so long for commits that are on their way to the folder, in ms. */
const FOLLOW_MS = 30_000
