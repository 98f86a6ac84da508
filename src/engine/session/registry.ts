import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { fail, SluiceError } from '../../contract/errors.ts'
import {
  DEFAULT_SETTINGS,
  type Event,
  type PathRight,
  type Settings,
} from '../../contract/events.ts'
import type { OperationName } from '../../contract/operations.ts'
import type { Actor, DirectoryCommand, Moment } from '../../core/command.ts'
import type { Agent, Session } from '../../core/state.ts'
import type { Principal } from '../api.ts'
import type { Clock } from '../clock.ts'
import { Decider } from '../stream/decider.ts'
import { storageRefusal } from '../stream/storage-refusal.ts'
import type { Stream } from '../stream/stream.ts'

/**
 * The server's own stream at work: who may connect, their sessions, and which workspaces there are.
 * Tokens are 256 random bits, kept as SHA-256 only; a session's secret is an HMAC, kept nowhere.
 */
export class Registry {
  readonly stream: Stream
  readonly decider: Decider
  private readonly clock: Clock
  private readonly secret: Uint8Array
  private readonly rights = new Map<string, readonly PathRight[]>()
  private readonly actors = new Map<string, Actor>()

  constructor(stream: Stream, clock: Clock, secret: Uint8Array) {
    this.stream = stream
    this.clock = clock
    this.secret = secret
    this.decider = new Decider(stream, {
      moment: () => this.moment(),
      // Whatever changes, rights are worked out again when they are next needed.
      decided: () => this.forgetWorkedOut(),
    })
    stream.onReload(() => this.forgetWorkedOut())
  }

  get agents(): ReadonlyMap<string, Agent> {
    return this.stream.state.directory.agents
  }

  get groups(): ReadonlyMap<string, readonly PathRight[]> {
    return this.stream.state.directory.groups
  }

  get sessions(): ReadonlyMap<string, Session> {
    return this.stream.state.directory.sessions
  }

  get workspaces(): ReadonlyMap<string, Settings> {
    return this.stream.state.directory.workspaces
  }

  /** A first start makes the workspace `main`, the agent `admin` and its token, which is returned. */
  async prepare(
    workspaces: Readonly<Record<string, Partial<Settings>>> = {},
  ): Promise<string | undefined> {
    for (const [name, own] of Object.entries({ main: {}, ...workspaces })) {
      if (this.workspaces.has(name)) continue
      const settings = { ...DEFAULT_SETTINGS, ...own }
      await this.run({ kind: 'make-workspace', actor: SELF, name, settings }, 'put_workspace')
    }
    const admin = this.agents.get('admin')
    if (admin !== undefined && admin.tokens.length > 0) return undefined
    const admins = { name: 'admin', role: 'admin', rights: [] } as const
    await this.run({ kind: 'set-agent', actor: SELF, ...admins, rights: [] }, 'put_agent')
    const token = this.tokenFor(SELF.session, undefined)
    await this.run(
      {
        ...{ kind: 'create-token', actor: SELF, agent: 'admin', label: 'first start' },
        ...{ sha256: sha256Of(token), revokeOthers: false },
      },
      'create_token',
    )
    return token
  }

  authenticate(token: string): Principal | undefined {
    if (token.length > 256) return undefined
    const sha256 = sha256Of(token)
    const name = this.stream.state.directory.tokens.get(sha256)
    const agent = name === undefined ? undefined : this.agents.get(name)
    const known = agent?.tokens.find((one) => one.sha256 === sha256)
    if (agent === undefined || known === undefined) return undefined
    const isSame = timingSafeEqual(Buffer.from(known.sha256), Buffer.from(sha256))
    return isSame ? { name: agent.name, role: agent.role } : undefined
  }

  /** Who a session acts as, as of now; undefined when it or its agent is gone. */
  actorOf(sessionId: string): Actor | undefined {
    let actor = this.actors.get(sessionId)
    if (actor === undefined) {
      actor = this.actorNow(sessionId)
      if (actor !== undefined) this.actors.set(sessionId, actor)
    }
    return actor
  }

  private forgetWorkedOut(): void {
    this.rights.clear()
    this.actors.clear()
  }

  private actorNow(sessionId: string): Actor | undefined {
    const session = this.sessions.get(sessionId)
    const agent = session === undefined ? undefined : this.agents.get(session.agent)
    if (session === undefined || agent === undefined) return undefined
    const rights = this.rightsOf(agent)
    return { agent: agent.name, session: sessionId, role: agent.role, rights }
  }

  /** An agent's own rules first, then its group's (see core/agent/rights.ts). */
  private rightsOf(agent: Agent): readonly PathRight[] {
    let rights = this.rights.get(agent.name)
    if (rights === undefined) {
      const { groups } = this.stream.state.directory
      const group = agent.group === undefined ? [] : (groups.get(agent.group) ?? [])
      rights = [...agent.rights, ...group]
      this.rights.set(agent.name, rights)
    }
    return rights
  }

  async openSession(
    actor: Actor,
    { agent, name, ttlMs, about, tied }: NewSession,
  ): Promise<string> {
    const id = `${agent}:${name}`
    await this.run({ kind: 'open-session', actor, id, ttlMs, about, tied }, 'open_session')
    return id
  }

  /** Those who share a session. */
  callersIn(session: string): Iterable<string> {
    return this.stream.state.directory.callers.get(session) ?? []
  }

  secretOf(session: string): string {
    return createHmac('sha256', this.secret).update(`session ${session}`).digest('base64url')
  }

  isSecretOf(session: string, secret: string): boolean {
    const right = Buffer.from(this.secretOf(session))
    const given = Buffer.from(secret)
    return given.length === right.length && timingSafeEqual(given, right)
  }

  /** 256 bits. Of a request with an id the same ones again, so that a retry gets the same token. */
  tokenFor(session: string, requestId: string | undefined): string {
    const bits =
      requestId === undefined
        ? randomBytes(32)
        : createHmac('sha256', this.secret).update(`token ${session} ${requestId}`).digest()
    return `slc_${bits.toString('base64url')}`
  }

  /** Of the server itself, or what a call needs besides: decided, and stored; refusals are thrown. */
  async run(command: DirectoryCommand, operation: OperationName): Promise<Event | undefined> {
    try {
      const { refusal, events } = this.decider.run(command)
      const seen = this.stream.lastFact
      if (refusal !== undefined)
        this.decider.record(command.actor, operation, [], refusal, undefined)
      await this.stream.settled(seen)
      if (refusal !== undefined) throw SluiceError.of(refusal)
      return events[0]
    } catch (error) {
      throw storageRefusal(error)
    }
  }

  moment(): Moment {
    return { at: this.clock.now(), seen: () => undefined, expiresAt: () => 0 }
  }
}

/** What the server does by itself is an admin's. */
export const SELF: Actor = { agent: 'admin', session: 'admin:server', role: 'admin', rights: [] }

interface NewSession {
  agent: string
  name: string
  /** How long it is kept when it is idle and holds nothing. */
  ttlMs: number
  about?: Record<string, string> | undefined
  tied?: boolean | undefined
}

export function sha256Of(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

export function randomName(): string {
  return randomBytes(9).toString('base64url').replaceAll('-', '.')
}

export function sessionEnded(session: string): never {
  return fail('unauthenticated', `The session ${session} has ended. Open a new one.`, { session })
}
