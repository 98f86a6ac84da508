import type { LockItem, PathRight, Role, Settings } from '../contract/events.ts'

/**
 * What can be decided. Faces and the engine's own clockwork both speak in these; everything that
 * varies (time, random bits, what a session has seen) comes in with the command or its `Moment`.
 */
export type Command =
  | AcquireLock
  | ChangeLock
  | ReleaseLock
  | ReleaseAll
  | HandOverLock
  | LeaveQueue
  | ExpireLocks
  | RecallLock
  | ExtendRecall
  | FollowUp
  | AskHolder
  | AnswerAsk
  | KeepDraft
  | EndSession
  | Commit
  | TakeIn
  | KeepContents
  | SetWorkspace
  | RecordRefusals
  | DirectoryCommand

/** Who asks. Stamped by the engine from the directory, never taken from the request. */
export interface Actor {
  agent: string
  session: string
  role: Role
  rights: readonly PathRight[]
  /**
   * Neither a connection nor a name says which of its principal's callers this is, so nothing is
   * assumed of it: what its session has seen, written or holds does not count (guard §2).
   */
  unnamed?: boolean | undefined
}

interface Asked {
  actor: Actor
  requestId?: string | undefined
}

export interface AcquireLock extends Asked {
  kind: 'acquire-lock'
  items: {
    path: string
    level: LockItem['level']
    stable?: boolean | undefined
    scope?: LockItem['scope'] | undefined
    range?: LockItem['range']
    key?: LockItem['key']
    ifVersion?: number | undefined
  }[]
  /** Any so many of the items will do, the first that are free in the order given. */
  any?: number | undefined
  ttlMs?: number | undefined
  renew: 'activity' | 'explicit'
  intent?: string | undefined
  priority?: number | undefined
  /** How long its paths stay closed when it is lost instead of given back. */
  delayMs?: number | undefined
  /** Take a place in the queue when it cannot be granted now. */
  queue: boolean
}

/** Makes a hold stronger or weaker in place. */
export interface ChangeLock extends Asked {
  kind: 'change-lock'
  lock: number
  to: LockItem['level']
  /** With `to: 'read'`: keep writers out too. */
  stable?: boolean | undefined
  ifVersion?: number | undefined
  queue: boolean
}

/** `to` is an open session, with the rights it has. */
export interface HandOverLock extends Asked {
  kind: 'hand-over-lock'
  lock: number
  /** An earlier session of the asker's agent, which is gone; absent: the asker itself. */
  holder?: { session: string } | undefined
  to: Actor
}

export interface ReleaseLock extends Asked {
  kind: 'release-lock'
  lock: number
  force: boolean
  reason?: string | undefined
}

export interface ReleaseAll extends Asked {
  kind: 'release-all'
}

export interface LeaveQueue extends Asked {
  kind: 'leave-queue'
  ticket: number
}

/** A supervisor wants it back. */
export interface RecallLock extends Asked {
  kind: 'recall-lock'
  lock: number
  reason: string
  graceMs?: number | undefined
}

/** The recalled holder asks for the same time once more. */
export interface ExtendRecall extends Asked {
  kind: 'extend-recall'
  lock: number
}

/** What time may have brought about. The engine proposes; what is not due yet is left alone. */
export interface FollowUp {
  kind: 'follow-up'
  /** Held for long, or past the deadline of a recall. */
  locks: number[]
  /** May be urgent enough by now to have a holder recalled. */
  tickets: number[]
  /** Lost holds whose delay may be over. */
  closed: number[]
  drafts: number[]
}

export interface AskHolder extends Asked {
  kind: 'ask-holder'
  lock: number
  message: string
}

export interface AnswerAsk extends Asked {
  kind: 'answer-ask'
  ask: number
  answer: 'yield' | 'estimate' | 'no'
  estimateS?: number | undefined
  message?: string | undefined
}

/** A write that came after its lock was lost. */
export interface KeepDraft extends Asked {
  kind: 'keep-draft'
  path: string
  lock: number
  base: number
  content: ContentFacts
}

