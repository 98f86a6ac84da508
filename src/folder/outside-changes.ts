import { LIMITS } from '../contract/limits.ts'
import { isWithin } from '../contract/path.ts'
import type { ContentFacts, OutsideChange } from '../core/command.ts'
import type { FileStat } from '../store/file-system.ts'
import type { Attachment } from '../store/ledger.ts'
import { isGone, isShut } from './disk-refusal.ts'
import { hashOf, isToBeKept, readWhole } from './keeping.ts'
import type { Parts } from './parts.ts'
import { identityOf, isAsScanned, isInStep, isSameContent, stampOf } from './stamps.ts'

/** What was found at a path, and what there is to record of it. */
interface Found {
  path: string
  disk: string
  /** Undefined: nothing is there any more. */
  stat: FileStat | undefined
  change: OutsideChange | undefined
  attachment?: Attachment | undefined
  /** The file holds what the records say; only its stamp is another one. */
  isSame?: true
}

/**
 * Takes in what others did: looks at paths, and records what differs from the records as commits of
 * `outside` (folder §11). What is looked at is read first and decided on in one turn, in which it is
 * looked at again: what has moved on meanwhile is looked at anew.
 */
export class OutsideChanges {
  private readonly parts: Parts

  constructor(parts: Parts) {
    this.parts = parts
  }

  /**
   * Resolves when these paths are as the records say.
   * @param message of the commit
   */
  async take(paths: Iterable<string>, message?: string): Promise<void> {
    let left = new Set(paths)
    const { clock } = this.parts.context
    const begun = clock.now()
    for (let tries = 0; left.size > 0 && tries < TRIES; tries++) {
      if (tries > 0) await this.parts.pause(Math.min(AGAIN_MS * tries, MOST_MS))
      const found: Found[] = []
      const again = new Set<string>()
      for (const path of left) {
        await this.takeAbove(path)
        const one = await this.look(path, quietAfter(clock.now() - begun))
        if (one === 'later') again.add(path)
        else if (one !== undefined) found.push(one)
      }
      for (const batch of batchesOf(found)) {
        for (const path of this.record(batch, message)) again.add(path)
      }
      left = again
    }
  }

  /** A folder that the records do not know may be one that has moved, with this path in it. */
  private async takeAbove(path: string): Promise<void> {
    const { missing } = this.parts.resolve(path)
    if (missing.length === 0) return
    const names = path.split('/').slice(0, -missing.length)
    const above = names.join('/')
    if (this.statOf(this.parts.roots.diskPath(above)) !== undefined) await this.take([above])
  }

  /**
   * @param quietMs how long nobody has to have written to it
   * @returns undefined: it is as the records say; 'later': it cannot be said yet
   */
  private async look(path: string, quietMs: number): Promise<Found | 'later' | undefined> {
    const { parts } = this
    if (parts.isPending(path)) return 'later'
    const disk = parts.roots.diskPath(path)
    const stat = this.statOf(disk)
    // In a folder that may not be entered: it is as the records say for all that anybody knows.
    if (stat === 'shut') return undefined
    const place = parts.resolve(path)
    const { entry } = place
    if (stat === undefined || stat.kind === 'link' || stat.kind === 'other') {
      if (entry === undefined) return undefined
      return { path, disk, stat, change: { kind: 'gone', path } }
    }
    if (stat.kind === 'folder') {
      if (entry?.kind === 'folder') return undefined
      return { path, disk, stat, change: { kind: 'folder', path } }
    }
    const row = parts.rowAt(place)
    if (isInStep(row, entry, stat) && row?.young === undefined) return undefined
    const isEmptied = stat.size === 0 && entry?.kind === 'file' && entry.size > 0
    if (quietMs > 0 && !(await this.isQuiet(disk, stat, isEmptied, quietMs))) return 'later'
    try {
      return await this.lookInto(path, disk, stat, quietMs)
    } catch (error) {
      // It went while it was looked at, or may not be read: then nobody can say more of it than its state.
      if (isGone(error)) return 'later'
      if (isShut(error)) return this.unread(path, disk, stat)
      throw error
    }
  }

