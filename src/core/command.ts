import type { LockItem, PathRight, Role, Settings } from '../contract/events.ts'

/**
 * What can be decided. Faces and the engine's own clockwork both speak in these; everything that
 * varies (time, random bits, what a session has seen) comes in with the command or its `Moment`.
 */
export type Command =
  | AcquireLock
  | ReleaseLock
  | ReleaseAll
  | LeaveQueue
  | ExpireLocks
  | EndSession
  | Commit
  | SetWorkspace
  | RecordRefusals
  | DirectoryCommand

/** Who asks. Stamped by the engine from the directory, never taken from the request. */
export interface Actor {
  agent: string
  session: string
  role: Role
  rights: readonly PathRight[]
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
    ifVersion?: number | undefined
  }[]
  ttlMs?: number | undefined
  renew: 'activity' | 'explicit'
  intent?: string | undefined
  priority?: number | undefined
  /** Take a place in the queue when it cannot be granted now. */
  queue: boolean
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

/** From the lease table: these were not renewed since `renewedAt`, or not claimed. */
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
      ifVersion?: number | undefined
      ifNone?: boolean | undefined
      /** append, edit: the version that `content` was made from (0: none). */
      onto?: number | undefined
    }
  | { kind: 'make-folder'; path: string }
  | { kind: 'copy' | 'move'; path: string; to: string; at?: number | undefined; overwrite: boolean }
  | { kind: 'delete'; path: string; recursive: boolean; ifVersion?: number | undefined }

export interface Commit extends Asked {
  kind: 'commit'
  changes: CommitChange[]
  /** Locks whose tokens were presented and verified. */
  locks: number[]
  release: boolean
  message?: string | undefined
  run?: string | undefined
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
  /** The version of a file this session last read, and when. */
  seen(session: string, file: number): { version: number; at: number } | undefined
  /** When a lock ends unless it is renewed. */
  expiresAt(lock: number): number
}
