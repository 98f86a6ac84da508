import { isWithin, parentPath } from '../contract/path.ts'
import { codeOf } from '../store/file-system.ts'
import type { Parts } from './parts.ts'
import { isNameable } from './scan.ts'
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
    log(message: string, error: unknown): void
  }
  private readonly watches = new Map<string, () => void>()
  private heard = new Set<string>()
  private firstHeardAt = 0
  private stopTimer: () => void = () => {}
  private stopRescan: () => void = () => {}
  private isWorking = false
  private isClosed = false
  private working: Promise<void> = Promise.resolve()
  private fault: string | undefined
  private rescanMs = RESCAN_LEAST_MS

  constructor(parts: Parts, found: Watching['found']) {
    this.parts = parts
    this.found = found
  }

  get report(): WatchReport {
    const { fault } = this
    return { watched: this.watches.size, ...(fault === undefined ? {} : { fault }) }
  }

  /** Watches a folder from now on. */
  add(path: string): void {
    if (this.isClosed || this.watches.has(path)) return
    try {
      const stop = this.parts.fs.watch(this.parts.roots.diskPath(path), (name) => {
        this.hear(name === undefined ? path : path === '/' ? `/${name}` : `${path}/${name}`)
      })
      this.watches.set(path, stop)
    } catch (error) {
      const code = codeOf(error)
      if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return
      this.fail(code === undefined ? String(error) : (FAULTS[code] ?? code))
    }
  }

  private fail(fault: string): void {
    if (this.fault !== undefined) return
    this.fault = fault
    this.found.log(
      `The folder cannot be watched: ${fault}. It is looked through by time.`,
      undefined,
    )
    this.rescanLater()
  }

  private rescanLater(): void {
    this.stopRescan = this.parts.context.clock.after(this.rescanMs, () => {
      const begun = performance.now()
      void this.found.rescan(this.parts.roots.tops).then(() => {
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
    if (this.heard.size === 0) this.firstHeardAt = clock.now()
    this.heard.add(path)
    if (this.isWorking) return
    // What belongs together comes together: until it is quiet, and for a second at most.
    const waited = clock.now() - this.firstHeardAt
    this.stopTimer()
    this.stopTimer = clock.after(Math.max(0, Math.min(QUIET_MS, TOGETHER_MS - waited)), () => {
      this.isWorking = true
      this.working = this.work().finally(() => {
        this.isWorking = false
        const [next] = this.heard
        if (next !== undefined) this.hear(next)
      })
    })
  }

  private async work(): Promise<void> {
    const { parts } = this
    const { fs, roots, tracked } = parts
    const heard = this.heard
    this.heard = new Set()
    const changed: string[] = []
    const gone: string[] = []
    const entered: string[] = []
    for (const path of heard) {
      if (!isNameable(path)) continue
      if (isPatternFile(path)) {
        tracked.forget()
        entered.push(parentPath(path))
      }
      const stat = fs.lstat(roots.diskPath(path))
      const place = parts.resolve(path)
      const isFolder = stat === undefined ? place.entry?.kind === 'folder' : stat.kind === 'folder'
      if (!tracked.has(path, isFolder)) continue
      if (stat?.kind === 'folder') {
        const isKnown = this.watches.has(path) && parts.places.get(identityOf(stat)) === path
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
    const folders = entered.filter(
      (path) => !entered.some((one) => one !== path && isWithin(one, path)),
    )
    if (folders.length > 0) await this.found.rescan(folders)
    if (gone.length > 0) await this.found.changed(gone)
  }

  /** What went from here is watched under the name that it has now. */
  private forget(path: string): void {
    if (!this.watches.has(path)) return
    for (const [watched, stop] of this.watches) {
      if (!isWithin(path, watched)) continue
      stop()
      this.watches.delete(watched)
    }
  }

  async close(): Promise<void> {
    this.isClosed = true
    this.stopTimer()
    this.stopRescan()
    for (const stop of this.watches.values()) stop()
    this.watches.clear()
    await this.working
  }
}

const FAULTS: Readonly<Record<string, string>> = {
  ENOSPC:
    'the system gives this user no more watches (raise fs.inotify.max_user_watches with sysctl)',
  EMFILE:
    'the system gives this user no more watchers (raise fs.inotify.max_user_instances with sysctl)',
  ENOSYS: 'this system cannot watch folders',
}

/** A batch of changes is taken in when nothing more came for so long, in ms. */
const QUIET_MS = 50
const TOGETHER_MS = 1000
const RESCAN_LEAST_MS = 5000
const RESCAN_MOST_MS = 60_000