  private statOf(disk: string): FileStat | undefined | 'shut' {
    try {
      return this.parts.fs.lstat(disk)
    } catch (error) {
      if (isShut(error)) return 'shut'
      throw error
    }
  }

  private async lookInto(
    path: string,
    disk: string,
    stat: FileStat,
    quietMs: number,
  ): Promise<Found | 'later'> {
    const { parts } = this
    const place = parts.resolve(path)
    const entry = place.entry?.kind === 'file' ? place.entry : undefined
    const row = parts.rowAt(place)
    const isTouched =
      row !== undefined && row.version === entry?.version && isSameContent(row.stamp, stampOf(stat))
    if (row === undefined && isAsScanned(entry, stat)) {
      return { path, disk, stat, change: undefined, isSame: true }
    }
    // Names or permissions changed, not the content.
    if (isTouched && (row.young === undefined || entry?.sha256 === '')) {
      return { path, disk, stat, change: undefined, isSame: true }
    }
    if (!isToBeKept(parts, path, stat.size)) {
      if (entry !== undefined && entry.sha256 !== '' && entry.size === stat.size) {
        const isSame = (await hashOf(parts, disk)) === entry.sha256
        if (isSame) return { path, disk, stat, change: undefined, isSame }
      }
      return this.unread(path, disk, stat)
    }
    const read = await readWhole(parts, disk)
    // Another state than the one that was found quiet may be half written, however still it lies.
    const isOther = quietMs > 0 && stampOf(read.stat) !== stampOf(stat)
    if (!read.isStable || isOther) return 'later'
    if (read.content.sha256 === entry?.sha256) {
      return { path, disk, stat: read.stat, change: undefined, isSame: true }
    }
    const change = fileChange(path, read.content, read.stat)
    return { path, disk, stat: read.stat, change, attachment: read.attachment }
  }

  private unread(path: string, disk: string, stat: FileStat): Found {
    const { size } = stat
    return { path, disk, stat, change: fileChange(path, { sha256: '', size }, stat) }
  }

  /**
   * Whether whoever wrote last is likely to be done: a file that was changed an instant ago may be half
   * written, or emptied to be written anew. Of one that was emptied the time says nothing: ext4 sets the
   * size first, and the time when all is done.
   */
  private async isQuiet(
    disk: string,
    stat: FileStat,
    isEmptied: boolean,
    quietMs: number,
  ): Promise<boolean> {
    const { parts } = this
    for (let waited = 0; waited < QUIET_MOST_MS; waited += QUIET_STEP_MS) {
      const changedAt = Number(stat.modifiedNs / 1_000_000n)
      const age = parts.now() - changedAt
      // One that was put in place whole, by a rename, is done.
      const isOld = age >= quietMs || age < -QUIET_MS
      if (isOld && (!isEmptied || waited >= QUIET_MS)) return true
      await parts.pause(QUIET_STEP_MS)
      const now = parts.fs.lstat(disk)
      if (now === undefined || stampOf(now) !== stampOf(stat)) return false
    }
    return true
  }

  /** Decides what was found, and gives back the paths that have moved on since. */
  private record(found: readonly Found[], message: string | undefined): string[] {
    const { parts } = this
    const { fs, context } = parts
    const again: string[] = []
    const asFound = found.filter(({ path, disk, stat }) => {
      const now = fs.lstat(disk)
      const isStanding = now === undefined ? stat === undefined : isSameNow(now, stat)
      if (isStanding && !parts.isPending(path)) return true
      again.push(path)
      return false
    })
    // Of a root that is missing nothing can be said: least of all that its files are gone.
    const missing = asFound.length === 0 ? [] : parts.presence.missing()
    const standing = asFound.filter(({ disk }) => !missing.some((root) => isWithin(root, disk)))
    const changes = this.withMoves(standing)
    if (changes.length > 0) {
      const attachments = standing.flatMap(({ attachment }) => attachment ?? [])
      context.decider.run({ kind: 'take-in', changes, message }, attachments)
    }
    for (const { path, stat } of standing) {
      const place = parts.resolve(path)
      if (stat === undefined) parts.stamps.remove(place.folder, place.name)
      else if (stat.kind === 'folder') parts.noteFolder(path, stat)
      else if (place.entry?.kind === 'file') {
        parts.noteInStep(path, place.folder, place.name, place.entry.version, stat)
      }
    }
    return again
  }

