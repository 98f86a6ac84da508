import type { Notice } from '../contract/door.ts'
import { fail, type Problem, problemOf, refuse } from '../contract/errors.ts'
import {
  isOfServerOnly,
  SERVER_STREAM,
  type Settings,
  type ShownEvent,
} from '../contract/events.ts'
import { type OperationName, type Output, operationOf } from '../contract/operations.ts'
import { showTimesBy } from '../contract/time.ts'
import { VERSION } from '../contract/version.ts'
import type { Actor } from '../core/command.ts'
import type { Blobs } from '../store/blobs.ts'
import type { Ledger } from '../store/ledger.ts'
import type { Tables } from '../store/tables.ts'
import { EditThread } from '../text/edit-thread.ts'
import type { Admission } from './admission.ts'
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
} from './api.ts'
import { watch } from './audit/watch.ts'
import { Call } from './call.ts'
import type { Clock } from './clock.ts'
import { perform } from './perform.ts'
import { NoticeBoard } from './session/notice-board.ts'
import { Proof } from './session/proof.ts'
import { Registry, randomName, SELF, sessionEnded } from './session/registry.ts'
import { assertSupervisor, ServerService } from './session/serving.ts'
import { Sessions } from './session/sessions.ts'
import type { Follower } from './stream/followers.ts'
import { Stream } from './stream/stream.ts'
import type { WorkingTree } from './working-tree.ts'
import { Workspace } from './workspace.ts'

/** Where an engine keeps things; `server.ts` and tests bring it. */
export interface Storage {
  blobs: Blobs
  /** The ledger and tables of a stream: a workspace's, or the server's own (`undefined`). */
  streamOf(workspace: string | undefined): { ledger: Ledger; tables: Tables }
  /** At least 32 random bytes that stay the same for this data folder. */
  secret: Uint8Array
}

/** What is added to an engine from outside of it. */
export interface Extensions {
  /** Folds of a workspace's stream that live outside of its state; asked for once, when it opens. */
  followersOf?: (workspace: string) => readonly Follower[]
  /** The folder that a workspace is kept in step with; asked for once, when it opens. */
  workingTreeOf?: (workspace: string) => WorkingTree | undefined
  /** Workspaces that there are from the first start on, with settings of their own. */
  workspaces?: Readonly<Record<string, Partial<Settings>>>
  /** Refuses or delays calls before their body is read and before anything is decided. */
  admit?: Admission
}

/**
 * The whole server without its doors: the directory, the workspaces, and the sessions that tie
 * connections to them. Faces call it through `EngineApi`.
 */
export class Engine implements EngineApi {
  readonly registry: Registry
  /** The admin's token, when this start made it. */
  firstToken: string | undefined
  private readonly storage: Storage
  private readonly clock: Clock
  private readonly log: (message: string, error: unknown) => void
  private readonly workspaces = new Map<string, Workspace>()
  private readonly board = new NoticeBoard()
  private readonly texts = new EditThread()
  private readonly sessions: Sessions
  private readonly server: ServerService
  private readonly proof: Proof
  private readonly startedAt: number
  private readonly extensions: Required<Extensions>
  private stopTimer: () => void = () => {}
  private stopClock: () => void = () => {}
  private isDraining = false

  constructor(
    storage: Storage,
    clock: Clock,
    log: (message: string, error: unknown) => void = console.error,
    extensions: Extensions = {},
  ) {
    this.extensions = {
      followersOf: () => [],
      workingTreeOf: () => undefined,
      admit: () => undefined,
      workspaces: {},
      ...extensions,
    }
    this.log = log
    this.storage = storage
    this.clock = clock
    this.startedAt = clock.now()
    const { ledger, tables } = storage.streamOf(undefined)
    this.registry = new Registry(new Stream('', ledger, tables, clock), clock, storage.secret)
    this.sessions = new Sessions(this.registry, this.workspaces, clock, this.board)
    this.proof = new Proof(this.sessions)
    this.server = new ServerService(
      this.registry,
      this.sessions,
      {
        all: this.workspaces,
        get: (name) => this.workspaceOf(name),
        open: (name) => this.openWorkspace(name),
        close: (name) => this.closeWorkspace(name),
      },
      this.extensions.admit,
    )
  }

  /** Opens the ledgers first: whoever has the server's own ledger has the whole folder. */
  async open(): Promise<void> {
    await this.registry.stream.open()
    await this.storage.blobs.open()
    this.firstToken = await this.registry.prepare(this.extensions.workspaces)
    for (const name of this.registry.workspaces.keys()) await this.openWorkspace(name)
    await this.sessions.endOrphans()
    this.followClock()
    this.tick()
  }

