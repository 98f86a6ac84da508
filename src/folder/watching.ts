import { childPath, isWithin, parentPath } from '../contract/path.ts'
import { codeOf, type FileStat } from '../store/file-system.ts'
import { isShut } from './disk-refusal.ts'
import { isNameable } from './nameable.ts'
import type { Parts } from './parts.ts'
import { identityOf, isInStep } from './stamps.ts'
import { isPatternFile } from './tracked.ts'

export interface WatchReport {
  /** Folders that are watched. */
  watched: number
  /** Why watching does not work; absent while it does. */
  fault?: string
}

/**
 * Hears of changes from outside (folder §10): one watch for each tracked folder, so that what is
 * untracked costs nothing. What the system tells is only a hint where to look. Where it cannot watch,
 * all that is tracked is looked through by time.
 */
export class Watching {
  private readonly parts: Parts
  private readonly found: {
    changed(paths: readonly string[]): Promise<void>
    rescan(paths: readonly string[]): Promise<void>
  }
  /** By path, with the identity of the folder: another one that has the path by now is not watched by it. */
  private readonly watches = new Map<string, { identity: string; stop: () => void }>()
  private heard = new Set<string>()
  private firstHeardAt = 0
  private stopTimer: () => void = () => {}
  private stopRescan: () => void = () => {}
  private isWorking = false
  private isClosed = false
  private working: Promise<void> = Promise.resolve()
  private fault: string | undefined
  private rescanMs = RESCAN_LEAST_MS
  private burst = 0
  private hasOverflown = false
  /** Folders of which events may have been dropped. */
  private readonly lost = new Set<string>()

  constructor(parts: Parts, found: Watching['found']) {
    this.parts = parts
    this.found = found
  }

  get report(): WatchReport {
    const fault = this.fault ?? (this.hasOverflown ? OVERFLOWN : undefined)
    return { watched: this.watches.size, ...(fault === undefined ? {} : { fault }) }
  }

  /** Watches a folder from now on. */
  add(path: string): void {
    const { fs, roots } = this.parts
    // One watch for all below it, where the system has that.
    if (this.isClosed || (fs.watchesTrees && !roots.tops.includes(path))) return
    const disk = roots.diskPath(path)
    const stat = fs.lstat(disk)
    if (stat === undefined || this.isWatched(path, stat)) return
    this.forget(path)
    try {
      const stop = fs.watch(disk, (name) => {
        this.hear(name === undefined ? path : childPath(path, name))
      })
      this.watches.set(path, { identity: identityOf(stat), stop })
    } catch (error) {
      const code = codeOf(error)
      if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return
      this.fail(code === undefined ? String(error) : (FAULTS[code] ?? code))
    }
  }

  /** After the folder was away: watches may have ended with its disk. */
  forgetAll(): void {
    for (const { stop } of this.watches.values()) stop()
    this.watches.clear()
  }

  private isWatched(path: string, stat: FileStat): boolean {
    return this.watches.get(path)?.identity === identityOf(stat)
  }

  private fail(fault: string): void {
    if (this.fault !== undefined) return
    this.fault = fault
    this.parts.log(
      `The folder cannot be watched: ${fault}. It is looked through by time.`,
      undefined,
    )
    this.rescanLater()
  }

  private rescanLater(): void {
    this.stopRescan = this.parts.context.clock.after(this.rescanMs, () => {
      const begun = performance.now()
      this.found
        .rescan(this.parts.roots.tops)
        .catch((error: unknown) => this.parts.log('looking through the folder', error))
        .finally(() => {
          if (this.isClosed) return
          // A tenth of the time at most goes into looking.
          const took = performance.now() - begun
          this.rescanMs = Math.min(RESCAN_MOST_MS, Math.max(RESCAN_LEAST_MS, took * 10))
          this.rescanLater()
        })
    })
  }

  private hear(path: string): void {
    if (this.isClosed) return
    const { clock } = this.parts.context
    this.countBurst()
    if (this.heard.size === 0) this.firstHeardAt = clock.now()
    this.heard.add(path)
    if (this.isWorking) return
    // What belongs together comes together: until it is quiet, and for a second at most.
    const waited = clock.now() - this.firstHeardAt
    this.stopTimer()
    this.stopTimer = clock.after(Math.max(0, Math.min(QUIET_MS, TOGETHER_MS - waited)), () => {
      this.isWorking = true
      this.working = this.work()
        .catch((error: unknown) => this.parts.log('looking at what has changed', error))
        .finally(() => {
          this.isWorking = false
          const [next] = this.heard
          if (next !== undefined) this.hear(next)
        })
    })
  }

