import type { FileEntry } from '../core/file/entry.ts'
import { codeOf, type FileStat } from '../store/file-system.ts'
import { isKept, isToBeKept, keep, readWhole } from './keeping.ts'
import { isNameable } from './nameable.ts'
import type { Parts } from './parts.ts'
import { isSameContent, stampOf } from './stamps.ts'

/** A file that was replaced or deleted, under its last name. */
interface Held {
  held: string
  /** As the records have it; undefined: they do not. */
  stat: FileStat | undefined
  path: string
  /** Whose commit it was. */
  session: string
  isDeleted?: boolean
  /** Another state, of the last look: it is taken for whole once it is seen twice. */
  changing?: FileStat
}

/** A folder that was deleted, with all in it. */
export interface HeldFolder {
  /** Where it was. */
  path: string
  /** Its number. */
  id: number
}

/**
 * What a commit replaced is watched a while longer: a program that had it open may still write to it
 * (folder §7). What it wrote becomes a version of its own, and the file stays as the commit made it.
 */
export class LateWriters {
  private readonly parts: Parts
  private readonly holding = new Set<Held & { until: number }>()
  private readonly folders = new Map<string, HeldFolder & { until: number }>()
  private isLooking = false
  private stop: () => void = () => {}
  private isClosed = false

  constructor(parts: Parts) {
    this.parts = parts
  }

  hold(held: Held): void {
    const { context } = this.parts
    // What would be more than a few is let go of early: they hold disk space.
    const [oldest] = this.holding
    if (this.holding.size >= HELD_MOST && oldest !== undefined) {
      this.holding.delete(oldest)
      this.lookAt(oldest, true)
        .then(() => this.letGo(oldest))
        .catch((error: unknown) => this.parts.log('looking at what was replaced', error))
    }
    this.holding.add({ ...held, until: context.clock.now() + HELD_MS })
    this.lookLater()
  }

  holdFolder(held: string, folder: HeldFolder): void {
    this.folders.set(held, { ...folder, until: this.parts.context.clock.now() + HELD_MS })
    this.lookLater()
  }

  private lookLater(): void {
    if (this.isLooking || this.isClosed) return
    this.isLooking = true
    this.stop = this.parts.context.clock.after(LOOK_MS, () => {
      this.look()
        .catch((error: unknown) => this.parts.log('looking at what was replaced', error))
        .finally(() => {
          this.isLooking = false
          if (this.holding.size > 0 || this.folders.size > 0) this.lookLater()
        })
    })
  }

  private async look(): Promise<void> {
    const { context, presence } = this.parts
    // What was held is held still, once the folder is back.
    if (presence.missing().length > 0) return
    const now = context.clock.now()
    for (const one of [...this.holding]) {
      await this.lookAt(one)
      if (now >= one.until) this.letGo(one)
    }
    for (const [held, folder] of [...this.folders]) {
      if (now >= folder.until) await this.letGoFolder(held, folder)
    }
  }

  private async lookAt(one: Held & { until: number }, isLast = false): Promise<void> {
    const { parts } = this
    const { fs, context } = parts
    const stat = fs.lstat(one.held)
    if (stat?.kind !== 'file') return
    if (one.stat !== undefined && isSameState(stat, one.stat)) return
    if (parts.isPending(one.path)) return
    one.until = context.clock.now() + HELD_MS
    // Whoever has it open may be in the middle of a write.
    if (!isLast && (one.changing === undefined || !isSameState(stat, one.changing))) {
      one.changing = stat
      return
    }
    one.stat = stat
    if (!isToBeKept(parts, one.path, stat.size)) return
    const read = await readWhole(parts, one.held).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return undefined
      throw error
    })
    if (read !== undefined) recordBeside(parts, one.path, read, one.session)
  }

  private letGo(one: Held & { until: number }): void {
    this.holding.delete(one)
    try {
      this.parts.fs.remove(one.held)
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error
    }
  }

  /** A last look, and nothing of ours is left. */
  async close(): Promise<void> {
    this.isClosed = true
    this.stop()
    // The next start looks at it.
    if (this.parts.presence.missing().length > 0) return
    for (const one of [...this.holding]) {
      await this.lookAt(one, true)
      this.letGo(one)
    }
    for (const [held, folder] of [...this.folders]) await this.letGoFolder(held, folder)
  }

  private async letGoFolder(held: string, folder: HeldFolder): Promise<void> {
    this.folders.delete(held)
    await keepTree(this.parts, held, folder)
    await this.parts.fs.removeTree(held)
  }
}