/**
 * From the lease table: these were not renewed since `renewedAt` (ms since 1970), or not claimed in
 * the window that began then.
 */
export interface ExpireLocks {
  kind: 'expire-locks'
  locks: { lock: number; renewedAt: number; unclaimed: boolean }[]
}

export interface EndSession {
  kind: 'end-session'
  session: string
  reason: 'ended' | 'disconnected' | 'idle' | 'agent-removed'
}

export interface ContentFacts {
  sha256: string
  size: number
}

export type CommitChange =
  | {
      kind: 'write'
      how: 'write' | 'append' | 'edit'
      path: string
      content: ContentFacts
      /** edit: the bytes `[start, end)` of `onto` that became `size` bytes; nothing else changed. */
      splice?: { start: number; end: number; size: number } | undefined
      ifVersion?: number | undefined
      ifNone?: boolean | undefined
      /** append, edit: the version that `content` was made from (0: none). */
      onto?: number | undefined
    }
  | { kind: 'make-folder'; path: string }
  | { kind: 'copy' | 'move'; path: string; to: string; at?: number | undefined; overwrite: boolean }
  | { kind: 'delete'; path: string; recursive: boolean; ifVersion?: number | undefined }
  | { kind: 'set-attributes'; path: string; set: Record<string, string | number | boolean | null> }

export interface Commit extends Asked {
  kind: 'commit'
  changes: CommitChange[]
  /** Locks whose tokens were presented and verified. */
  locks: number[]
  release: boolean
  message?: string | undefined
  run?: string | undefined
}

/** What a folder was found to hold, as somebody outside of the server left it (folder §11). */
export type OutsideChange =
  | { kind: 'file'; path: string; content: ContentFacts; modifiedAt: number }
  | { kind: 'folder'; path: string }
  | { kind: 'moved'; path: string; to: string }
  | { kind: 'gone'; path: string }

/** Facts, so nothing of it can be refused. */
export interface TakeIn {
  kind: 'take-in'
  changes: OutsideChange[]
  message?: string | undefined
}

/** Contents of versions that only the folder had, and the stores have from now on (folder §5). */
export interface KeepContents {
  kind: 'keep-contents'
  files: KeptContent[]
}

export interface KeptContent extends ContentFacts {
  path: string
  folder: number
  name: string
  id: number
  version: number
}

export interface SetWorkspace extends Asked {
  kind: 'set-workspace'
  settings: Settings
}

/** Refusals that were counted instead of recorded one by one. */
export interface RecordRefusals {
  kind: 'record-refusals'
  refusals: {
    agent: string
    session: string
    command: string
    paths: string[]
    code: string
    detail: string
    count: number
    requestIds: string[]
  }[]
}

export type DirectoryCommand =
  | (Asked & {
      kind: 'open-session'
      id: string
      ttlMs: number
      about?: Record<string, string> | undefined
      tied?: boolean | undefined
    })
  | (Asked & { kind: 'close-session'; id: string; reason: EndSession['reason'] })
  | (Asked & {
      kind: 'set-agent'
      name: string
      role: Role
      group?: string | undefined
      rights: PathRight[]
    })
  | (Asked & { kind: 'remove-agent'; name: string })
  | (Asked & {
      kind: 'create-token'
      agent: string
      sha256: string
      label?: string | undefined
      revokeOthers: boolean
    })
  | (Asked & { kind: 'set-group'; name: string; rights: PathRight[] })
  | (Asked & { kind: 'make-workspace'; name: string; settings: Settings })
  | (Asked & { kind: 'remove-workspace'; name: string })

/** What the engine knows at the instant of a decision and the stream does not. */
export interface Moment {
  /** Milliseconds since 1970; never steps back. */
  at: number
  /** The version of a file this session last read, and when. `inexact`: it was shown as text of this
   * encoding, which is not byte for byte what the file holds. */
  seen(
    session: string,
    file: number,
  ): { version: number; at: number; inexact?: string | undefined } | undefined
  /** A session of somebody who is not there any more. */
  isGone?(session: string): boolean
  /** When a lock ends unless it is renewed. */
  expiresAt(lock: number): number
}
