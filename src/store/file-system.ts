/**
 * The file system port: what a folder workspace does to a real folder, one system call a method.
 *
 * Calls of names and states are synchronous: each takes microseconds on a local disk, a tenth of what
 * handing it to another thread costs, and whatever is looked at between two of them cannot have been
 * changed by ourselves. Contents of any size go through a handle and are read and written in chunks.
 *
 * Throws what the system says, an `Error` with `code` (ENOENT, EACCES, …), unless a method says else.
 * Paths are absolute, with `/` between names.
 */
export interface FileSystem {
  /** Of the name itself, also where it is a link; undefined where nothing is. */
  lstat(path: string): FileStat | undefined
  /** Of what it leads to; undefined where that is nothing. */
  stat(path: string): FileStat | undefined
  /** The path without links; undefined where it leads to nothing. */
  realPath(path: string): string | undefined
  /** What a link says. */
  readLink(path: string): string
  /** Names in a folder, in no order. */
  list(path: string): Listed[]
  /** Opens a file for reading, unless it is a link or no file: then it throws (ELOOP, EINVAL). */
  open(path: string): OpenFile
  /** Whether this user may make and remove names in a folder. */
  mayWrite(folder: string): boolean
  /** Makes a new file with this content; fails where something is (EEXIST). */
  create(path: string, content: Uint8Array, mode: number): void
  /** The same, of a content of any size. */
  createLarge(path: string, content: AsyncIterable<Uint8Array>, mode: number): Promise<void>
  /** A second name for a file; fails where something is (EEXIST). */
  link(path: string, second: string): void
  /** Replaces what is there. */
  rename(path: string, to: string): void
  remove(path: string): void
  makeFolder(path: string): void
  /** Only an empty one. */
  removeFolder(path: string): void
  /** With all in it. */
  removeTree(path: string): Promise<void>
  changeMode(path: string, mode: number): void
  changeOwner(path: string, uid: number, gid: number): void
  /** Whether a watch of a folder is one of all below it. */
  readonly watchesTrees: boolean
  /**
   * Calls back with a name in a folder whenever something about it may have changed, or with none where
   * the system does not say. Throws what the system says where it cannot (ENOSPC: no watch is left).
   */
  watch(folder: string, changed: (name: string | undefined) => void): () => void
  /** What not every system has; the folder is kept in step without it as well. */
  readonly rare?: RareCalls | undefined
  /** Writes all of a file that is there and that nobody else knows. */
  overwrite(path: string, content: Uint8Array): void
  /** Another one once the machine was started anew: what was not synced may be lost. Undefined: not known. */
  bootId(): string | undefined
  /** Returns when a file's content, or a folder's names, survive a loss of power. */
  sync(path: string): Promise<void>
}

export interface RareCalls {
  /** Two names change what they name, in one step. Throws ENOENT; EINVAL where the disk cannot. */
  exchange(path: string, other: string): void
  /** As a rename, but fails where something is (EEXIST). */
  renameNew(path: string, to: string): void
  /** Whether no process has it open or mapped; false where that cannot be known. */
  isAlone(path: string): boolean
  /** Whether it has extended attributes, or may have some. */
  hasAttributes(path: string): boolean
  /** Extended attributes, as far as the system lets us. */
  copyAttributes(from: string, to: string): void
}

export type Kind = 'file' | 'folder' | 'link' | 'other'

export interface Listed {
  name: string
  kind: Kind
}

export interface FileStat {
  kind: Kind
  device: bigint
  inode: bigint
  /** Bytes. */
  size: number
  modifiedNs: bigint
  changedNs: bigint
  /** Where the file system keeps no time of birth, another one. */
  bornNs: bigint
  /** ms since 1970, with fractions. */
  modifiedAt: number
  accessedAt: number
  createdAt: number
  /** Permission bits: 0o7777. */
  mode: number
  uid: number
  gid: number
  /** Names that it has. */
  links: number
}

export interface OpenFile {
  stat(): FileStat
  /** All of it, for small files. */
  readAll(): Uint8Array
  /** Bytes `start` (inclusive) to `end` (exclusive), fewer where the file has become shorter. */
  stream(start: number, end: number): AsyncIterable<Uint8Array>
  close(): void
}

export function codeOf(error: unknown): string | undefined {
  return (error as { code?: unknown } | undefined)?.code as string | undefined
}
