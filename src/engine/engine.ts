import { fail, type Problem, problemOf, refuse } from '../contract/errors.ts'
import { DEFAULT_SETTINGS, type Settings } from '../contract/events.ts'
import { LIMITS } from '../contract/limits.ts'
import type { OperationName, Output, Parsed } from '../contract/operations.ts'
import { isoTime } from '../contract/time.ts'
import { VERSION } from '../contract/version.ts'
import { maySupervise } from '../core/agent/rights.ts'
import type { Actor, EndSession } from '../core/command.ts'
import type { Blobs } from '../store/blobs.ts'
import type { Ledger } from '../store/ledger.ts'
import type { Tables } from '../store/tables.ts'
import type {
  Answer,
  Caller,
  EngineApi,
  Health,
  Principal,
  Request,
  WatchQuery,
  WireEvent,
} from './api.ts'
import type { Clock } from './clock.ts'
import { Directory, randomName, sessionEnded } from './directory.ts'
import { Stream } from './stream.ts'
import { watch } from './watch.ts'
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
  private readonly connections = new Map<string, Connected>()
  private readonly opening = new Map<string, Promise<string>>()
  private readonly heardAt = new Map<string, number>()
  private readonly startedAt: number
  private stopTimer: () => void = () => {}
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
    this.directory = new Directory(new Stream('', ledger, tables), clock, storage.secret)
  }

  /** Opens the ledgers first: whoever has the server's own ledger has the whole folder. */
  async open(): Promise<void> {
    await this.directory.stream.open()
    await this.storage.blobs.open()
    this.firstToken = await this.directory.prepare()
    for (const name of this.directory.workspaces.keys()) await this.openWorkspace(name)
    await this.endOrphans()
    this.tick()
  }

  /** A crash between the two ends of a session must not leave its locks and tickets behind. */
  private async endOrphans(): Promise<void> {
    for (const workspace of this.workspaces.values()) {
      for (const session of [...workspace.stream.state.locks.owners.keys()]) {
        if (!this.directory.sessions.has(session)) await workspace.endSession(session, 'ended')
      }
    }
  }

  private async openWorkspace(name: string): Promise<Workspace> {
    const { ledger, tables } = this.storage.streamOf(name)
    const stream = new Stream(name, ledger, tables)
    await stream.open()
    const { blobs, secret } = this.storage
    const about = (session: string) => this.directory.sessions.get(session)?.about
    const workspace = new Workspace(stream, blobs, this.clock, secret, about)
    this.workspaces.set(name, workspace)
    return workspace
  }

  authenticate(token: string): Principal | undefined {
    return this.directory.authenticate(token)
  }

  async callerOf(principal: Principal, sessionName?: string): Promise<Caller> {
    const { agent, name } = this.sessionOf(principal, sessionName ?? 'default')
    const id = `${agent}:${name}`
    if (!this.directory.sessions.has(id)) {
      // Two first calls at once open it once.
      let opening = this.opening.get(id)
      if (opening === undefined) {
        const actor: Actor = {
          agent: principal.name,
          session: id,
          role: principal.role,
          rights: [],
        }
        opening = this.directory
          .openSession(actor, agent, name, DEFAULT_SESSION_TTL_MS, undefined)
          .finally(() => this.opening.delete(id))
        this.opening.set(id, opening)
      }
      await opening
    }
    return this.directory.actorOf(id) ?? sessionEnded(id)
  }

  /** The session that a name or a full id means; only admins may work in those of others. */
  private sessionOf(principal: Principal, given: string): { agent: string; name: string } {
    const colon = given.indexOf(':')
    const agent = colon < 0 ? principal.name : given.slice(0, colon)
    const name = given.slice(colon + 1)
    if (agent !== principal.name) {
      if (principal.role !== 'admin') {
        fail('forbidden', `The session ${given} belongs to somebody else; principals share none.`)
      }
      if (!this.directory.agents.has(agent)) {
        fail('not_found', `There is no agent ${agent}. Make it first.`)
      }
    }
    if (!/^[A-Za-z0-9._-]{1,64}$/.test(name)) {
      fail('invalid_request', 'A session name is 1 to 64 of A–Z a–z 0–9 . _ -')
    }
    return { agent, name }
  }

  call<N extends OperationName>(request: Request<N>): Promise<Answer<N>> {
    try {
      return this.route(request)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  private route<N extends OperationName>(request: Request<N>): Promise<Answer<N>> {
    const { operation, input, caller, content, signal } = request
    if (this.isDraining) fail('read_only_mode', 'The server is stopping. Try again in a moment.')
    const actor = this.directory.actorOf(caller.session) ?? sessionEnded(caller.session)
    this.heardAt.set(caller.session, this.clock.now())
    if (!('workspace' in input) || SERVER_OPERATIONS.has(operation)) {
      const answer = this.server(operation, input as never, actor)
      return answer.then((value) => ({ value, revision: 0 }) as Answer<N>)
    }
    return this.workspaceOf(input.workspace).call(operation, input, actor, content, signal)
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

  // ── operations of the server itself ──────────────────────────────────────────────────────────

  private async server(operation: OperationName, input: never, actor: Actor): Promise<unknown> {
    switch (operation) {
      case 'open_session':
        return this.openSession(input, actor)
      case 'list_sessions':
        return { sessions: this.listSessions(actor) }
      case 'end_session':
        return this.endSessionCall(input, actor)
      case 'list_workspaces':
        return { workspaces: [...this.workspaces.keys()].map((name) => this.workspaceFacts(name)) }
      case 'get_workspace':
        return this.workspaceFacts((input as Parsed<'get_workspace'>).workspace)
      case 'put_workspace':
        return this.putWorkspace(input, actor)
      case 'delete_workspace':
        return this.deleteWorkspace(input, actor)
      case 'list_agents':
        assertSupervisor(actor)
        return { agents: [...this.directory.agents.keys()].map((name) => this.agentFacts(name)) }
      case 'get_agent':
        assertSupervisor(actor)
        return this.agentFacts((input as Parsed<'get_agent'>).name)
      case 'put_agent':
        return this.putAgent(input, actor)
      case 'delete_agent':
        return this.deleteAgent(input, actor)
      case 'create_token': {
        const { name } = input as Parsed<'create_token'>
        return { agent: name, token: await this.directory.createToken(actor, input) }
      }
      case 'put_group': {
        const { name, rights } = input as Parsed<'put_group'>
        await this.directory.run({ kind: 'set-group', actor, name, rights })
        return { name, rights }
      }
      default:
        throw new Error(`The operation ${operation} is not one of the server.`)
    }
  }

  private async openSession(
    input: Parsed<'open_session'>,
    actor: Actor,
  ): Promise<Output<'open_session'>> {
    const agent = input.agent ?? actor.agent
    if (agent !== actor.agent) {
      if (actor.role !== 'admin') fail('forbidden', 'Only an admin may open sessions for others.')
      if (!this.directory.agents.has(agent)) {
        fail('not_found', `There is no agent ${agent}. Make it first.`)
      }
    }
    const name = input.name ?? randomName()
    const id = `${agent}:${name}`
    const open = this.directory.sessions.get(id)
    const facts = { id, secret: this.directory.secretOf(id), agent }
    if (input.secret !== undefined) {
      if (!this.directory.isSecretOf(id, input.secret)) {
        fail('unauthenticated', 'That secret does not resume this session.')
      }
      if (open === undefined) sessionEnded(id)
      this.heardAt.set(id, this.clock.now())
      return { ...facts, ttl: open.ttlMs / 1000, resumed: true }
    }
    await this.directory.openSession(actor, agent, name, input.ttl * 1000, input.about)
    this.heardAt.set(id, this.clock.now())
    return { ...facts, ttl: input.ttl, resumed: false }
  }

  async join(caller: Caller, session: string): Promise<Output<'open_session'>> {
    const open = this.directory.sessions.get(session)
    if (open === undefined || open.agent !== caller.agent) return sessionEnded(session)
    const secret = this.directory.secretOf(session)
    return { id: session, secret, agent: open.agent, ttl: open.ttlMs / 1000, resumed: true }
  }

  failed(error: unknown): Problem {
    const id = randomName()
    this.log(`error ${id}`, error)
    const detail = `The server failed. Its log has more under ${id}.`
    return problemOf(refuse('internal', detail, { id }))
  }

  private listSessions(actor: Actor): Output<'list_sessions'>['sessions'] {
    const all = [...this.directory.sessions.values()]
    const visible = maySupervise(actor.role) ? all : all.filter((one) => one.agent === actor.agent)
    return visible.map(({ id, agent, ttlMs, openedAt, about }) => ({
      id,
      agent,
      ttl: ttlMs / 1000,
      opened_at: isoTime(openedAt),
      connected: this.connections.has(id),
      locks: [...this.workspaces.values()].reduce(
        (sum, one) => sum + (one.stream.state.locks.owners.get(id)?.locks.size ?? 0),
        0,
      ),
      ...(about === undefined ? {} : { about }),
    }))
  }

  private async endSessionCall(
    input: Parsed<'end_session'>,
    actor: Actor,
  ): Promise<Output<'end_session'>> {
    const session = this.directory.sessions.get(input.id)
    if (session === undefined) return { ended: false }
    if (session.agent !== actor.agent && !maySupervise(actor.role)) {
      fail('forbidden', `The session ${input.id} belongs to somebody else.`)
    }
    await this.endSession(input.id, 'ended', actor)
    return { ended: true }
  }

  /** Ends it everywhere: first in each workspace, so that no lock outlives its session. */
  private async endSession(id: string, reason: EndSession['reason'], actor: Actor): Promise<void> {
    this.connections.get(id)?.cancelGrace?.()
    this.connections.delete(id)
    this.heardAt.delete(id)
    const closing = this.directory.run({ kind: 'close-session', actor, id, reason })
    await Promise.all([
      closing,
      ...[...this.workspaces.values()].map((workspace) => workspace.endSession(id, reason)),
    ])
  }

  private workspaceFacts(name: string): Output<'get_workspace'> {
    const { stream } = this.workspaceOf(name)
    const { settings } = stream.state
    return { name, kind: 'managed', revision: stream.durable, settings }
  }

  private async putWorkspace(
    input: Parsed<'put_workspace'>,
    actor: Actor,
  ): Promise<Output<'put_workspace'>> {
    const name = input.workspace
    const known = this.workspaces.get(name)
    const before = known?.stream.state.settings ?? DEFAULT_SETTINGS
    const settings = { ...before, ...defined(input.settings) }
    if (known !== undefined && settings.portable_names !== before.portable_names) {
      fail('invalid_request', 'portable_names is fixed when a workspace is made.')
    }
    let workspace = known
    if (workspace === undefined) {
      await this.directory.run({ kind: 'make-workspace', actor, name, settings })
      workspace = await this.openWorkspace(name)
    }
    await workspace.set({ kind: 'set-workspace', actor, settings })
    return { ...this.workspaceFacts(name), created: known === undefined }
  }

  private async deleteWorkspace(
    input: Parsed<'delete_workspace'>,
    actor: Actor,
  ): Promise<Output<'delete_workspace'>> {
    const event = await this.directory.run({
      kind: 'remove-workspace',
      actor,
      name: input.workspace,
    })
    const workspace = this.workspaces.get(input.workspace)
    this.workspaces.delete(input.workspace)
    await workspace?.close()
    return { removed: event !== undefined }
  }

  private agentFacts(name: string): Output<'get_agent'> {
    const agent = this.directory.agents.get(name)
    if (agent === undefined) return fail('not_found', `There is no agent ${name}.`, { name })
    const { role, group, rights, tokens } = agent
    const sessions = [...this.directory.sessions.values()].filter((one) => one.agent === name)
    return {
      name,
      role,
      ...(group === undefined ? {} : { group }),
      rights,
      tokens: tokens.length,
      sessions: sessions.length,
    }
  }

  private async putAgent(input: Parsed<'put_agent'>, actor: Actor): Promise<Output<'put_agent'>> {
    const { name, role, group, rights } = input
    const created = !this.directory.agents.has(name)
    await this.directory.run({ kind: 'set-agent', actor, name, role, group, rights })
    return { ...this.agentFacts(name), created }
  }

  private async deleteAgent(
    input: Parsed<'delete_agent'>,
    actor: Actor,
  ): Promise<Output<'delete_agent'>> {
    const event = await this.directory.run({ kind: 'remove-agent', actor, name: input.name })
    const own = [...this.directory.sessions.values()].filter((one) => one.agent === input.name)
    await Promise.all(own.map(({ id }) => this.endSession(id, 'agent-removed', actor)))
    return { removed: event !== undefined }
  }

  // ── sessions and connections ─────────────────────────────────────────────────────────────────

  connect(caller: Caller): () => void {
    const id = caller.session
    let connected = this.connections.get(id)
    if (connected === undefined) {
      connected = { count: 0, cancelGrace: undefined }
      this.connections.set(id, connected)
    }
    connected.count += 1
    connected.cancelGrace?.()
    connected.cancelGrace = undefined
    let isOpen = true
    return () => {
      if (!isOpen || this.isDraining) return
      isOpen = false
      this.disconnected(id, connected)
    }
  }

  /** locks §26: locks go after the grace, not at their TTL. */
  private disconnected(id: string, connected: Connected): void {
    connected.count -= 1
    if (connected.count > 0 || this.connections.get(id) !== connected) return
    connected.cancelGrace = this.clock.after(LIMITS.disconnectGraceMs, () => {
      this.endQuietly(id, 'disconnected')
    })
  }

  private endQuietly(id: string, reason: EndSession['reason']): void {
    const actor = this.directory.actorOf(id)
    if (actor === undefined) return
    // A stream that is being read again refuses; the idle sweep finds the session later.
    this.endSession(id, reason, actor).catch(() => {})
  }

  private tick(): void {
    this.stopTimer = this.clock.after(IDLE_SWEEP_MS, () => {
      this.sweepIdle()
      this.directory.recordCounted(this.clock.now())
      this.tick()
    })
  }

  private sweepIdle(): void {
    const now = this.clock.now()
    for (const { id, ttlMs } of this.directory.sessions.values()) {
      const heard = this.heardAt.get(id) ?? this.startedAt
      if (now - heard < ttlMs || (this.connections.get(id)?.count ?? 0) > 0) continue
      if ([...this.workspaces.values()].some((one) => one.holdsAnything(id))) continue
      this.endQuietly(id, 'idle')
    }
  }

  watch(caller: Caller, query: WatchQuery): AsyncIterable<WireEvent[]> {
    const { stream } = this.workspaceOf(query.workspace)
    return watch(stream, query, () => this.directory.actorOf(caller.session))
  }

  revision(workspace: string): number | undefined {
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
    for (const { cancelGrace } of this.connections.values()) cancelGrace?.()
    for (const workspace of this.workspaces.values()) await workspace.close()
    await this.directory.stream.close()
  }
}

interface Connected {
  count: number
  cancelGrace: (() => void) | undefined
}

const DEFAULT_SESSION_TTL_MS = 3600_000
const IDLE_SWEEP_MS = 15_000

/** They name a workspace but are decided by the server. */
const SERVER_OPERATIONS: ReadonlySet<OperationName> = new Set([
  'get_workspace',
  'put_workspace',
  'delete_workspace',
] as const)

function assertSupervisor(actor: Actor): void {
  if (!maySupervise(actor.role)) {
    fail('forbidden', 'Only supervisors, people and admins may see that.', { needed: 'supervisor' })
  }
}

function defined(settings: Parsed<'put_workspace'>['settings']): Partial<Settings> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
}
