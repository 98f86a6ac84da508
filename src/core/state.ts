import type { PathRight, Role, Settings } from '../contract/events.ts'
import { DEFAULT_SETTINGS } from '../contract/events.ts'
import { LIMITS } from '../contract/limits.ts'
import { BoundedMap } from './bounded-map.ts'
import type { Records } from './file/entry.ts'
import { type LockTable, newLockTable } from './lock/table.ts'

/**
 * The state of one stream: what small facts fold to. Big ones (entries, versions) lie in `records`.
 * A workspace uses locks, files and answers; the server's own stream uses the directory.
 */
export interface State {
  /** The name of the workspace this stream belongs to. */
  workspace: string
  /** The last applied event. */
  revision: number
  /** The time of the last applied event, ms since 1970. */
  at: number
  settings: Settings
  locks: LockTable
  /** The next free number for a file or folder. */
  nextFileId: number
  records: Records
  /** By session and request id: the revision of the fact that answered (locks §11). The fact itself
   * stays in the ledger: one commit of 10,000 files would weigh megabytes here. */
  answers: Map<string, BoundedMap<string, number>>
  /** Questions to holders, the newest; those answered stay until they are pushed out. */
  asks: BoundedMap<number, Ask>
  drafts: BoundedMap<number, Draft>
  directory: Directory
}

/** A word to a holder, and its answer (locks §37). Asking costs nothing and forces nothing. */
export interface Ask {
  id: number
  lock: number
  from: { agent: string; session: string }
  to: { agent: string; session: string }
  paths: string[]
  message: string
  at: number
  answer: { answer: 'yield' | 'estimate' | 'no'; estimateS?: number; message?: string } | undefined
}

/** What somebody wanted to write under a lock that was gone already (locks §39). */
export interface Draft {
  id: number
  agent: string
  session: string
  path: string
  lock: number
  /** The version it was made from; 0: none. */
  base: number
  sha256: string
  size: number
  at: number
  /** Milliseconds since 1970. */
  until: number
}

export interface Directory {
  agents: Map<string, Agent>
  groups: Map<string, PathRight[]>
  sessions: Map<string, Session>
  /** Callers that share a session, by that session (guard §1): `agent:name` → `agent:name/caller`. */
  callers: Map<string, Set<string>>
  workspaces: Map<string, Settings>
  /** Agent by the SHA-256 of its token. */
  tokens: Map<string, string>
}

export interface Agent {
  name: string
  role: Role
  group: string | undefined
  rights: PathRight[]
  tokens: { sha256: string; label: string | undefined }[]
}

export interface Session {
  id: string
  agent: string
  ttlMs: number
  openedAt: number
  about: Record<string, string> | undefined
  /** It lives as long as a connection: without one, and after the grace, nobody is there any more. */
  tied: boolean
}

export function newState(workspace: string, records: Records): State {
  return {
    workspace,
    revision: 0,
    at: 0,
    settings: DEFAULT_SETTINGS,
    locks: newLockTable(DEFAULT_SETTINGS.portable_names),
    nextFileId: 2,
    records,
    answers: new Map(),
    asks: new BoundedMap(LIMITS.asksKept),
    drafts: new BoundedMap(LIMITS.draftsKept),
    directory: {
      agents: new Map(),
      groups: new Map(),
      sessions: new Map(),
      callers: new Map(),
      workspaces: new Map(),
      tokens: new Map(),
    },
  }
}
