import {
  accessSync,
  type BigIntStats,
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  read as readPart,
  realpathSync,
  renameSync,
  rmdirSync,
  statSync,
  unlinkSync,
  watch,
  writeSync,
} from 'node:fs'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { promisify } from 'node:util'
import {
  codeOf,
  type FileStat,
  type FileSystem,
  type Kind,
  type Listed,
  type OpenFile,
} from '../file-system.ts'
import { linuxCalls } from './linux.ts'

const readInto = promisify(readPart)

/** The file system of this machine. */
export const diskFileSystem: FileSystem = {
  lstat: (path) => orNothing(() => fileStat(lstatSync(path, { bigint: true }))),
  stat: (path) => followed(() => fileStat(statSync(path, { bigint: true }))),
  realPath: (path) => followed(() => realpathSync.native(path)),
  readLink: (path) => readlinkSync(path),
  list(path) {
    return readdirSync(path, { withFileTypes: true }).map(
      (entry): Listed => ({ name: entry.name, kind: kindOf(entry) }),
    )
  },
  open: (path) => new DiskFile(path),
  mayWrite(folder) {
    try {
      accessSync(folder, constants.W_OK)
      return true
    } catch {
      return false
    }
  },
  create(path, content, mode) {
    const file = openSync(path, 'wx', mode)
    try {
      for (let at = 0; at < content.length; ) at += writeSync(file, content, at)
    } finally {
      closeSync(file)
    }
  },
  async createLarge(path, content, mode) {
    const file: FileHandle = await open(path, 'wx', mode)
    try {
      for await (const part of content) await file.writeFile(part)
    } finally {
      await file.close()
    }
  },
  overwrite(path, content) {
    const file = openSync(path, 'r+')
    try {
      // Made shorter only then: from nothing, ext4 would wait for the disk.
      for (let at = 0; at < content.length; ) at += writeSync(file, content, at, undefined, at)
      ftruncateSync(file, content.length)
    } finally {
      closeSync(file)
    }
  },
  bootId() {
    try {
      return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    } catch {
      return undefined
    }
  },
  rare: linuxCalls(),
  link: (path, second) => linkSync(path, second),
  rename: (path, to) => renameSync(path, to),
  remove: (path) => unlinkSync(path),
  makeFolder: (path) => {
    mkdirSync(path)
  },
  removeFolder: (path) => rmdirSync(path),
  removeTree: (path) => rm(path, { recursive: true, force: true }),
  changeMode: (path, mode) => chmodSync(path, mode),
  changeOwner: (path, uid, gid) => chownSync(path, uid, gid),
  // Elsewhere it is made of one watch a file, costs ten times as much and misses what is renamed over.
  watchesTrees: ['darwin', 'win32'].includes(process.platform),
  watch(folder, changed) {
    const options = { persistent: false, recursive: this.watchesTrees }
    const watcher = watch(folder, options, (_, name) => changed(name ?? undefined))
    // The folder is gone: whoever watches the one above hears of it.
    watcher.on('error', () => watcher.close())
    return () => watcher.close()
  },
  async sync(path) {
    const file = await open(path, 'r')
    try {
      await file.sync()
    } finally {
      await file.close()
    }
  },
}

class DiskFile implements OpenFile {
  private readonly file: number

  constructor(path: string) {
    // Not blocking: whoever opens a pipe would wait for somebody to write to it.
    const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)
    this.file = openSync(path, flags)
    if (this.stat().kind === 'file') return
    closeSync(this.file)
    throw Object.assign(new Error(`EINVAL: ${path} is no file`), { code: 'EINVAL' })
  }

  stat(): FileStat {
    return fileStat(fstatSync(this.file, { bigint: true }))
  }

  readAll(): Uint8Array {
    return readFileSync(this.file)
  }

  async *stream(start: number, end: number): AsyncIterable<Uint8Array> {
    for (let at = start; at < end; ) {
      const part = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, end - at))
      const { bytesRead } = await readInto(this.file, part, 0, part.length, at)
      if (bytesRead === 0) return
      yield part.subarray(0, bytesRead)
      at += bytesRead
    }
  }

  close(): void {
    closeSync(this.file)
  }
}

const CHUNK_BYTES = 256 * 1024

function orNothing<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}

/** Links that lead in a circle lead to nothing. */
function followed<T>(look: () => T): T | undefined {
  try {
    return orNothing(look)
  } catch (error) {
    if (codeOf(error) === 'ELOOP') return undefined
    throw error
  }
}

/** Nothing has that name, or what would be its folder is none. */
function isAbsent(error: unknown): boolean {
  const code = codeOf(error)
  return code === 'ENOENT' || code === 'ENOTDIR'
}

function fileStat(stats: BigIntStats): FileStat {
  return {
    kind: kindOf(stats),
    device: stats.dev,
    inode: stats.ino,
    size: Number(stats.size),
    modifiedNs: stats.mtimeNs,
    changedNs: stats.ctimeNs,
    bornNs: stats.birthtimeNs,
    modifiedAt: Number(stats.mtimeNs / 1000n) / 1000,
    accessedAt: Number(stats.atimeNs / 1000n) / 1000,
    createdAt: Number(stats.birthtimeNs / 1000n) / 1000,
    mode: Number(stats.mode) & 0o7777,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    links: Number(stats.nlink),
  }
}

function kindOf(entry: {
  isFile(): boolean
  isDirectory(): boolean
  isSymbolicLink(): boolean
}): Kind {
  if (entry.isFile()) return 'file'
  if (entry.isDirectory()) return 'folder'
  return entry.isSymbolicLink() ? 'link' : 'other'
}
