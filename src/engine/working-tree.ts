import type { Notice } from '../contract/door.ts'
import type { Output } from '../contract/operations.ts'
import type { CommitChange } from '../core/command.ts'
import type { FileEntry, FolderEntry } from '../core/file/entry.ts'
import type { Blobs } from '../store/blobs.ts'
import type { Attachment } from '../store/ledger.ts'
import type { Content } from './api.ts'
import type { Call } from './call.ts'
import type { Clock } from './clock.ts'
import type { Decider } from './stream/decider.ts'
import type { Follower, Followers } from './stream/followers.ts'
import type { Stream } from './stream/stream.ts'

/**
 * A folder of the disk that a workspace is kept in step with, both ways: what the engine asks of it.
 * A workspace without one keeps its files in the stores alone.
 */
export interface WorkingTree {
  /** Keeps the folder in step with the stream; answers wait for it. */
  readonly follower: Follower
  /** How it stands. */
  report(): NonNullable<Output<'get_workspace'>['folder']>
  /** Begins to work, once the workspace can decide: resolves when calls can be answered. */
  open(context: TreeContext): Promise<void>
  close(): Promise<void>
  /**
   * Before a call is decided or answered: its paths become those that files have in the workspace, and
   * what others did to these is taken in first. Nothing to wait for: undefined.
   */
  ready(call: Call): Promise<void> | undefined
  /** The content of a current version that only the folder has. */
  contentOf(path: string, entry: FileEntry): Content
  /** Where a path lies on the disk. */
  diskPath(path: string): string
  /** What lies in a folder now, in the order of listings. */
  childrenOf(path: string): readonly Child[]
  /** What the file system says of a file or folder. */
  factsOf(path: string): DiskFacts | undefined
  /**
   * Tries what can be tried of a commit before it is decided: contents are put beside their places. The
   * refusal of what the folder would not take is thrown.
   */
  spool(
    changes: readonly CommitChange[],
    attachments: readonly Attachment[],
  ): Spool | Promise<Spool>
}

/** What a working tree has of its workspace. */
export interface TreeContext {
  stream: Stream
  decider: Decider
  followers: Followers
  clock: Clock
  blobs: Blobs
  /** What a caller should know with its next answer. */
  tell(session: string, notice: Notice): void
}

/** Contents that wait for the decision. */
export interface Spool {
  /** It was decided, as this revision. */
  use(revision: number): void
  discard(): void
}

export interface Child {
  name: string
  kind: 'file' | 'folder'
  /** A link that leads out of the folder, or to nothing. */
  isUnreachable: boolean
  /** What the records have of it; undefined where they have not looked at it as it is now. */
  entry: FileEntry | FolderEntry | undefined
  size: number
  createdAt: number
  modifiedAt: number
}

export interface DiskFacts extends Omit<Child, 'name' | 'entry' | 'isUnreachable'> {
  accessedAt: number
  /** Permission bits: 0o777. */
  mode: number
}
