import type { Door, DoorAnswer, Notice } from '../contract/door.ts'
import { SluiceError } from '../contract/errors.ts'
import type { ContentIn, ContentOut, Input, OperationName } from '../contract/operations.ts'
import { SOCKET_CONTENT_BYTES } from '../contract/socket.ts'
import { Connection } from './connection.ts'
import type { Runtime } from './runtime.ts'
import { Workspace } from './workspace.ts'

export interface ConnectOptions {
  /** For example `http://127.0.0.1:7420`. */
  url: string
  token: string
  /** Admins only: work as this agent. */
  agent?: string
  /** Name of the session; a new one each time if absent. */
  session?: string
  /** Resumes the session of that name, as `Sluice.secret` of an earlier connection gave it. */
  secret?: string
  /** What to say of oneself (model, task): recorded in the audit, never trusted. */
  about?: Record<string, string>
  /** How long to try to (re)connect before calls fail, in ms. Default 30,000. */
  retryMs?: number
}

/** One session on one socket, with any number of requests under way. */
export class Sluice implements Door {
  private readonly connection: Connection
  private readonly options: ConnectOptions
  private readonly workspaces = new Map<string, Workspace>()
  private readonly notices = new Map<string, Notice[]>()
  private readonly heard = new Set<string>()

  /** Those who share the session, by name. */
  private readonly callers = new Map<string, Sluice>()
  private readonly caller: string | undefined

  constructor(connection: Connection, options: ConnectOptions, caller?: string) {
    this.connection = connection
    this.options = options
    this.caller = caller
    if (caller !== undefined) return
    connection.onEnd = () => this.stop()
    connection.onNotices = (workspace, notices, as) => {
      const to = as === undefined ? this : this.callers.get(as)
      to?.noticed(workspace, notices)
    }
  }

  /**
   * One of several callers that share this connection, by a name of its own: locks, seen versions,
   * places in queues and notices are its alone. It ends by its `close`, or with the connection.
   */
  as(caller: string): Sluice {
    if (this.caller !== undefined) throw new Error('A caller has no callers of its own.')
    let known = this.callers.get(caller)
    if (known === undefined) {
      known = new Sluice(this.connection, this.options, caller)
      this.callers.set(caller, known)
    }
    return known
  }

  /** After a lost connection the server says again what may not have been heard. */
  private noticed(workspace: string, given: readonly Notice[]): void {
    const notices = given.filter((notice) => this.isNew(workspace, notice))
    if (notices.length === 0) return
    const kept = [...(this.notices.get(workspace) ?? []), ...notices]
    this.notices.set(workspace, kept.slice(-NOTICES_KEPT))
    this.workspaces.get(workspace)?.noticed(notices)
  }

  private isNew(workspace: string, { at, kind, text }: Notice): boolean {
    const key = `${workspace} ${at} ${kind} ${text}`
    if (this.heard.has(key)) return false
    this.heard.add(key)
    const [oldest] = this.heard
    if (this.heard.size > NOTICES_KNOWN && oldest !== undefined) this.heard.delete(oldest)
    return true
  }

  private stop(): void {
    for (const workspace of this.workspaces.values()) workspace.stop()
    for (const caller of this.callers.values()) caller.stop()
  }

  /** What the session should know: who waits for its locks, recalls, questions; each comes once. */
  takeNotices(workspace = 'main'): Notice[] {
    const notices = this.notices.get(workspace) ?? []
    this.notices.delete(workspace)
    return notices
  }

  /** The session's id, `agent:name`. */
  get session(): string {
    const session = this.connection.welcome?.session ?? ''
    return this.caller === undefined ? session : `${session}/${this.caller}`
  }

  /** Resumes this session on another connection. */
  get secret(): string {
    return this.connection.welcome?.secret ?? ''
  }

  /** No connection any more, and none will come: it was closed, refused, or given up. */
  get isClosed(): boolean {
    return this.connection.isClosed
  }

  get agent(): string {
    return this.connection.welcome?.agent ?? ''
  }

  workspace(name = 'main'): Workspace {
    let workspace = this.workspaces.get(name)
    if (workspace === undefined) {
      const { connection, options, caller } = this
      workspace = new Workspace(name, connection, options, () => this.session, caller)
      this.workspaces.set(name, workspace)
    }
    return workspace
  }

  /** Any operation of the contract, in wire names. Rejects with `SluiceError`. */
  async call<N extends OperationName>(
    name: N,
    input: Input<N>,
    content?: Uint8Array,
    signal?: AbortSignal,
  ): Promise<DoorAnswer<N>> {
    if (content !== undefined && content.length > SOCKET_CONTENT_BYTES) {
      const put = this.puts[name as ContentIn] as Put<N> | undefined
      if (put !== undefined) return put(input, content)
    }
    const answer = await this.connection.call(name, input, content, signal, this.caller)
    if (answer.isLarge !== true) return answer
    const fetch = this.fetches[name as ContentOut] as Fetch<N>
    return { ...answer, content: await fetch(input) }
  }

  /** What is too large for a frame goes over HTTP. */
  private readonly puts: { [N in ContentIn]: Put<N> } = {
    write_file: async (input, content) => {
      const value = await this.workspace(input.workspace).putWhole(input, content)
      return { value, revision: value.version }
    },
  }

  private readonly fetches: { [N in ContentOut]: Fetch<N> } = {
    read_file: ({ workspace, path, at }) =>
      this.workspace(workspace).fetchWhole(path, at as number | undefined),
    read_draft: ({ workspace, draft }) => this.workspace(workspace).fetchDraft(draft),
  }

  giveBack(workspace: string, lock: string): Promise<void> {
    return this.connection.giveBack(workspace, lock, this.caller)
  }

  /** Ends the session: its locks go back at once. */
  async close(): Promise<void> {
    // From the moment it is asked for, none of its locks is sure.
    this.stop()
    if (this.caller !== undefined) this.connection.callers.delete(this.caller)
    try {
      await this.connection.call('end_session', { id: this.session })
    } catch (error) {
      // Without a connection the server ends the session by itself after its grace.
      if (!(error instanceof SluiceError)) throw error
    } finally {
      if (this.caller === undefined) this.connection.close()
    }
  }

  /** Closes the socket only; the session ends after the server's grace unless it is resumed. */
  disconnect(): void {
    this.stop()
    this.connection.close()
  }
}

type Put<N extends OperationName> = (input: Input<N>, content: Uint8Array) => Promise<DoorAnswer<N>>
type Fetch<N extends OperationName> = (input: Input<N>) => Promise<Uint8Array>

/** Connects and opens a session, with the time, chance and sockets of `runtime`. */
export async function connectOn(runtime: Runtime, options: ConnectOptions): Promise<Sluice> {
  const { url, token, agent, session, secret, about, retryMs = 30_000 } = options
  const connection = new Connection(
    url,
    {
      token,
      ...(session === undefined ? {} : { session }),
      ...(secret === undefined ? {} : { secret }),
      ...(agent === undefined ? {} : { agent }),
      ...(about === undefined ? {} : { about }),
    },
    retryMs,
    runtime,
  )
  await connection.opened()
  return new Sluice(connection, options)
}

/** Notices of a workspace that nobody took: the newest. */
const NOTICES_KEPT = 50
/** More than the server says again for one workspace. */
const NOTICES_KNOWN = 500
