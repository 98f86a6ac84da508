import type { Event } from '../contract/events.ts'
import { childPath } from '../contract/path.ts'
import { type Entry, folderRange } from '../core/file/entry.ts'
import { MODE } from '../core/lock/mode.ts'
import type { Parts } from './parts.ts'
import { isInStep, rowOf } from './stamps.ts'

/**
 * `guard: "mode"` (folder §12): while a write or exclusive lock covers a file, nobody has the write bit,
 * so that programs of the same user fail instead of writing past the lock. Commits do not need it: they
 * rename.
 *
 * What the bits were is on stable storage before they are taken away, so that they are given back after
 * a crash as well.
 */
export class GuardMode {
  private readonly parts: Parts
  /** What the bits were, by path. */
  private readonly guarded = new Map<string, number>()
  private updating: Promise<void> | undefined
  private isAsked = false

  constructor(parts: Parts) {
    this.parts = parts
  }

  /** Gives back what a server that was killed had taken. */
  async open(): Promise<void> {
    for (const { path } of this.parts.ownFolders) {
      const note = `${path}/${NOTE}`
      if (this.parts.fs.lstat(note) === undefined) continue
      const file = this.parts.fs.open(note)
      try {
        const text = Buffer.from(file.readAll()).toString('utf8')
        for (const [guarded, mode] of JSON.parse(text) as [string, number][]) {
          this.setMode(guarded, mode)
        }
      } finally {
        file.close()
      }
      this.parts.fs.remove(note)
    }
    await this.follow([])
  }

  /** Facts that may have changed what is covered. */
  async follow(events: readonly Event[]): Promise<void> {
    const isOn = this.parts.state.settings.guard === 'mode'
    if (!isOn && this.guarded.size === 0) return
    if (events.length > 0 && !events.some(({ kind }) => CHANGING.test(kind))) return
    this.isAsked = true
    this.updating ??= this.update().finally(() => {
      this.updating = undefined
    })
    await this.updating
  }

  /** What there is nothing of now is caught up with when the folder is back. */
  private async update(): Promise<void> {
    if (this.parts.presence.missing().length > 0) return
    while (this.isAsked) {
      this.isAsked = false
      const wanted = this.parts.state.settings.guard === 'mode' ? this.covered() : new Set<string>()
      const added = new Map<string, number>()
      for (const path of wanted) {
        if (this.guarded.has(path)) continue
        const stat = this.parts.fs.lstat(this.parts.roots.diskPath(path))
        if (stat?.kind === 'file' && (stat.mode & WRITE_BITS) !== 0) added.set(path, stat.mode)
      }
      const over = [...this.guarded].filter(([path]) => !wanted.has(path))
      if (added.size > 0) {
        for (const [path, mode] of added) this.guarded.set(path, mode)
        await this.note()
        for (const [path, mode] of added) this.setMode(path, mode & ~WRITE_BITS)
      }
      for (const [path, mode] of over) {
        this.setMode(path, mode)
        this.guarded.delete(path)
      }
      if (over.length > 0) await this.note()
    }
  }

  /** Files that somebody holds for writing. */
  private covered(): Set<string> {
    const { parts } = this
    const found = new Set<string>()
    for (const { items, closedUntil } of parts.state.locks.locks.values()) {
      if (closedUntil !== undefined) continue
      for (const { path, mode, key } of items) {
        if ((mode === MODE.W || mode === MODE.X) && key === undefined) this.addAll(path, found)
      }
    }
    return found
  }

  private addAll(path: string, found: Set<string>): void {
    if (found.size >= GUARDED_MOST) return
    const { entry } = this.parts.resolve(path)
    if (entry?.kind === 'file') found.add(path)
    if (entry?.kind !== 'folder') return
    const [from, to] = folderRange(entry.id)
    for (const [, value] of this.parts.state.records.range('entry', from, to, GUARDED_MOST)) {
      const child = value as Entry
      if (child.kind === 'gone') continue
      this.addAll(childPath(path, child.name), found)
    }
  }

  /** Of a file that is still there; another state is not another content. */
  private setMode(path: string, mode: number): void {
    const { parts } = this
    const disk = parts.roots.diskPath(path)
    const before = parts.fs.lstat(disk)
    if (before?.kind !== 'file' || before.mode === mode) return
    const place = parts.resolve(path)
    const row = parts.rowAt(place)
    const isKnown = isInStep(row, place.entry, before)
    parts.fs.changeMode(disk, mode)
    const after = parts.fs.lstat(disk)
    if (!isKnown || row === undefined || after === undefined) return
    parts.stamps.put(place.folder, place.name, {
      ...rowOf(row.version, after, parts.now()),
      ...(row.young === undefined ? {} : { young: true as const }),
    })
  }

  private async note(): Promise<void> {
    const { fs } = this.parts
    const [own] = this.parts.ownFolders
    if (own === undefined) return
    const draft = own.newName(`${own.path}/${NOTE}`)
    fs.create(draft, Buffer.from(JSON.stringify([...this.guarded])), 0o600)
    await fs.sync(draft)
    fs.rename(draft, `${own.path}/${NOTE}`)
  }

  /** Everybody has what they had. */
  async close(): Promise<void> {
    await this.updating
    if (this.guarded.size === 0 || this.parts.presence.missing().length > 0) return
    for (const [path, mode] of this.guarded) this.setMode(path, mode)
    this.guarded.clear()
    await this.note()
  }
}

const NOTE = 'guarded.json'
const CHANGING = /^(lock-|files-committed|workspace-set|session-ended)/
const WRITE_BITS = 0o222
/** Files at most whose bits are taken away; a lock of a huge folder guards no more than these. */
const GUARDED_MOST = 10_000
