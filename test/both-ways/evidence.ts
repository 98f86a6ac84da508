import type { Reading } from './content.ts'
import type { Entry } from './log.ts'

/** One version of the history, as the stream of the workspace tells it. */
export interface Version {
  revision: number
  path: string
  how: string
  agent: string
  /** Empty: its content is not kept. */
  sha256: string
  size: number
  /** When it was recorded, ms since 1970. */
  at: number
  message: string | undefined
}

/** All that is known at the end of a run. */
export interface Evidence {
  log: readonly Entry[]
  /** When all writers had stopped. */
  restedAt: number
  /** Oldest first. */
  versions: readonly Version[]
  /** What the history said of a version's content while it was new; undefined: it did not give it. */
  contentOf(version: Version): Promise<Reading | undefined>
  /** Whether it still gives it at the end. */
  isReadable(version: Version): Promise<boolean>
  /** Whether so many files had that path since that the oldest are no longer followed. */
  isBeyondReach(path: string): boolean
  /** Revisions that the history of some path lists. */
  listed: ReadonlySet<number>
  /** The newest version of each file at rest, by path. */
  heads: ReadonlyMap<string, string>
  /** Contents of the tracked files in the folder at rest, by path. */
  folder: ReadonlyMap<string, string>
  /** Looked at once more, some seconds later. */
  later: { heads: ReadonlyMap<string, string>; folder: ReadonlyMap<string, string> }
  /** What is left of the server's own in the folder after it has stopped. */
  left: readonly string[]
  /** What the server logged, and what writers found wrong themselves. */
  troubles: readonly string[]
}