  private async openWorkspace(name: string): Promise<Workspace> {
    const { ledger, tables } = this.storage.streamOf(name)
    const stream = new Stream(name, ledger, tables, this.clock)
    await stream.open()
    const { blobs, secret } = this.storage
    const workspace = new Workspace(stream, {
      ...{ blobs, secret, clock: this.clock, log: this.log },
      ...this.extensions,
      board: this.board,
      about: (session) => this.registry.sessions.get(session)?.about,
      sessionFor: (to) => this.sessions.sessionFor(to),
      texts: this.texts,
      actorOf: (session) => this.registry.actorOf(session),
      isGone: (session) => this.sessions.isGone(session),
    })
    this.workspaces.set(name, workspace)
    const own = this.extensions.workspaces[name]
    if (own !== undefined && stream.state.revision === 0) {
      const settings = { ...stream.state.settings, ...own }
      workspace.decider.run({ kind: 'set-workspace', actor: SELF, settings })
    }
    await workspace.open()
    return workspace
  }

  private async closeWorkspace(name: string): Promise<void> {
    const workspace = this.workspaces.get(name)
    this.workspaces.delete(name)
    await workspace?.close()
  }

  authenticate(token: string): Principal | undefined {
    return this.registry.authenticate(token)
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
    const actor = this.registry.actorOf(caller.session)
    // With the session went its locks, and with the workspace all of them.
    if (actor !== undefined) this.workspaces.get(workspace)?.giveBack(actor, lock)
  }

  private route<N extends OperationName>(request: Request<N>): Promise<Answer<N>> {
    if (this.isDraining) fail('read_only_mode', 'The server is stopping. Try again in a moment.')
    const { caller, operation, input } = request
    const actor = this.actorNow(caller)
    const workspace = this.workspaceAsked(operation, input)
    const call = new Call(request, actor, (workspace ?? this.server).decider, this.actorNow)
    if (workspace !== undefined && this.proof.isNeeded(operation, input, actor)) {
      return this.proven(workspace, call)
    }
    return this.performed(workspace, call)
  }

  /** The same for who has to prove what is its own, call by call. */
  private async proven<N extends OperationName>(
    workspace: Workspace,
    call: Call<N>,
  ): Promise<Answer<N>> {
    const caller = call.actor
    call.prove = () => this.proof.actorFor(call.operation, call.input, caller, workspace)
    const answer = await this.performed(workspace, call)
    // Nobody can send it again, so nobody needs its answers.
    if (call.actor !== caller && call.requestId === undefined) {
      await this.sessions.endOnce(call.actor.session)
    }
    return answer
  }

  private performed<N extends OperationName>(
    workspace: Workspace | undefined,
    call: Call<N>,
  ): Promise<Answer<N>> {
    return perform(workspace ?? this.server, call, (session) => {
      this.sessions.heard(session)
      workspace?.context.leases.heard(session, this.clock.now())
    })
  }

  /** Who a caller is by now: with the role and the rights that its agent has. */
  private readonly actorNow = ({ session, unnamed }: Caller): Actor => {
    const known = this.registry.actorOf(session) ?? sessionEnded(session)
    return unnamed === true ? { ...known, unnamed } : known
  }

  /** The workspace that a call is for; undefined: the server itself. */
  private workspaceAsked(operation: OperationName, input: object): Workspace | undefined {
    const { of } = operationOf(operation)
    const { workspace } = input as { workspace?: string }
    if (of === 'server' || workspace === undefined) return undefined
    return of === 'stream' && workspace === SERVER_STREAM ? undefined : this.workspaceOf(workspace)
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
      this.registry.decider.recordCounted(this.clock.now())
      this.tick()
    })
  }

  watch(caller: Caller, query: WatchQuery): AsyncIterable<ShownEvent[]> {
    const actorNow = () => this.registry.actorOf(caller.session)
    if (query.workspace === SERVER_STREAM) {
      const supervisorNow = (): Actor | undefined => {
        const actor = actorNow()
        if (actor !== undefined) assertSupervisor(actor)
        return actor
      }
      supervisorNow()
      return watch(this.registry.stream, query, supervisorNow)
    }
    const { stream } = this.workspaceOf(query.workspace)
    assertKindsOfWorkspace(query.kinds)
    return watch(stream, query, actorNow)
  }

  revision(workspace: string): number | undefined {
    if (workspace === SERVER_STREAM) return this.registry.stream.durable
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
    await this.registry.stream.close()
    await this.texts.close()
  }
}

const IDLE_SWEEP_MS = 15_000
const CLOCK_MS = 1000

/** Waiting for what never comes must not look like waiting. */
function assertKindsOfWorkspace(kinds: WatchQuery['kinds']): void {
  if (kinds === undefined || !kinds.every(isOfServerOnly)) return
  fail(
    'invalid_request',
    `${kinds.join(', ')}: a fact of the server, not of a workspace. Watch the workspace "${SERVER_STREAM}".`,
    { fields: [{ field: 'kinds', fault: 'no fact of a workspace' }] },
  )
}
