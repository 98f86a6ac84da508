import { fail } from '../../contract/errors.ts'
import type { EventOf } from '../../contract/events.ts'
import { DEFAULT_SETTINGS, SERVER_STREAM, type Settings } from '../../contract/events.ts'
import type { OperationName, Output, Parsed } from '../../contract/operations.ts'
import { optional } from '../../contract/optional.ts'
import { isoTime } from '../../contract/time.ts'
import { maySupervise, restOf } from '../../core/agent/rights.ts'
import type { Agent, State } from '../../core/state.ts'
import { type Admission, askingOf } from '../admission.ts'
import { auditing } from '../audit/audit.ts'
import type { Call } from '../call.ts'
import { type Handler, type Handlers, type Reader, simple } from '../handler.ts'
import type { Service } from '../perform.ts'
import type { Workspace } from '../workspace.ts'
import { type Registry, randomName, sessionEnded, sha256Of } from './registry.ts'
import type { Sessions } from './sessions.ts'

/** The workspaces of a server, as those need them who make and remove some. */
export interface WorkspaceRoom {
  readonly all: ReadonlyMap<string, Workspace>
  /** Refuses with `not_found`. */
  get(name: string): Workspace
  open(name: string): Promise<Workspace>
  close(name: string): Promise<void>
}

/** The operations of the server itself: sessions, workspaces, agents. */
export class ServerService implements Service {
  private readonly registry: Registry
  private readonly sessions: Sessions
  private readonly workspaces: WorkspaceRoom
  private readonly admission: Admission
  private readonly handlers: Handlers<'server' | 'stream'>

  constructor(
    registry: Registry,
    sessions: Sessions,
    workspaces: WorkspaceRoom,
    admission: Admission,
  ) {
    this.admission = admission
    this.registry = registry
    this.sessions = sessions
    this.workspaces = workspaces
    this.handlers = {
      ...this.ofSessions(),
      ...this.ofWorkspaces(),
      ...this.ofAgents(),
      ...auditing(registry.stream, (id) => registry.sessions.get(id)?.about),
    }
  }

  readonly revision = 0

  get decider() {
    return this.registry.decider
  }

  handlerOf<N extends OperationName>(operation: N): Handler<N> {
    return this.handlers[operation as keyof typeof this.handlers] as unknown as Handler<N>
  }

  reader({ actor }: Call, stateOf: Reader['stateOf']): Reader {
    return { state: this.registry.stream.state, actor, moment: this.registry.moment(), stateOf }
  }

  /** The server's own facts are for supervisors. */
  admit(call: Call): Promise<void> | undefined {
    const { input, actor } = call
    if ((input as { workspace?: string }).workspace === SERVER_STREAM) assertSupervisor(actor)
    return this.admission(askingOf(call, undefined))
  }

  pathsOf(): string[] {
    return []
  }

  private ofSessions(): Pick<Handlers<'server'>, 'open_session' | 'list_sessions' | 'end_session'> {
    return {
      open_session: {
        facts: ['session-opened'],
        run: (call) => this.openSession(call),
        again: async (_, fact) => {
          const { id, ttlMs } = fact as EventOf<'session-opened'>
          return this.opened(id, ttlMs, false)
        },
      },
      list_sessions: { read: (reader) => ({ sessions: this.listed(reader) }) },
      end_session: {
        facts: ['session-ended'],
        run: (call) => this.endSession(call),
        again: async () => ({ ended: true }),
      },
    }
  }

  private async openSession(call: Call<'open_session'>): Promise<Output<'open_session'>> {
    const { agent = call.actor.agent, name = randomName(), secret, ttl, about, tied } = call.input
    const id = `${agent}:${name}`
    if (secret === undefined) {
      call.decide({ kind: 'open-session', id, ttlMs: ttl * 1000, about, tied })
      this.sessions.heard(id)
      return this.opened(id, ttl * 1000, false)
    }
    if (!this.registry.isSecretOf(id, secret)) {
      fail('unauthenticated', 'That secret does not resume this session.')
    }
    const open = this.registry.sessions.get(id) ?? sessionEnded(id)
    this.sessions.heard(id)
    return this.opened(id, open.ttlMs, true)
  }

