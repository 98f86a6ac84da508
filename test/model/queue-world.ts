import type { LockItem, Settings } from '../../src/contract/events.ts'
import type { Step } from '../../src/core/step.ts'
import { actor, World } from '../core/world.ts'
import { Chance } from './judged-world.ts'

/** A session that wants one path after the other and never lets go before it is made to. */
interface Session {
  who: string
  lock: number | undefined
  ticket: Wait | undefined
  /** Gives its lock back of its own accord then; infinite: only when it is taken. */
  until: number
  hasExtended: boolean
}

/** What somebody waits for, and who was in the way when nobody new could come ahead any more. */
export interface Wait {
  ticket: number
  since: number
  item: LockItem
  inTheWay: number | undefined
}

export interface Served {
  agent: string
  path: string
  waitedMs: number
  inTheWay: number
  /** Somebody of another agent went on waiting for the same path. */
  isContested: boolean
}

/** How the sessions behave. */
export interface Habits {
  sessions: readonly string[]
  paths: readonly string[]
  levels: readonly Pick<LockItem, 'level' | 'stable'>[]
  /** The share of those that hold until the lock is taken from them. */
  greedy: number
  priorityOf: (who: string, chance: Chance) => number
}

/** After so many steps of age nobody new comes ahead (locks §19). */
const STEPS = 9

/** The core in simulated time: everybody asks again and again, nobody leaves. */
export class QueueWorld {
  readonly world: World
  readonly served: Served[] = []
  private readonly chance: Chance
  private readonly habits: Habits
  private readonly sessions: Session[]
  private readonly settings: Settings

  constructor(seed: number, settings: Partial<Settings>, habits: Habits) {
    this.chance = new Chance(seed)
    this.world = new World(settings)
    this.settings = this.world.state.settings
    this.habits = habits
    const fresh = { lock: undefined, ticket: undefined, until: 0, hasExtended: false }
    this.sessions = habits.sessions.map((who) => ({ who, ...fresh }))
  }

  /** The longest anybody is waiting now. */
  get longest(): number {
    const since = this.sessions.map(({ ticket }) => ticket?.since ?? this.world.at)
    return this.world.at - Math.min(...since)
  }

  run(seconds: number): void {
    for (let second = 0; second < seconds; second++) {
      this.world.at += 1000
      this.follow(this.world.followUp())
      const order = [...this.sessions].sort(() => this.chance.next() - 0.5)
      for (const session of order) this.act(session)
      this.count()
    }
  }

  private act(session: Session): void {
    const { world, chance } = this
    if (session.lock !== undefined) {
      if (world.at >= session.until) this.release(session, session.lock)
      else this.extend(session, session.lock)
    } else if (session.ticket === undefined && chance.next() < 0.5) this.ask(session)
  }

  private release(session: Session, lock: number): void {
    session.lock = undefined
    this.follow(this.world.release(session.who, lock))
  }

  private extend(session: Session, lock: number): void {
    const isRecalled = this.world.state.locks.locks.get(lock)?.recall !== undefined
    if (!isRecalled || session.hasExtended) return
    session.hasExtended = true
    this.world.run({ kind: 'extend-recall', actor: actor(session.who), lock })
  }

  private ask(session: Session): void {
    const { chance, habits, world } = this
    const path = chance.pick(habits.paths)
    const level = chance.pick(habits.levels)
    const priority = habits.priorityOf(session.who, chance)
    const options = { queue: true, ttlMs: 86_400_000, priority, stable: level.stable ?? false }
    const made = world.acquire(session.who, path, level.level, options)
    for (const event of made.events) {
      if (event.kind === 'lock-acquired') this.granted(session, event.revision)
      if (event.kind !== 'lock-queued') continue
      const [item] = event.items
      if (item === undefined) throw new Error('queued for nothing')
      const { revision: ticket, at: since } = event
      session.ticket = { ticket, since, item, inTheWay: undefined }
    }
  }

  private granted(session: Session, lock: number): void {
    session.lock = lock
    session.hasExtended = false
    const isGreedy = this.chance.next() < this.habits.greedy
    session.until = isGreedy ? Number.POSITIVE_INFINITY : this.world.at + this.chance.below(9000)
  }

  private follow({ events }: Step): void {
    for (const event of events) {
      const find = (is: (one: Session) => boolean): Session | undefined => this.sessions.find(is)
      if (event.kind === 'lock-released') {
        const holder = find(({ lock }) => lock === event.lock)
        if (holder !== undefined) holder.lock = undefined
      }
      if (event.kind !== 'lock-acquired') continue
      const session = find(({ ticket }) => ticket !== undefined && ticket.ticket === event.ticket)
      if (session?.ticket === undefined) continue
      const { since, item, inTheWay = 0 } = session.ticket
      this.served.push({
        agent: event.agent,
        path: item.path,
        waitedMs: event.at - since,
        inTheWay,
        isContested: this.isWanted(item.path, event.agent),
      })
      session.ticket = undefined
      this.granted(session, event.revision)
    }
  }

  private isWanted(path: string, agent: string): boolean {
    return this.sessions.some(
      ({ who, ticket }) => ticket?.item.path === path && who.split(':')[0] !== agent,
    )
  }

  /** Whoever has waited for nine steps: from now on only those that are ahead already can matter. */
  private count(): void {
    for (const { ticket } of this.sessions) {
      if (ticket === undefined || ticket.inTheWay !== undefined) continue
      const waited = this.world.at - ticket.since
      if (waited >= STEPS * 1000 * this.settings.age_step_s) ticket.inTheWay = this.ahead(ticket)
    }
  }

  /** All that hold the path or are ahead, whether they stand against it or against those ahead. */
  private ahead({ ticket, item }: Wait): number {
    const { locks, tickets } = this.world.state.locks
    const own = tickets.get(ticket)
    if (own === undefined) return 0
    const isOnPath = (one: { items: readonly { path: string }[] }): boolean =>
      one.items.some(({ path }) => path === item.path)
    const holders = [...locks.values()].filter(isOnPath)
    const before = [...tickets.values()].filter(
      (one) => isOnPath(one) && (one.rank - own.rank || one.seq - own.seq || one.id - own.id) < 0,
    )
    return holders.length + before.length
  }
}
