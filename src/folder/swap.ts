import { codeOf, type FileStat, type FileSystem, type RareCalls } from '../store/file-system.ts'

/**
 * Puts a new file in the place of another so that nothing is lost, whoever writes at the same moment
 * (folder §7). Where the system can exchange two names in one step:
 *
 *   rename(fresh, held)    under a name by which it is known after a crash
 *   exchange(held, place)  readers see the old file or the new one, and whatever was there is held
 *
 * else, with a gap between the two in which another rename to the same place is overwritten unseen:
 *
 *   link(place, held)      what is there gets a second name
 *   rename(fresh, place)
 *
 * Then lstat(held): was it what the new one was made from? The caller compares. Where the file system
 * has no second names, the old file is renamed away first: for that instant nothing has the name, and
 * still nothing is lost.
 */
export function swapIn(fs: FileSystem, fresh: string, place: string, held: string): Swapped {
  if (fs.rare !== undefined) {
    const swapped = exchanged(fs, fs.rare, { fresh, place, held })
    if (swapped !== undefined) return swapped
  }
  for (let name = held; ; name += '+') {
    const old = holdSecond(fs, place, name)
    if (old === 'held') putOver(fs, fresh, place, name)
    // Somebody was faster in the instant without a name: theirs is held too, under a name of its own.
    else if (!putNew(fs, fresh, place)) continue
    const held = old === 'nothing' ? undefined : name
    const stat = held === undefined ? undefined : fs.lstat(held)
    return { held, old: stat, now: fs.lstat(place) }
  }
}

/** Undefined where this file system cannot do it. */
function exchanged(
  fs: FileSystem,
  rare: RareCalls,
  { fresh, place, held }: { fresh: string; place: string; held: string },
): Swapped | undefined {
  fs.rename(fresh, held)
  for (;;) {
    try {
      rare.exchange(held, place)
    } catch (error) {
      const code = codeOf(error)
      if (code === 'ENOENT') {
        if (!renamedNew(fs, rare, { held, place, fresh })) continue
        return { held: undefined, old: undefined, now: fs.lstat(place) }
      }
      putAside(fs, held, fresh)
      if (code === 'EINVAL' || code === 'ENOSYS' || code === 'EXDEV') return undefined
      throw error
    }
    const old = fs.lstat(held)
    if (old?.kind !== 'folder') return { held, old, now: fs.lstat(place) }
    rare.exchange(held, place)
    fs.rename(held, fresh)
    throw isFolder(place)
  }
}

/** The whole folder has gone, and the new file with it, under a name that it did not have before. */
export class GoneMeanwhile extends Error {
  override name = 'GoneMeanwhile'
  readonly code = 'ENOENT'
  readonly fresh: string
  constructor(fresh: string) {
    super(`ENOENT: ${fresh} is gone`)
    this.fresh = fresh
  }
}

function putAside(fs: FileSystem, held: string, fresh: string): void {
  try {
    fs.rename(held, fresh)
  } catch (error) {
    throw codeOf(error) === 'ENOENT' ? new GoneMeanwhile(held) : error
  }
}

/** False: something is there by now. */
function renamedNew(
  fs: FileSystem,
  rare: RareCalls,
  { held, place, fresh }: { held: string; place: string; fresh: string },
): boolean {
  try {
    rare.renameNew(held, place)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    putAside(fs, held, fresh)
    throw error
  }
}

export interface Swapped {
  /** The second name of what was there; undefined: nothing was. */
  held: string | undefined
  /** As it is under its second name; undefined: nothing was there. */
  old: FileStat | undefined
  /** Of the new file in its place; undefined: it is gone again. */
  now: FileStat | undefined
}

/** Where it cannot be done, what is there has one name again. */
function putOver(fs: FileSystem, fresh: string, place: string, held: string): void {
  try {
    fs.rename(fresh, place)
  } catch (error) {
    fs.remove(held)
    throw error
  }
}

function holdSecond(fs: FileSystem, place: string, held: string): 'nothing' | 'held' | 'moved' {
  try {
    fs.link(place, held)
    return 'held'
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT') return 'nothing'
    if (code === undefined || !NO_LINKS.has(code)) throw error
    // A folder has no second name on any file system.
    if (fs.lstat(place)?.kind === 'folder') throw isFolder(place)
    try {
      fs.rename(place, held)
      return 'moved'
    } catch (failed) {
      if (codeOf(failed) === 'ENOENT') return 'nothing'
      throw failed
    }
  }
}

/** Where nothing is. False: something is there by now. */
export function putNew(fs: FileSystem, fresh: string, place: string): boolean {
  try {
    fs.link(fresh, place)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'EEXIST') {
      if (fs.lstat(place)?.kind === 'folder') throw isFolder(place)
      return false
    }
    if (code === undefined || !NO_LINKS.has(code)) throw error
    if (fs.lstat(place) !== undefined) return false
    fs.rename(fresh, place)
    return true
  }
  fs.remove(fresh)
  return true
}

function isFolder(place: string): Error {
  return Object.assign(new Error(`EISDIR: ${place} is a folder`), { code: 'EISDIR' })
}

/** How file systems say that they give no second names. */
const NO_LINKS: ReadonlySet<string> = new Set([
  ...['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EINVAL', 'EACCES'],
])
