import { setTimeout as pause } from 'node:timers/promises'
import { connect, type Input, type Sluice } from '../../src/client/index.ts'
import { optional } from '../../src/contract/optional.ts'
import { NearServer } from '../server/near.ts'

/** One real server for a whole file of scenarios, and agents on it. */
export class House {
  readonly server: NearServer
  private readonly admin: Sluice
  private readonly tokens = new Map<string, Promise<string>>()

  private constructor(server: NearServer, admin: Sluice) {
    this.server = server
    this.admin = admin
  }

  static async open(): Promise<House> {
    const server = await NearServer.open()
    return new House(server, await connect({ url: server.url, token: server.adminToken }))
  }

  get url(): string {
    return this.server.url
  }

  /** Time that nobody has to wait for: TTLs, deadlines and delays pass. */
  leap(seconds: number): void {
    this.server.clock.leap(seconds * 1000)
  }

  /** Makes an agent a supervisor, before it comes in. */
  async appoint(agent: string): Promise<void> {
    await this.admin.call('put_agent', { name: agent, role: 'supervisor' })
    this.tokens.set(
      agent,
      this.admin.call('create_token', { name: agent }).then(({ value }) => value.token),
    )
  }

  /** What became of the locks on a path, as the audit has it. */
  async audit(kind: string): Promise<string> {
    return JSON.stringify((await this.admin.call('query_audit', { kind })).value.rows)
  }

  /** What a supervisor does meanwhile. */
  async recall(id: string, reason: string, grace: number): Promise<void> {
    await this.admin.call('recall_lock', { id, reason, grace })
  }

  /** Resolves when somebody stands in the queue for a path. */
  async untilWaiting(path: string): Promise<void> {
    const files = this.admin.workspace()
    while ((await files.locks({ path })).waiting.length === 0) await pause(5)
  }

  async set(settings: Input<'put_workspace'>['settings']): Promise<void> {
    await this.admin.call('put_workspace', { workspace: 'main', ...optional('settings', settings) })
  }

  /** The token of an agent, who is made when first asked for. */
  tokenOf(agent: string): Promise<string> {
    const known = this.tokens.get(agent) ?? this.makeAgent(agent)
    this.tokens.set(agent, known)
    return known
  }

  private async makeAgent(name: string): Promise<string> {
    await this.admin.call('put_agent', { name })
    return (await this.admin.call('create_token', { name })).value.token
  }

  async close(): Promise<void> {
    await this.admin.close()
    await this.server.close()
  }
}
