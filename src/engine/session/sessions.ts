import { CALLER_NAME, isOnce, nameWithin, onceName, parentOf } from '../../contract/caller.ts'
import { fail } from '../../contract/errors.ts'
import { LIMITS } from '../../contract/limits.ts'
import type { Output } from '../../contract/operations.ts'
import type { Actor, EndSession } from '../../core/command.ts'
import type { Caller, CallerName, Principal } from '../api.ts'
import type { Clock } from '../clock.ts'
import type { Workspace } from '../workspace.ts'
import type { NoticeBoard } from './notice-board.ts'
import { type Registry, sessionEnded } from './registry.ts'

/**
 * Sessions at work: opening and resuming, the connections that keep them, and their end.
 *
 *   open ──connect──► connected ──last connection lost──► grace (10 s) ──► ended
 *     └──idle for its ttl, holding nothing──────────────────────────────► ended
 *
 * An end is one decision in the server's stream and one in each workspace; no lock outlives it.
 */
export class Sessions {
  private readonly registry: Registry
  private readonly workspaces: ReadonlyMap<string, Workspace>
  private readonly clock: Clock
  private readonly board: NoticeBoard
  private readonly connections = new Map<string, Connected>()
  private readonly opening = new Map<string, Promise<string>>()
  private readonly heardAt = new Map<string, number>()
  private readonly startedAt: number
  private isStopped = false

  constructor(
    registry: Registry,
    workspaces: ReadonlyMap<string, Workspace>,
    clock: Clock,
    board: NoticeBoard,
  ) {
    this.board = board
    this.registry = registry
    this.workspaces = workspaces
    this.clock = clock
    this.startedAt = clock.now()
  }

  /** A caller that shares a session keeps that session too. */
  heard(session: string): void {
    const now = this.clock.now()
    this.heardAt.set(session, now)
    const parent = parentOf(session)
    if (parent !== undefined) this.heardAt.set(parent, now)
  }

  async callerOf(principal: Principal, named: CallerName = {}): Promise<Caller> {
    const { agent, name, as } = this.sessionOf(principal, named)
    const opener: Actor = {
      agent: principal.name,
      session: `${agent}:${name}`,
      role: principal.role,
      rights: [],
    }
    const caller = await this.opened(opener, agent, name, { tied: named.tied })
    if (as !== undefined) return this.callerAs(caller, as)
    return named.session === undefined ? { ...caller, unnamed: true } : caller
  }

  async callerAs(caller: Caller, as: string): Promise<Caller> {
    if (!CALLER_NAME.test(as)) {
      fail('invalid_request', '"as" is 1 to 64 of A–Z a–z 0–9 . _ -', {
        fields: [{ field: 'as', fault: '1 to 64 of A–Z a–z 0–9 . _ -' }],
      })
    }
    const parent = parentOf(caller.session) ?? caller.session
    if (!this.registry.sessions.has(parent)) sessionEnded(parent)
    const name = `${nameWithin(parent)}/${as}`
    return this.opened(caller, caller.agent, name, {})
  }

  /** For one lock or place in a queue that an unnamed caller asks for: proven by its token alone. */
  async callerOnce(caller: Actor, name: string): Promise<Actor> {
    const path = `${nameWithin(caller.session)}/${onceName(name)}`
    return this.opened(caller, caller.agent, path, { ttlMs: ONCE_TTL_MS })
  }

  actorOf(session: string): Actor | undefined {
    return this.registry.actorOf(session)
  }

  /** A caller that was made for one lock is over with it. */
  async endOnce(session: string): Promise<void> {
    const actor = this.registry.actorOf(session)
    if (actor !== undefined && isOnce(session) && !this.holdsAnything(session)) {
      await this.end(session, 'ended', actor)
    }
  }

  /** Two first calls at once open it once. */
  private async opened(
    opener: Actor,
    agent: string,
    name: string,
    { ttlMs = DEFAULT_SESSION_TTL_MS, tied }: { ttlMs?: number; tied?: boolean | undefined },
  ): Promise<Actor> {
    const id = `${agent}:${name}`
    if (!this.registry.sessions.has(id)) {
      let opening = this.opening.get(id)
      if (opening === undefined) {
        opening = this.registry
          .openSession(opener, { agent, name, ttlMs, tied })
          .finally(() => this.opening.delete(id))
        this.opening.set(id, opening)
      }
      await opening
    }
    return this.registry.actorOf(id) ?? sessionEnded(id)
  }

  /** The session that a name or a full id means; only admins may work in those of others. */
  private sessionOf(
    principal: Principal,
    { session = 'default', as }: CallerName,
  ): { agent: string; name: string; as: string | undefined } {
    const colon = session.indexOf(':')
    const agent = colon < 0 ? principal.name : session.slice(0, colon)
    const [name = '', caller, ...more] = session.slice(colon + 1).split('/')
    if (agent !== principal.name) {
      if (principal.role !== 'admin') {
        fail('forbidden', `The session ${session} belongs to somebody else; principals share none.`)
      }
      this.assertKnown(agent)
    }
    if (!CALLER_NAME.test(name) || more.length > 0 || (colon < 0 && caller !== undefined)) {
      fail('invalid_request', 'A session name is 1 to 64 of A–Z a–z 0–9 . _ -')
    }
    return { agent, name, as: as ?? caller }
  }

