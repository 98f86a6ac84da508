import type { FileChange } from '../../src/contract/events.ts'
import { contains } from './leaf.ts'

/** A file, or what is left of one that was deleted. */
interface File {
  version: number
  size: number
  isThere: boolean
  /** The session that gave the whole content of this version. */
  writer: string | undefined
}

/** The files of a workspace by their names; of empty folders nothing is known. */
export class Files {
  private readonly byPath = new Map<string, File>()

  versionOf(path: string): number {
    const file = this.byPath.get(path)
    return file?.isThere === true ? file.version : 0
  }

  /** The version that a write is based on: one that was deleted counts. */
  baseOf(path: string): number {
    return this.byPath.get(path)?.version ?? 0
  }

  sizeOf(path: string): number {
    const file = this.byPath.get(path)
    return file?.isThere === true ? file.size : 0
  }

  /** Something is in it. */
  isFolder(path: string): boolean {
    return [...this.byPath].some(([name, { isThere }]) => isThere && contains(path, name))
  }

  /** Something is in it, or was. */
  wasFolder(path: string): boolean {
    return [...this.byPath.keys()].some((name) => contains(path, name))
  }

  /** Who knows all of the newest version, because it wrote it whole. */
  writerOf(path: string): string | undefined {
    return this.byPath.get(path)?.writer
  }

  fold(change: FileChange, version: number, session: string): void {
    const { path } = change
    if (change.op === 'write') {
      const writer = change.how === 'write' ? session : undefined
      this.byPath.set(path, { version, size: change.size, isThere: true, writer })
    }
    if (change.op === 'delete') this.deleted(path, version)
    if (change.op === 'move') this.moved(path, change.to)
  }

  private deleted(top: string, version: number): void {
    for (const [path, file] of this.byPath) {
      if (path === top || contains(top, path)) {
        this.byPath.set(path, { ...file, version, isThere: false })
      }
    }
  }

  private moved(from: string, to: string): void {
    for (const [path, file] of [...this.byPath]) {
      if (path !== from && !contains(from, path)) continue
      this.byPath.delete(path)
      if (file.isThere) this.byPath.set(to + path.slice(from.length), file)
    }
  }
}