  /** What has gone from one name and stands under another has moved: its history goes with it. */
  private withMoves(found: readonly Found[]): OutsideChange[] {
    const { parts } = this
    const moves: OutsideChange[] = []
    const moved = new Set<string>()
    for (const { path, stat, change } of found) {
      if (stat === undefined || change === undefined || change.kind === 'gone') continue
      const before = parts.places.get(identityOf(stat))
      if (before === undefined || before === path || parts.resolve(path).entry !== undefined)
        continue
      const entry = parts.resolve(before).entry
      if (entry?.kind !== stat.kind || moved.has(before)) continue
      const there = parts.fs.lstat(parts.roots.diskPath(before))
      // A name that is there again keeps its history: an editor has put the old file aside.
      if (there !== undefined) continue
      if (parts.isPending(before)) continue
      moved.add(before)
      moves.push({ kind: 'moved', path: before, to: path })
      const from = parts.resolve(before)
      const row = parts.rowAt(from)
      if (stat.kind === 'folder') parts.movePlaces(before, path)
      parts.stamps.remove(from.folder, from.name)
      // As it was under its other name: what was changed besides is recorded with it.
      const isSame =
        row !== undefined &&
        entry.kind === 'file' &&
        row.version === entry.version &&
        isSameContent(row.stamp, stampOf(stat))
      if (isSame) moved.add(path)
    }
    const rest = found.flatMap(({ path, change }) =>
      change === undefined || moved.has(path) ? [] : [change],
    )
    return [...moves, ...rest]
  }
}

/** As large as one commit should be, for the ledger's sake and that of others. */
function batchesOf(found: readonly Found[]): Found[][] {
  const batches: Found[][] = [[]]
  let bytes = 0
  for (const one of found) {
    const batch = batches.at(-1) as Found[]
    bytes += one.attachment?.bytes.length ?? 0
    if (batch.length < CHANGES_A_COMMIT && bytes <= BYTES_A_COMMIT) {
      batch.push(one)
    } else {
      batches.push([one])
      bytes = one.attachment?.bytes.length ?? 0
    }
  }
  return batches
}

/** A file that is written all the time is taken in all the same: after a second, as it is in between. */
function quietAfter(waitedMs: number): number {
  if (waitedMs < QUIET_MOST_MS) return QUIET_MS
  return waitedMs < 2 * QUIET_MOST_MS ? QUIET_STEP_MS : 0
}

function fileChange(path: string, content: ContentFacts, stat: FileStat): OutsideChange {
  return { kind: 'file', path, content, modifiedAt: Math.trunc(stat.modifiedAt) }
}

function isSameNow(now: FileStat, then: FileStat | undefined): boolean {
  if (then === undefined || now.kind !== then.kind) return false
  return now.kind === 'file' ? stampOf(now) === stampOf(then) : identityOf(now) === identityOf(then)
}

/** A path that is written without pause is given up for now after so many looks. */
const TRIES = 200
const AGAIN_MS = 5
const MOST_MS = 50
/** A file that was not written to for so long is taken to be whole. */
const QUIET_MS = 50
const QUIET_STEP_MS = 10
const QUIET_MOST_MS = 1000
const CHANGES_A_COMMIT = Math.min(1000, LIMITS.commitChanges)
const BYTES_A_COMMIT = 8 * 1024 * 1024
