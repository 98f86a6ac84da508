import type { Notice } from '../contract/door.ts'
import { type Problem, problemOf, type Refusal, SluiceError } from '../contract/errors.ts'
import type { EventKind, PathRight, Role, ShownEvent } from '../contract/events.ts'
import type { OperationName, Output, Parsed } from '../contract/operations.ts'

/**
 * What faces see of the engine. A face parses (contract/parse.ts), authenticates, finds the session,
 * calls, and prints; it knows no lock mode and no quota rule. Refusals reject with `SluiceError`.
 */
export interface EngineApi {
  /** The principal of a token, or undefined. Compared by hash, in constant time. */
  authenticate(token: string): Principal | undefined
  /**
   * Who of a principal's callers asks. `session`: a name, or a full session id; a new name opens a
   * session. An admin may name a session of another agent, and then works as that agent. `as`: which
   * of the callers that share the session (guard §1). Neither: nobody knows, and nothing is assumed.
   */
  callerOf(principal: Principal, named?: CallerName): Promise<Caller>
  /** One of the callers that share the session of another caller. */
  callerAs(caller: Caller, as: string): Promise<Caller>
  call<N extends OperationName>(request: Request<N>): Promise<Answer<N>>
  /** Gives back a lock that was granted by an answer its caller did not look at any more, even where
   * the disk does not take it at once. */
  giveBack(caller: Caller, workspace: string, lock: string): void
  /** Facts of an open session of the caller's own agent, with the secret that resumes it. */
  join(caller: Caller, session: string): Promise<Output<'open_session'>>
  /** Logs an error that is no refusal; gives the problem that tells nothing but where to look. */
  failed(error: unknown): Problem
  /**
   * The facts of a workspace after revision `since`, as far as the caller may see them, then live
   * until `signal` aborts. Ordered and gap-free; rejects with `compacted` when `since` is too old.
   * Yields arrays that became durable together. A consumer that falls behind reads from the ledger;
   * nothing is queued for it without bound.
   */
  watch(caller: Caller, query: WatchQuery): AsyncIterable<ShownEvent[]>
  /**
   * Ties a session to a connection (socket, stdio): when the last connection of a session closes, the
   * session ends after the grace of locks §26. Returns the function that disconnects.
   */
  connect(caller: Caller): () => void
  /**
   * Calls back with what the caller's session should know (somebody waits, a recall, a question),
   * beginning with what it was not told yet, or where it comes back (`isResumed`) with what it may not
   * have heard. Returns the stop. While nobody listens, `takeNotices` gives it, once, and
   * `untoldNotices` says how many there are.
   */
  onNotice(caller: Caller, listener: NoticeListener, isResumed?: boolean): () => void
  takeNotices(caller: Caller, workspace: string): Notice[]
  untoldNotices(caller: Caller, workspace: string): number
  /** The last durable revision of a workspace; undefined when there is none of that name. */
  revision(workspace: string): number | undefined
  health(): Health
}

export type NoticeListener = (workspace: string, notices: readonly Notice[]) => void

export interface Principal {
  name: string
  role: Role
}

/** An authenticated principal within one of its sessions. */
export interface Caller {
  agent: string
  /** Full session id, `agent:name`. */
  session: string
  role: Role
  rights: readonly PathRight[]
  /** Nothing says which of its principal's callers this is. */
  unnamed?: boolean | undefined
}

/** What a request says of who makes it, within its principal. */
export interface CallerName {
  /** `Sluice-Session`: a name, or a full session id. */
  session?: string | undefined
  /** `Sluice-As`: one of those who share it. */
  as?: string | undefined
  /** The session lives as long as a connection does, and is gone with it. */
  tied?: boolean | undefined
}

export interface Request<N extends OperationName> {
  operation: N
  /** Output of `parseInput`. */
  input: Parsed<N>
  caller: Caller
  /** For operations with `content: 'in'`. */
  content?: Uint8Array | AsyncIterable<Uint8Array> | undefined
  /** How large a streamed content will be, where that is said beforehand. */
  contentBytes?: number | undefined
  /**
   * The caller gives up: its wait ends, and what it was granted meanwhile goes back. Aborted with
   * `CONNECTION_LOST`, only the wait ends: the caller may come back for its place.
   */
  signal?: CancelSignal | undefined
}

/**
 * What a door throws out of a content that did not arrive as it was sent. Nobody was asked anything yet,
 * so it is no answer to the request: sent again under the same id it is heard for the first time.
 */
export class ContentBroken extends SluiceError {
  static override of(refusal: Refusal): ContentBroken {
    return new ContentBroken(problemOf(refusal))
  }
}

/** What of an `AbortSignal` a call needs; any will do. */
export interface CancelSignal {
  readonly aborted: boolean
  readonly reason: unknown
  addEventListener(type: 'abort', listener: () => void): void
  removeEventListener(type: 'abort', listener: () => void): void
}

/** Why a signal aborts that nobody meant to abort. */
export const CONNECTION_LOST = 'connection lost'

export interface Answer<N extends OperationName> {
  value: Output<N>
  /** The last durable revision of the workspace (0 for operations of the server itself). */
  revision: number
  /** For operations with `content: 'out'`. */
  content?: Content
}

export interface Content {
  size: number
  /** Empty: not known, of a file that only a folder has. */
  sha256: string
  /** The whole content where it is small and at hand; faces use it to answer without a stream. */
  bytes?: Uint8Array
  /** Bytes `start` (inclusive) to `end` (exclusive). */
  stream(start?: number, end?: number): AsyncIterable<Uint8Array>
}

export interface WatchQuery {
  workspace: string
  since: number
  path?: string
  kinds?: readonly EventKind[]
  signal: AbortSignal
}

export interface Health {
  status: 'ok' | 'draining' | 'failing'
  version: string
  uptime_s: number
  workspaces: Record<string, { revision: number; locks: number; waiting: number }>
}
