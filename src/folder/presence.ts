import { type Refusal, refuse, SluiceError } from '../contract/errors.ts'
import type { FileStat, FileSystem } from '../store/file-system.ts'
import type { Roots } from './roots.ts'

/**
 * Whether each root is still the folder that it was when it was opened (folder §9). A disk that is gone
 * leaves an empty folder at its mount point, or nothing at all: what is to be seen there says nothing of
 * the files. So nothing is taken from it or put into it until the folder that was opened is back.
 */
export class Presence {
  private readonly fs: FileSystem
  private readonly roots: Roots
  private readonly opened: ReadonlyMap<string, FileStat | undefined>
  private readonly noticed: (root: string) => void

  /**
   * Once our own folder has been made in each root: on a layered file system that may change what a
   * root is.
   * @param noticed called with each root that was found missing, each time
   */
  constructor(fs: FileSystem, roots: Roots, noticed: (root: string) => void) {
    this.fs = fs
    this.roots = roots
    this.opened = new Map(roots.paths.map((root) => [root, fs.lstat(root)]))
    this.noticed = noticed
  }

  /** The roots that are not there now. One look at each. */
  missing(): readonly string[] {
    const missing = this.roots.paths.filter((root) => !this.isThere(root))
    for (const root of missing) this.noticed(root)
    return missing
  }

  /** Whether the root that a path lies in is missing. */
  isMissingAt(path: string): boolean {
    const root = this.roots.rootOf(path)
    if (root === undefined || this.isThere(root)) return false
    this.noticed(root)
    return true
  }

  /** Throws the refusal of what lies in a root that is missing. */
  assertAt(path: string): void {
    const root = this.roots.rootOf(path)
    if (root === undefined || this.isThere(root)) return
    this.noticed(root)
    throw SluiceError.of(rootMissing(root, path))
  }

  private isThere(root: string): boolean {
    const then = this.opened.get(root)
    let now: FileStat | undefined
    try {
      now = this.fs.lstat(root)
    } catch {
      // A disk that was torn out, or a connection that is down, answers with an error of some kind.
      return false
    }
    if (now === undefined || then === undefined) return false
    if (now.device !== then.device || now.inode !== then.inode) return false
    // Another disk may have got its number. Where no time of birth is kept, one of change stands for it.
    return then.bornNs === then.changedNs || now.bornNs === then.bornNs
  }
}

/** Comes by itself, so it is no fault of the call: the same call is welcome later. */
function rootMissing(root: string, path: string): Refusal {
  return refuse('read_only_mode', `${path}: ${missingFault(root)}. Nothing was read or written.`, {
    path,
    root,
    reason: 'folder_missing',
    retry_after_s: RETRY_AFTER_S,
  })
}

/** What is said of it everywhere. */
export function missingFault(root: string): string {
  return (
    `the folder ${root} is not there now, or is another one than was opened (its disk was unmounted, ` +
    'perhaps, or it was moved). Nothing of it counts as deleted, and all goes on once it is back'
  )
}

const RETRY_AFTER_S = 5