  /** To hand something over: a session by its full id, or the one that an agent has open. */
  sessionFor(to: string): Actor {
    const open = [...this.registry.sessions.values()].filter(({ id, agent }) =>
      to.includes(':') ? id === to : agent === to,
    )
    const connected = open.filter(({ id }) => this.connections.has(id))
    const [only, ...others] = open.length > 1 && connected.length > 0 ? connected : open
    if (only === undefined) {
      fail('not_found', `There is no open session ${to}. List the sessions to see who is there.`)
    }
    if (others.length > 0) {
      const names = [only, ...others].map(({ id }) => id).slice(0, LIMITS.holdersNamed)
      fail('invalid_request', `${to} has several sessions: say which (${names.join(', ')}).`, {
        fields: [{ field: 'to', fault: 'several sessions' }],
        sessions: names,
      })
    }
    return this.registry.actorOf(only.id) ?? sessionEnded(only.id)
  }

  private assertKnown(agent: string): void {
    if (!this.registry.agents.has(agent)) {
      fail('not_found', `There is no agent ${agent}. Make it first.`)
    }
  }

  async join(caller: Caller, session: string): Promise<Output<'open_session'>> {
    const open = this.registry.sessions.get(session)
    if (open === undefined || open.agent !== caller.agent) return sessionEnded(session)
    const secret = this.registry.secretOf(session)
    return { id: session, secret, agent: open.agent, ttl: open.ttlMs / 1000, resumed: true }
  }

  isConnected(id: string): boolean {
    return this.connections.has(parentOf(id) ?? id)
  }

  /** Ends it everywhere; whoever waits for the end finds none of its locks left. */
  async end(
    id: string,
    reason: EndSession['reason'],
    actor: Actor,
    close: () => Promise<unknown> = () =>
      this.registry.run({ kind: 'close-session', actor, id, reason }, 'end_session'),
  ): Promise<void> {
    this.connections.get(id)?.cancelGrace?.()
    // First where it is known at all. If only this is stored, what it holds is given back later
    // (Decider.owe, endOrphans); the other way round it would live on without its answers, and a
    // request that is sent again would be done again.
    const ended = [...this.callersIn(id), id]
    await close()
    this.connections.delete(id)
    for (const one of ended) {
      this.heardAt.delete(one)
      this.board.forget(one)
      this.registry.decider.forgetSession(one)
    }
    await Promise.all(
      [...this.workspaces.values()].flatMap((workspace) =>
        ended.map((one) => workspace.context.endSession(one, reason)),
      ),
    )
  }

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
      if (!isOpen || this.isStopped) return
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
    const actor = this.registry.actorOf(id)
    if (actor === undefined) return
    this.end(id, reason, actor).catch(() => {
      // A stream that is being read again refuses.
      if (this.isStopped || (this.connections.get(id)?.count ?? 0) > 0) return
      this.clock.after(END_AGAIN_MS, () => {
        if (!this.isStopped && (this.connections.get(id)?.count ?? 0) === 0) {
          this.endQuietly(id, reason)
        }
      })
    })
  }

  sweepIdle(): void {
    const now = this.clock.now()
    for (const { id, ttlMs } of this.registry.sessions.values()) {
      const heard = this.heardAt.get(id) ?? this.startedAt
      if (now - heard < ttlMs || (this.connections.get(id)?.count ?? 0) > 0) continue
      if ([id, ...this.callersIn(id)].some((one) => this.holdsAnything(one))) continue
      this.endQuietly(id, 'idle')
    }
  }

  private holdsAnything(id: string): boolean {
    return [...this.workspaces.values()].some((one) => one.holdsAnything(id))
  }

  private callersIn(id: string): Iterable<string> {
    return this.registry.callersIn(id)
  }

  /**
   * Somebody was there over a connection, and is not any more: it does not come back by itself. Right
   * after a start everybody has the grace to come back.
   */
  isGone(id: string): boolean {
    const root = parentOf(id) ?? id
    const session = this.registry.sessions.get(root)
    if (session === undefined) return true
    if (!session.tied || this.connections.has(root)) return false
    return this.clock.now() - this.startedAt > LIMITS.disconnectGraceMs
  }

  /** A crash between the two ends of a session must not leave its locks and tickets behind. */
  async endOrphans(): Promise<void> {
    for (const workspace of this.workspaces.values()) {
      for (const session of [...workspace.stream.state.locks.owners.keys()]) {
        if (!this.registry.sessions.has(session)) {
          await workspace.context.endSession(session, 'ended')
        }
      }
    }
  }

  stop(): void {
    this.isStopped = true
    for (const { cancelGrace } of this.connections.values()) cancelGrace?.()
  }
}

interface Connected {
  count: number
  cancelGrace: (() => void) | undefined
}

const END_AGAIN_MS = 1000
/** A caller that was made for one lock, and has it no more. */
const ONCE_TTL_MS = 60_000
const DEFAULT_SESSION_TTL_MS = 3600_000