function isSameState(one: FileStat, other: FileStat): boolean {
  return isSameContent(stampOf(one), stampOf(other))
}

/**
 * What was deleted with a folder and nobody had asked for is kept before it goes; so is what somebody
 * outside had put there an instant before.
 */
export async function keepTree(
  parts: Parts,
  disk: string,
  { path, id }: HeldFolder,
): Promise<void> {
  for (const { name, kind } of parts.fs.list(disk)) {
    const child = { path: `${path}/${name}`, disk: `${disk}/${name}` }
    if (!isNameable(name) || !parts.tracked.has(child.path, kind === 'folder')) continue
    const entry = parts.entryAt(id, name)
    if (kind === 'folder') {
      const known = entry?.kind === 'folder' ? entry.id : NOBODYS
      await keepTree(parts, child.disk, { path: child.path, id: known })
    } else if (kind === 'file') {
      await keepChild(parts, child, id, entry?.kind === 'file' ? entry : undefined)
    }
  }
}

async function keepChild(
  parts: Parts,
  { path, disk }: { path: string; disk: string },
  folder: number,
  entry: FileEntry | undefined,
): Promise<void> {
  const stat = parts.fs.lstat(disk)
  if (stat?.kind !== 'file' || !isKept(parts, stat.size)) return
  const row = entry === undefined ? undefined : parts.stamps.get(folder, entry.name)
  const isSame = row !== undefined && isSameContent(row.stamp, stampOf(stat))
  if (isSame && entry?.sha256 !== '') return
  const read = await readWhole(parts, disk)
  if (entry?.sha256 === '' && (isSame || row === undefined)) {
    const { name, id, version } = entry
    keep(parts, { path, folder, name, id, version }, read)
  } else if (read.content.sha256 !== entry?.sha256) {
    recordBeside(parts, path, read, undefined)
  }
}

/** The number of no folder. */
const NOBODYS = 0

/** A version that comes into the history and is not what stands: what stands comes right after it. */
export function recordBeside(
  parts: Parts,
  path: string,
  read: Awaited<ReturnType<typeof readWhole>>,
  session: string | undefined,
): void {
  const { context } = parts
  const { entry, folder, name } = parts.resolve(path)
  const { content, attachment, stat } = read
  const modifiedAt = Math.trunc(stat.modifiedAt)
  const attachments = attachment === undefined ? [] : [attachment]
  const message = 'Written to the file after it was replaced, by a program that still had it open'
  const change = { kind: 'file', path, content, modifiedAt } as const
  if (entry?.kind === 'file' && entry.sha256 === content.sha256) return
  const { events } = context.decider.run(
    { kind: 'take-in', changes: [change], message },
    attachments,
  )
  const [taken] = events
  if (taken === undefined) return
  if (entry === undefined) {
    context.decider.run({ kind: 'take-in', changes: [{ kind: 'gone', path }], message: STANDS })
  } else if (entry.kind === 'file') {
    const { sha256, size } = entry
    const again = { ...change, content: { sha256, size }, modifiedAt: entry.modifiedAt }
    context.decider.run({ kind: 'take-in', changes: [again], message: STANDS })
    const now = parts.fs.lstat(parts.roots.diskPath(path))
    const row = parts.stamps.get(folder, name)
    const standing = parts.entryAt(folder, name)
    if (now !== undefined && row?.version === entry.version && standing?.kind === 'file') {
      parts.stamps.put(folder, name, { ...row, version: standing.version })
    }
  }
  if (session === undefined) return
  parts.tell(
    session,
    `A program that still had ${path} open wrote to it after you had replaced it. What it wrote is ` +
      `version ${taken.revision}; your version stands again after it. Read both and merge if it matters.`,
    [path],
  )
}

const STANDS = 'What stands in the folder'
const LOOK_MS = 500
/** How long after its replacement a file is watched, in ms: each write makes it longer. */
const HELD_MS = 10_000
const HELD_MOST = 1000