  /**
   * The system keeps so many events and drops the rest, and nobody tells: but what it kept is told in
   * one turn. So many at once may not be all.
   */
  private countBurst(): void {
    if (this.burst === 0) {
      this.parts.context.clock.soon(() => {
        this.burst = 0
      })
    }
    this.burst += 1
    if (this.burst !== BURST) return
    if (!this.hasOverflown) this.parts.log(OVERFLOWN, undefined)
    this.hasOverflown = true
    for (const top of this.parts.roots.tops) this.lost.add(top)
  }

  private async work(): Promise<void> {
    const { parts } = this
    const { fs, roots, tracked } = parts
    const heard = this.heard
    this.heard = new Set()
    // All is looked through when it is back.
    if (parts.presence.missing().length === roots.paths.length) return
    const changed: string[] = []
    const gone: string[] = []
    const entered: string[] = []
    for (const path of heard) {
      if (!isNameable(path)) continue
      if (isPatternFile(path)) {
        tracked.forget()
        entered.push(parentPath(path))
      }
      const stat = seen(() => fs.lstat(roots.diskPath(path)))
      if (stat === 'shut') continue
      const place = parts.resolve(path)
      const isFolder = stat === undefined ? place.entry?.kind === 'folder' : stat.kind === 'folder'
      if (!tracked.has(path, isFolder)) continue
      if (stat?.kind === 'folder') {
        const isWatched = fs.watchesTrees || this.isWatched(path, stat)
        const isKnown = isWatched && parts.places.get(identityOf(stat)) === path
        if (!isKnown) entered.push(path)
        if (place.entry?.kind !== 'folder') changed.push(path)
      } else if (stat?.kind === 'file') {
        const row = parts.rowAt(place)
        if (row?.young !== undefined || !isInStep(row, place.entry, stat)) changed.push(path)
      } else if (place.entry !== undefined) {
        gone.push(path)
      }
      if (stat?.kind !== 'folder' || entered.includes(path)) this.forget(path)
    }
    // What has gone may have moved into a folder that is not known yet.
    if (entered.length === 0) changed.push(...gone.splice(0))
    if (changed.length > 0) await this.found.changed(changed)
    entered.push(...this.lost)
    this.lost.clear()
    const folders = entered.filter(
      (path) => !entered.some((one) => one !== path && isWithin(one, path)),
    )
    if (folders.length > 0) await this.found.rescan(folders)
    if (gone.length > 0) await this.found.changed(gone)
  }

  /** What went from here is watched under the name that it has now. */
  private forget(path: string): void {
    if (!this.watches.has(path)) return
    for (const [watched, { stop }] of this.watches) {
      if (!isWithin(path, watched)) continue
      stop()
      this.watches.delete(watched)
    }
  }

  async close(): Promise<void> {
    this.isClosed = true
    this.stopTimer()
    this.stopRescan()
    this.forgetAll()
    await this.working
  }
}

/** Of a name in a folder that may not be entered nothing can be said. */
function seen<T>(look: () => T): T | 'shut' {
  try {
    return look()
  } catch (error) {
    if (isShut(error)) return 'shut'
    throw error
  }
}

const FAULTS: Readonly<Record<string, string>> = {
  ENOSPC:
    'the system gives this user no more watches (raise fs.inotify.max_user_watches with sysctl)',
  EMFILE:
    'the system gives this user no more watchers (raise fs.inotify.max_user_instances with sysctl)',
  ENOSYS: 'this system cannot watch folders',
}

const OVERFLOWN =
  'More changed at once than the system keeps events of; all was looked through instead (raise ' +
  'fs.inotify.max_queued_events with sysctl if that happens often)'
/** Half of what Linux keeps by default: it is told in two halves at worst. */
const BURST = 8192
/** A batch of changes is taken in when nothing more came for so long, in ms. */
const QUIET_MS = 50
const TOGETHER_MS = 1000
const RESCAN_LEAST_MS = 5000
const RESCAN_MOST_MS = 60_000
