import type { Notice } from '../contract/door.ts'
import { fail, type Problem, problemOf, refuse } from '../contract/errors.ts'
import { SERVER_KINDS, SERVER_STREAM } from '../contract/events.ts'
import type { OperationName, Output } from '../contract/operations.ts'
import { showTimesBy } from '../contract/time.ts'
import { VERSION } from '../contract/version.ts'
import type { Actor } from '../core/command.ts'
import type { Blobs } from '../store/blobs.ts'
import type { Ledger } from '../store/ledger.ts'
import type { Tables } from '../store/tables.ts'
import { EditThread } from '../text/edit-thread.ts'
import type {
  Answer,
  Caller,
  CallerName,
  EngineApi,
  Health,
  NoticeListener,
  Principal,
  Request,
  WatchQuery,
  WireEvent,
} from './api.ts'
import { watch } from './audit/watch.ts'
import type { Clock } from './clock.ts'
import { NoticeBoard } from './session/notice-board.ts'
import { Proof } from './session/proof.ts'
import { Directory, randomName, sessionEnded } from './session/registry.ts'
import { SERVER_OPERATIONS, ServerCalls } from './session/server-calls.ts'
import { Sessions } from './session/sessions.ts'
import { storageRefusal } from './stream/storage-refusal.ts'
import { Stream } from './stream/stream.ts'
import { Workspace } from './workspace.ts'

/** Where an engine keeps things; `server.ts` and tests bring it. */
export interface Storage {
  blobs: Blobs
  /** The ledger and tables of a stream: a workspace's, or the server's own (`undefined`). */
  streamOf(workspace: string | undefined): { ledger: Ledger; tables: Tables }
  /** At least 32 random bytes that stay the same for this data folder. */
  secret: Uint8Array
}

/**
 * The whole server without its doors: the directory, the workspaces, and the sessions that tie
 * connections to them. Faces call it through `EngineApi`.
 */
export class Engine implements EngineApi {
  readonly directory: Directory
  /** The admin's token, when this start made it. */
  firstToken: string | undefined
  private readonly storage: Storage
  private readonly clock: Clock
  private readonly log: (message: string, error: unknown) => void
  private readonly workspaces = new Map<string, Workspace>()
  private readonly board = new NoticeBoard()
  private readonly texts = new EditThread()
  private readonly sessions: Sessions
  private readonly serverCalls: ServerCalls
  private readonly proof: Proof
  private readonly startedAt: number
  private stopTimer: () => void = () => {}
  private stopClock: () => void = () => {}
  private isDraining = false

  constructor(
    storage: Storage,
    clock: Clock,
    log: (message: string, error: unknown) => void = console.error,
  ) {
    this.log = log
    this.storage = storage
    this.clock = clock
    this.startedAt = clock.now()
    const { ledger, tables } = storage.streamOf(undefined)
    this.directory = new Directory(new Stream('', ledger, tables, clock), clock, storage.secret)
    this.sessions = new Sessions(this.directory, this.workspaces, clock, this.board)
    this.proof = new Proof(this.sessions)
    this.serverCalls = new ServerCalls(this.directory, this.sessions, {
      all: this.workspaces,
      get: (name) => this.workspaceOf(name),
      open: (name) => this.openWorkspace(name),
      close: (name) => this.closeWorkspace(name),
    })
  }

  /** Opens the ledgers first: whoever has the server's own ledger has the whole folder. */
  async open(): Promise<void> {
    await this.directory.stream.open()
    await this.storage.blobs.open()
    this.firstToken = await this.directory.prepare()
    for (const name of this.directory.workspaces.keys()) await this.openWorkspace(name)
    await this.sessions.endOrphans()
    this.followClock()
    this.tick()
  }

  private async openWorkspace(name: string): Promise<Workspace> {
    const { ledger, tables } = this.storage.streamOf(name)
    const stream = new Stream(name, ledger, tables, this.clock)
    await stream.open()
    const { blobs, secret } = this.storage
    const workspace = new Workspace(stream, blobs, this.clock, secret, {
      board: this.board,
      about: (session) => this.directory.sessions.get(session)?.about,
      sessionFor: (to) => this.sessions.sessionFor(to),
      texts: this.texts,
      actorOf: (session) => this.directory.actorOf(session),
      isGone: (session) => this.sessions.isGone(session),
    })
    this.workspaces.set(name, workspace)
    return workspace
  }

  private async closeWorkspace(name: string): Promise<void> {
    const workspace = this.workspaces.get(name)
    this.workspaces.delete(name)
    await workspace?.close()
  }

  authenticate(token: string): Principal | undefined {
    return this.directory.authenticate(token)
  }

  callerOf(principal: Principal, named?: CallerName): Promise<Caller> {
    return this.sessions.callerOf(principal, named)
  }

  callerAs(caller: Caller, as: string): Promise<Caller> {
    return this.sessions.callerAs(caller, as)
  }

  join(caller: Caller, session: string): Promise<Output<'open_session'>> {
    return this.sessions.join(caller, session)
  }

  connect(caller: Caller): () => void {
    return this.sessions.connect(caller)
  }

  onNotice(caller: Caller, listener: NoticeListener, isResumed = false): () => void {
    return this.board.listen(caller.session, listener, isResumed)
  }

  takeNotices(caller: Caller, workspace: string): Notice[] {
    return this.board.take(caller.session, workspace)
  }

  untoldNotices(caller: Caller, workspace: string): number {
    return this.board.untold(caller.session, workspace)
  }

