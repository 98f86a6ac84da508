import { fail } from '../../contract/errors.ts'
import { DEFAULT_SETTINGS, SERVER_STREAM, type Settings } from '../../contract/events.ts'
import type { OperationName, Output, Parsed } from '../../contract/operations.ts'
import { maySupervise, restOf } from '../../core/agent/rights.ts'
import type { Actor } from '../../core/command.ts'
import type { Agent } from '../../core/state.ts'
import { queryAudit, verifyAudit } from '../audit/audit.ts'
import type { Workspace } from '../workspace.ts'
import type { Directory } from './registry.ts'
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
export class ServerCalls {
  private readonly directory: Directory
  private readonly sessions: Sessions
  private readonly workspaces: WorkspaceRoom

  constructor(directory: Directory, sessions: Sessions, workspaces: WorkspaceRoom) {
    this.directory = directory
    this.sessions = sessions
    this.workspaces = workspaces
  }

  async call(operation: OperationName, input: never, actor: Actor): Promise<unknown> {
    switch (operation) {
      case 'open_session':
        return this.sessions.open(input, actor)
      case 'list_sessions':
        return { sessions: this.sessions.list(actor) }
      case 'end_session':
        return this.sessions.endCall(input, actor)
      case 'list_workspaces':
        return {
          workspaces: [...this.workspaces.all.keys()].map((name) => this.workspaceFacts(name)),
        }
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
      case 'list_groups': {
        assertSupervisor(actor)
        const groups = [...this.directory.groups]
        return { groups: groups.map(([name, rights]) => ({ name, rights })) }
      }
      case 'query_audit':
        this.supervisor(actor)
        return queryAudit(this.directory.stream, actor, input, (id) => this.aboutOf(id))
      case 'verify_audit':
        this.supervisor(actor)
        return verifyAudit(this.directory.stream)
      default:
        throw new Error(`The operation ${operation} is not one of the server.`)
    }
  }

  /** Who may see the server's own facts; throws for all others. */
  supervisor(actor: Actor): Actor
  supervisor(actor: Actor | undefined): Actor | undefined
  supervisor(actor: Actor | undefined): Actor | undefined {
    if (actor !== undefined) assertSupervisor(actor)
    return actor
  }

  private aboutOf(session: string): Record<string, string> | undefined {
    return this.directory.sessions.get(session)?.about
  }

  private workspaceFacts(name: string): Output<'get_workspace'> {
    const { stream } = this.workspaces.get(name)
    const { settings } = stream.state
    return { name, kind: 'managed', revision: stream.durable, settings }
  }

  private async putWorkspace(
    input: Parsed<'put_workspace'>,
    actor: Actor,
  ): Promise<Output<'put_workspace'>> {
    const name = input.workspace
    if (name === SERVER_STREAM) {
      fail('invalid_request', `"${SERVER_STREAM}" is where the server's own facts are asked for.`, {
        fields: [{ field: 'workspace', fault: 'taken' }],
      })
    }
    const known = this.workspaces.all.get(name)
    const before = known?.stream.state.settings ?? DEFAULT_SETTINGS
    const settings = { ...before, ...defined(input.settings) }
    if (known !== undefined && settings.portable_names !== before.portable_names) {
      fail('invalid_request', 'portable_names is fixed when a workspace is made.')
    }
    let workspace = known
    if (workspace === undefined) {
      await this.directory.run({ kind: 'make-workspace', actor, name, settings })
      workspace = await this.workspaces.open(name)
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
    await this.workspaces.close(input.workspace)
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
      in_force: this.inForce(agent),
      tokens: tokens.length,
      sessions: sessions.length,
    }
  }

  private inForce({ rights, group }: Agent): Output<'get_agent'>['in_force'] {
    const shared = group === undefined ? [] : (this.directory.groups.get(group) ?? [])
    const given = [
      ...rights.map((right) => ({ ...right, from: 'own' as const })),
      ...shared.map((right) => ({ ...right, from: 'group' as const })),
    ]
    const rest = restOf(given)
    return rest === undefined ? given : [...given, { ...rest, from: 'default' as const }]
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
    await Promise.all(own.map(({ id }) => this.sessions.end(id, 'agent-removed', actor)))
    return { removed: event !== undefined }
  }
}

/** They name a workspace but are decided by the server. */
export const SERVER_OPERATIONS: ReadonlySet<OperationName> = new Set([
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