  private opened(id: string, ttlMs: number, resumed: boolean): Output<'open_session'> {
    const agent = id.slice(0, id.indexOf(':'))
    return { id, secret: this.registry.secretOf(id), agent, ttl: ttlMs / 1000, resumed }
  }

  private listed({ state, actor, stateOf }: Reader): Output<'list_sessions'>['sessions'] {
    const all = [...state.directory.sessions.values()]
    const visible = maySupervise(actor.role) ? all : all.filter((one) => one.agent === actor.agent)
    const owners = [...this.workspaces.all.values()].map(
      ({ stream }) => stateOf(stream).locks.owners,
    )
    return visible.map(({ id, agent, ttlMs, openedAt, about }) => ({
      id,
      agent,
      ttl: ttlMs / 1000,
      opened_at: isoTime(openedAt),
      connected: this.sessions.isConnected(id),
      locks: owners.reduce((sum, one) => sum + (one.get(id)?.locks.size ?? 0), 0),
      ...optional('about', about),
    }))
  }

  private async endSession(call: Call<'end_session'>): Promise<Output<'end_session'>> {
    const { id } = call.input
    if (!this.registry.sessions.has(id)) return { ended: false }
    await this.sessions.end(id, 'ended', call.actor, () => {
      call.decide({ kind: 'close-session', id, reason: 'ended' })
      return call.settled()
    })
    return { ended: true }
  }

  private ofWorkspaces(): Pick<
    Handlers<'server'>,
    'list_workspaces' | 'get_workspace' | 'put_workspace' | 'delete_workspace'
  > {
    return {
      list_workspaces: {
        read: ({ stateOf }) => ({
          workspaces: [...this.workspaces.all.keys()].map((name) =>
            this.workspaceFacts(name, stateOf),
          ),
        }),
      },
      get_workspace: {
        read: ({ stateOf }, { input }) => this.workspaceFacts(input.workspace, stateOf),
      },
      put_workspace: {
        facts: ['workspace-made'],
        run: (call) => this.putWorkspace(call),
        again: async (call) => ({ ...(await this.set(call)), created: true }),
      },
      delete_workspace: {
        facts: ['workspace-removed'],
        run: async (call) => {
          const { workspace: name } = call.input
          const { events } = call.decide({ kind: 'remove-workspace', name })
          await call.settled()
          await this.workspaces.close(name)
          return { removed: events.length > 0 }
        },
        again: async () => ({ removed: true }),
      },
    }
  }

  private workspaceFacts(name: string, stateOf: Reader['stateOf']): Output<'get_workspace'> {
    const { stream, context } = this.workspaces.get(name)
    const { settings } = stateOf(stream)
    const folder = context.tree?.report()
    const kind = folder === undefined ? 'managed' : 'folder'
    return { name, kind, ...optional('folder', folder), revision: stream.durable, settings }
  }

  private async putWorkspace(call: Call<'put_workspace'>): Promise<Output<'put_workspace'>> {
    const { workspace: name, settings } = call.input
    if (name === SERVER_STREAM) {
      fail('invalid_request', `"${SERVER_STREAM}" is where the server's own facts are asked for.`, {
        fields: [{ field: 'workspace', fault: 'taken' }],
      })
    }
    const before = this.workspaces.all.get(name)?.stream.state.settings
    const portable = settings.portable_names ?? before?.portable_names
    if (before !== undefined && portable !== before.portable_names) {
      fail('invalid_request', 'portable_names is fixed when a workspace is made.')
    }
    if (before === undefined) {
      const all = { ...DEFAULT_SETTINGS, ...defined(settings) }
      call.decide({ kind: 'make-workspace', name, settings: all })
      await call.settled()
    }
    return { ...(await this.set(call)), created: before === undefined }
  }

  /** In the stream of the workspace itself, which is opened where it is not. */
  private async set({
    input: { workspace: name, settings },
    actor,
  }: Call<'put_workspace'>): Promise<Output<'get_workspace'>> {
    const workspace = this.workspaces.all.get(name) ?? (await this.workspaces.open(name))
    const { stream, decider } = workspace
    const asked = { ...stream.state.settings, ...defined(settings) }
    const isSet = JSON.stringify(asked) === JSON.stringify(stream.state.settings)
    if (!isSet) decider.run({ kind: 'set-workspace', actor, settings: asked })
    const stateOf = () => stream.state
    await stream.settled(stream.lastFact)
    return this.workspaceFacts(name, stateOf)
  }

