import { SluiceError } from '../contract/errors.ts'
import { LIMITS } from '../contract/limits.ts'
import { foldPath } from '../contract/path.ts'
import type { FileEntry } from '../core/file/entry.ts'
import type { Content } from '../engine/api.ts'
import type { Child, DiskFacts } from '../engine/working-tree.ts'
import type { FileStat } from '../store/file-system.ts'
import { compareKeys } from '../store/tables.ts'
import { isGone, refusedByDisk } from './disk-refusal.ts'
import { readNow } from './keeping.ts'
import { isNameable } from './nameable.ts'
import { isBeside, OWN_FOLDER } from './own-name.ts'
import type { Parts } from './parts.ts'
import { isInStep, stampOf } from './stamps.ts'

/** What there is on the disk, beside what the records say of it. */
export class DiskView {
  private readonly parts: Parts

  constructor(parts: Parts) {
    this.parts = parts
  }

  /**
   * Of a file whose content is not kept. A small one is read in this turn, in which it was just found to be
   * in step: what it would be once all that was seen is stored, some ms later, may be another version.
   */
  contentOf(path: string, entry: FileEntry): Content {
    const { parts } = this
    const disk = parts.roots.diskPath(path)
    const { size } = entry
    const row = parts.rowAt(parts.resolve(path))
    const assertSame = (stat: FileStat): void => {
      if (row !== undefined && stampOf(stat) !== row.stamp) throw changedMeanwhile(path)
    }
    if (size <= LIMITS.smallContentBytes) {
      const { content, attachment, stat, isStable } = whileThere(parts, path, () =>
        readNow(parts, disk),
      )
      assertSame(stat)
      if (!isStable || attachment === undefined || content.size !== size)
        throw changedMeanwhile(path)
      const { bytes } = attachment
      return {
        size,
        sha256: '',
        bytes,
        async *stream(start = 0, end = size) {
          if (start < end) yield bytes.subarray(start, end)
        },
      }
    }
    return {
      size,
      sha256: '',
      async *stream(start = 0, end = size) {
        const file = whileThere(parts, path, () => parts.fs.open(disk))
        try {
          assertSame(file.stat())
          yield* file.stream(start, end)
          assertSame(file.stat())
        } finally {
          file.close()
        }
      },
    }
  }

  childrenOf(path: string): readonly Child[] {
    try {
      return this.childrenIn(path)
    } catch (error) {
      throw refusedByDisk(path, error)
    }
  }

  private childrenIn(path: string): readonly Child[] {
    const { parts } = this
    const { fs, portable } = parts
    const disk = parts.roots.diskPath(path)
    if (fs.lstat(disk)?.kind !== 'folder') {
      parts.presence.assertAt(path)
      return []
    }
    const { entry: folder } = parts.resolve(path)
    const id = folder?.kind === 'folder' ? folder.id : undefined
    const isTop = parts.roots.tops.includes(path)
    const children: Child[] = []
    for (const { name, kind } of fs.list(disk)) {
      if (!isNameable(name) || (isTop && name === OWN_FOLDER) || isBeside(name)) continue
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
    // Nothing is what is left of a disk that is gone.
    if (isTop || children.length === 0) parts.presence.assertAt(path)
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
}

/** What has gone since it was looked at has changed as well. */
function whileThere<T>({ presence }: Parts, path: string, look: () => T): T {
  try {
    return look()
  } catch (error) {
    presence.assertAt(path)
    if (isGone(error)) throw changedMeanwhile(path)
    throw refusedByDisk(path, error)
  }
}

function changedMeanwhile(path: string): SluiceError {
  return SluiceError.of({
    code: 'stale_version',
    detail: `${path} was changed from outside while it was read. Read it again.`,
    data: { path },
  })
}
