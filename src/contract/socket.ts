import type { Notice } from './door.ts'
import type { EventKind } from './events.ts'
import type { OperationName } from './operations.ts'

/**
 * The socket (`GET /v1/socket`, WebSocket, one MessagePack array a frame): both sides put whatever
 * they have to say at that moment into one frame.
 *
 * The first message is `hello`; it carries the token, so that none is ever in a URL. After `welcome`
 * any number of requests may be under way; answers come in any order, by id.
 */
export type ClientMessage =
  | ['hello', Hello]
  /** `as`: which of the callers that share the session. */
  | [
      'call',
      id: number,
      OperationName,
      input: unknown,
      content?: Uint8Array | undefined,
      as?: string,
    ]
  | ['watch', id: number, WatchInput]
  | ['cancel', id: number]

export type ServerMessage =
  | ['welcome', Welcome]
  | ['done', id: number, value: unknown, revision: number, content?: Uint8Array]
  /** The content is too large for a frame: fetch it with `GET /v1/workspaces/…/files/…`. */
  | ['large', id: number, value: unknown, revision: number]
  | ['refused', id: number, problem: unknown]
  /** A watch has begun: events after this revision follow, so a lost connection leaves no gap. */
  | ['watching', id: number, since: number]
  | ['events', id: number, events: unknown[]]
  | ['ended', id: number]
  /** Unasked: what this session should know. */
  | ['notices', workspace: string, Notice[], as?: string]

export interface Hello {
  token: string
  /** Name of the session; a new one is made up if absent. */
  session?: string
  /** Resumes the session of that name after a lost connection. */
  secret?: string
  /** Admins only: open the session for this agent. */
  agent?: string
  /** Seconds an idle session without locks is kept. */
  ttl?: number
  about?: Record<string, string>
  /** Who shares this connection (`as`): they hear what concerns them before they ask for anything. */
  callers?: string[]
}

export interface Welcome {
  session: string
  secret: string
  agent: string
  resumed: boolean
  version: string
}

export interface WatchInput {
  workspace: string
  since?: number
  path?: string
  kinds?: EventKind[]
}

/** Contents up to this size travel in a frame; larger ones go over HTTP, streamed. */
export const SOCKET_CONTENT_BYTES = 1024 * 1024