  call<N extends OperationName>(request: Request<N>): Promise<Answer<N>> {
    try {
      return this.route(request)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  giveBack(caller: Caller, workspace: string, lock: string): void {
    const actor = this.directory.actorOf(caller.session)
    // With the session went its locks, and with the workspace all of them.
    if (actor !== undefined) this.workspaces.get(workspace)?.giveBack(actor, lock)
  }

  private route<N extends OperationName>(request: Request<N>): Promise<Answer<N>> {
    const { operation, input, caller, content, signal } = request
    if (this.isDraining) fail('read_only_mode', 'The server is stopping. Try again in a moment.')
    const known = this.directory.actorOf(caller.session) ?? sessionEnded(caller.session)
    const actor = caller.unnamed === true ? { ...known, unnamed: true } : known
    this.sessions.heard(caller.session)
    const isServers =
      !('workspace' in input) || SERVER_OPERATIONS.has(operation) || isOfServer(operation, input)
    if (isServers) {
      const answer = this.serverCalls.call(operation, input as never, actor)
      return answer.then(
        (value) => ({ value, revision: 0 }) as Answer<N>,
        (error: unknown) => Promise.reject(storageRefusal(error)),
      )
    }
    const workspace = this.workspaceOf(input.workspace)
    if (this.proof.isNeeded(operation, input, actor)) return this.proven(request, actor, workspace)
    return workspace.call(operation, input, actor, content, signal)
  }

  /** The same for who has to prove what is its own, call by call. */
  private async proven<N extends OperationName>(
    { operation, input, content, signal }: Request<N>,
    caller: Actor,
    workspace: Workspace,
  ): Promise<Answer<N>> {
    const actor = await this.proof.actorFor(operation, input as object, caller, workspace)
    if (actor !== caller) this.sessions.heard(actor.session)
    const answer = await workspace.call(operation, input, actor, content, signal)
    if (actor !== caller) await this.sessions.endOnce(actor.session)
    return answer
  }

  /** The stream of a workspace, for whoever reads its facts. */
  streamOf(workspace: string): Stream {
    return this.workspaceOf(workspace).stream
  }

  private workspaceOf(name: string): Workspace {
    return (
      this.workspaces.get(name) ??
      fail(
        'not_found',
        `There is no workspace ${name}. List the workspaces to see what there is.`,
        {
          workspace: name,
        },
      )
    )
  }

  failed(error: unknown): Problem {
    const id = randomName()
    this.log(`error ${id}`, error)
    const detail = `The server failed. Its log has more under ${id}.`
    return problemOf(refuse('internal', detail, { id }))
  }

  /** Shown times follow the machine's clock when that is set (nothing else does). */
  private followClock(): void {
    showTimesBy(this.clock.skew?.() ?? 0, this.startedAt)
    this.stopClock = this.clock.after(CLOCK_MS, () => this.followClock())
  }

  private tick(): void {
    this.stopTimer = this.clock.after(IDLE_SWEEP_MS, () => {
      this.sessions.sweepIdle()
      this.directory.recordCounted(this.clock.now())
      this.tick()
    })
  }

  watch(caller: Caller, query: WatchQuery): AsyncIterable<WireEvent[]> {
    const actorNow = () => this.directory.actorOf(caller.session)
    if (query.workspace === SERVER_STREAM) {
      this.serverCalls.supervisor(actorNow())
      return watch(this.directory.stream, query, () => this.serverCalls.supervisor(actorNow()))
    }
    const { stream } = this.workspaceOf(query.workspace)
    assertKindsOfWorkspace(query.kinds)
    return watch(stream, query, actorNow)
  }

  revision(workspace: string): number | undefined {
    if (workspace === SERVER_STREAM) return this.directory.stream.durable
    return this.workspaces.get(workspace)?.stream.durable
  }

  health(): Health {
    const workspaces: Health['workspaces'] = {}
    for (const [name, { stream }] of this.workspaces) {
      const { locks } = stream.state
      workspaces[name] = {
        revision: stream.durable,
        locks: locks.locks.size,
        waiting: locks.tickets.size,
      }
    }
    return {
      status: this.isDraining ? 'draining' : 'ok',
      version: VERSION,
      uptime_s: Math.floor((this.clock.now() - this.startedAt) / 1000),
      workspaces,
    }
  }

  /** Takes no more calls, stores what was promised, writes snapshots, lets go of the folder. */
  async close(): Promise<void> {
    this.isDraining = true
    this.stopTimer()
    this.stopClock()
    this.sessions.stop()
    for (const workspace of this.workspaces.values()) await workspace.close()
    await this.directory.stream.close()
    await this.texts.close()
  }
}

const IDLE_SWEEP_MS = 15_000
const CLOCK_MS = 1000

function isOfServer(operation: OperationName, input: { workspace?: string }): boolean {
  const isAudit = operation === 'query_audit' || operation === 'verify_audit'
  return isAudit && input.workspace === SERVER_STREAM
}

/** Waiting for what never comes must not look like waiting. */
function assertKindsOfWorkspace(kinds: WatchQuery['kinds']): void {
  if (kinds === undefined || !kinds.every((kind) => SERVER_KINDS.has(kind))) return
  fail(
    'invalid_request',
    `${kinds.join(', ')}: a fact of the server, not of a workspace. Watch the workspace "${SERVER_STREAM}".`,
    { fields: [{ field: 'kinds', fault: 'no fact of a workspace' }] },
  )
}