  private ofAgents(): Pick<
    Handlers<'server'>,
    | 'list_agents'
    | 'get_agent'
    | 'put_agent'
    | 'delete_agent'
    | 'create_token'
    | 'put_group'
    | 'list_groups'
  > {
    return {
      list_agents: {
        read: ({ state }) => ({
          agents: [...state.directory.agents.keys()].map((name) => agentFacts(state, name)),
        }),
      },
      get_agent: { read: ({ state }, { input }) => agentFacts(state, input.name) },
      put_agent: simple({
        facts: ['agent-set'],
        decide(call) {
          const { name, role, group, rights } = call.input
          return call.decide({ kind: 'set-agent', name, role, group, rights }).events[0]
        },
        answer: ({ input }, fact) => ({
          ...agentFacts(this.registry.stream.state, input.name),
          created: fact?.result?.created === true,
        }),
      }),
      delete_agent: {
        facts: ['agent-removed'],
        run: async (call) => {
          const { events } = call.decide({ kind: 'remove-agent', name: call.input.name })
          await call.settled()
          await this.endAllOf(call)
          return { removed: events.length > 0 }
        },
        again: async (call) => {
          await this.endAllOf(call)
          return { removed: true }
        },
      },
      create_token: simple({
        facts: ['token-created', 'tokens-revoked'],
        decide: (call) => {
          const { name: agent, label, revoke_others: revokeOthers = false } = call.input
          const sha256 = sha256Of(this.tokenOf(call))
          return call.decide({ kind: 'create-token', agent, sha256, label, revokeOthers }).events[0]
        },
        answer: (call) => ({ agent: call.input.name, token: this.tokenOf(call) }),
      }),
      put_group: simple({
        facts: ['group-set'],
        decide: (call) => {
          const { name, rights } = call.input
          return call.decide({ kind: 'set-group', name, rights }).events[0]
        },
        answer: ({ input: { name, rights } }) => ({ name, rights }),
      }),
      list_groups: {
        read: ({ state }) => ({
          groups: [...state.directory.groups].map(([name, rights]) => ({ name, rights })),
        }),
      },
    }
  }

  /** One token for one call, however often it is asked for. */
  private tokenOf(call: Call<'create_token'>): string {
    const token =
      this.tokens.get(call) ?? this.registry.tokenFor(call.actor.session, call.requestId)
    this.tokens.set(call, token)
    return token
  }

  private readonly tokens = new WeakMap<Call<'create_token'>, string>()

  private async endAllOf({ input: { name }, actor }: Call<'delete_agent'>): Promise<void> {
    const own = [...this.registry.sessions.values()].filter((one) => one.agent === name)
    await Promise.all(own.map(({ id }) => this.sessions.end(id, 'agent-removed', actor)))
  }
}

function agentFacts({ directory }: State, name: string): Output<'get_agent'> {
  const agent = directory.agents.get(name)
  if (agent === undefined) return fail('not_found', `There is no agent ${name}.`, { name })
  const { role, group, rights, tokens } = agent
  const sessions = [...directory.sessions.values()].filter((one) => one.agent === name)
  return {
    name,
    role,
    ...optional('group', group),
    rights,
    in_force: inForce(agent, directory.groups),
    tokens: tokens.length,
    sessions: sessions.length,
  }
}

function inForce(
  { rights, group }: Agent,
  groups: State['directory']['groups'],
): Output<'get_agent'>['in_force'] {
  const shared = group === undefined ? [] : (groups.get(group) ?? [])
  const given = [
    ...rights.map((right) => ({ ...right, from: 'own' as const })),
    ...shared.map((right) => ({ ...right, from: 'group' as const })),
  ]
  const rest = restOf(given)
  return rest === undefined ? given : [...given, { ...rest, from: 'default' as const }]
}

/** Who may see the server's own facts; throws for all others. */
export function assertSupervisor({ role }: { role: Call['actor']['role'] }): void {
  if (maySupervise(role)) return
  fail('forbidden', 'Only supervisors, people and admins may see the server’s own facts.', {
    needed: 'supervisor',
  })
}

function defined(settings: Parsed<'put_workspace'>['settings']): Partial<Settings> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
}
