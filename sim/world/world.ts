import type { Event } from '../../src/contract/events.ts'
import type { Input } from '../../src/contract/operations.ts'
import { parseInput } from '../../src/contract/parse.ts'
import { check } from '../../src/core/check.ts'
import { decodeEvents } from '../../src/engine/stream/codec.ts'
import { LedgerDamaged } from '../../src/store/ledger.ts'
import { MemoryTables } from '../../src/store/tables/memory.ts'
import type { Chance } from '../chance.ts'
import { Answers } from '../check/answers.ts'
import { type Believer, checkBeliefs } from '../check/belief.ts'
import { checkSnapshot } from '../check/fold.ts'
import { Known } from '../check/known.ts'
import type { Timing } from '../check/linear.ts'
import type { Decided } from '../check/model.ts'
import { Promptness } from '../check/prompt.ts'
import { Alive } from '../check/session.ts'
import { checkNamed } from '../check/stored.ts'
import type { FaultPlan } from '../fault/plan.ts'
import { broken, History } from '../history.ts'
import { Loop, Program } from '../loop.ts'
import { WallClock } from './clock.ts'
import type { Disk } from './disk.ts'
import { image } from './image.ts'
import type { DiskHealth } from './ledger.ts'
import { Network } from './network.ts'
import { Server } from './server.ts'

/** The one machine, disk and network of a run, and the server on it, up or down. */
export class World {
  readonly loop = new Loop()
  readonly history = new History()
  readonly answers = new Answers()
  readonly promptness = new Promptness()
  private readonly known = new Known()
  readonly wall: WallClock
  readonly network: Network
  readonly disk: Disk
  readonly health: DiskHealth
  readonly plan: FaultPlan
  readonly tokens: readonly string[]
  /** Whoever holds locks in the belief that they are theirs. */
  readonly believers = new Set<Believer>()
  /** What happens outside of any program: faults, the machine, the power. */
  readonly outside = new Program('world')
  /** Faults are over: from now on everything has to come to an end. */
  isCalm = false
  /** A bit flipped in what the next start has to read. */
  isFlipped = false
  /** The start found it. There is no server any more, as it should be. */
  isRefused = false
  failure: unknown
  server: Server | undefined
  /** By the revision of their first fact. */
  readonly decisions = new Map<number, Decided>()
  /** By revision: when it was decided, and when the server knew that it is durable. */
  readonly timings = new Map<number, Timing>()
  /** Facts that listeners of the stream were told are durable. */
  readonly heard: Event[] = []
  private readonly chance: Chance
  private readonly alive = new Alive()
  private batches = 0

  constructor(chance: Chance, plan: FaultPlan) {
    this.chance = chance
    this.plan = plan
    this.wall = new WallClock(this.loop)
    this.network = new Network(this.loop, chance.fork('network'))
    const { disk, tokens } = image()
    this.disk = disk.copy()
    this.tokens = tokens
    this.health = { syncMs: plan.syncMs, full: 0, failed: 0, unknown: 0, slow: 0 }
  }

  fail(error: unknown): void {
    this.failure ??= error
  }

  note(who: string, what: string): void {
    const { step, now } = this.loop
    this.history.incidents.push({ step, at: now, who, what })
  }

  startServer(): void {
    if (this.isRefused) return
    const server: Server = new Server(
      this.loop,
      this.wall,
      (program) => {
        const chance = this.chance.fork(`disk ${this.loop.step}`)
        const tablesFail = (): boolean =>
          !this.isCalm && this.plan.tablesFail > 0 && chance.happens(this.plan.tablesFail)
        return this.disk.storage(this.loop, program, chance, this.health, tablesFail, this.history)
      },
      {
        decided: (decided) => this.decided(decided),
        durable: (events) => this.durable(server, events),
        reloaded: () => {
          this.memoryLost()
          this.askBelievers()
        },
        answered: (request, answer) => {
          const fail = (error: unknown): void => this.fail(error)
          const isFact = (session: string, id: string): boolean =>
            server.engine.streamOf('main').state.answers.get(session)?.get(id) !== undefined
          this.answers.follow(request, answer, isFact, fail)
          this.known.follow(request, answer)
          // At the moment it leaves, whoever hears of it first.
          answer.then(
            (one) => {
              try {
                checkNamed(request, one, this.storedTo)
              } catch (error) {
                fail(error)
              }
            },
            () => {},
          )
          this.promptness.follow(request, answer, () => this.loop.now, fail)
        },
        failed: (message, error) => {
          this.fail(new Error(`The server failed (${message}): ${String(error)}`, { cause: error }))
        },
      },
    )
    this.server = server
    this.note('server', 'starts')
    server.start().then(
      () => this.started(server),
      (error: unknown) => this.startFailed(server, error),
    )
  }

  private started(server: Server): void {
    this.note('server', 'is up')
    if (this.isFlipped) {
      this.fail(new Error('The server started on a damaged ledger.'))
      return
    }
    this.network.listener = server
    this.askBelievers()
  }

  private startFailed(server: Server, error: unknown): void {
    server.kill()
    if (this.isFlipped && error instanceof LedgerDamaged) {
      this.note('server', `refuses to start: ${error.message}`)
      this.isRefused = true
    } else if (error instanceof LedgerDamaged || this.isCalm) {
      this.fail(new Error(`The server does not start: ${String(error)}`, { cause: error }))
    } else {
      // Whoever runs it starts it again.
      this.note('server', `could not start: ${String(error)}`)
      this.loop.after(500, this.outside, () => this.startServer())
    }
  }

  /** The program is gone; connections end, and the disk has what it has. */
  crashServer(): void {
    this.server?.kill()
    this.memoryLost()
    this.network.listener = undefined
    this.disk.crash(this.loop.now, this.chance, this.history)
  }

  private memoryLost(): void {
    this.answers.forgetRefusals()
    this.promptness.forget()
  }

  private decided(decided: Decided): void {
    const { step } = this.loop
    const { events, told } = decided
    const [first] = events
    if (told.command.kind === 'commit') told.seen = this.known.of(told.command.actor.session)
    if (first !== undefined) this.decisions.set(first.revision, decided)
    for (const { revision } of events) this.timings.set(revision, { decided: step, durable: 0 })
  }

  private durable({ engine }: Server, events: readonly Event[]): void {
    try {
      this.heard.push(...events)
      this.promptness.granted(events, this.loop.now)
      for (const event of events) {
        const timing = this.timings.get(event.revision)
        if (timing !== undefined) timing.durable = this.loop.step
        if (event.kind === 'lock-released') checkBeliefs(this.believers, event)
      }
      const { state } = engine.streamOf('main')
      const { locks } = state.locks
      // Slow and plain, so that not after every batch.
      this.batches += 1
      if (this.batches % 4 === 0) this.askBelievers()
      if (this.batches % 16 === 0) check(state)
      if (this.batches % 256 === 128) checkSnapshot(state)
      const { sessions } = engine.registry
      this.alive.follow(
        events,
        this.loop.now,
        (session) => sessions.has(session),
        (lock) => locks.has(lock),
      )
    } catch (error) {
      this.fail(error)
    }
  }

  /** Whoever believes in a lock now has it; asked often, and when memory was folded anew. */
  private askBelievers(): void {
    const { server } = this
    if (server === undefined) return
    try {
      const { locks, ended } = server.engine.streamOf('main').state.locks
      for (const { client, lock } of [...this.believers].flatMap((one) => one.believed())) {
        const id = Number(lock.id.slice(1))
        if (locks.has(id)) continue
        const reason = ended.get(id)?.reason
        if (reason === 'forced' || reason === 'revoked') continue
        broken('I12', `${client} believes in ${lock.id} and has it no more: ${reason}`)
      }
    } catch (error) {
      this.fail(error)
    }
  }

  /** The first revision that the next start has to read from the ledger. */
  readFrom(): number {
    const tables = new MemoryTables(this.disk.streamOf('main').tables)
    const tablesAt = tables.open(true)
    const snapshot = tables.get('state', 'snapshot') as { revision: number } | undefined
    return Math.min(tablesAt, snapshot?.revision ?? 0) + 1
  }

  /** The last revision on stable storage. */
  private get storedTo(): number {
    return this.disk.streamOf('main').ledger.rows.at(-1)?.last ?? 0
  }

  /** Everything that is on stable storage, in order. */
  stored(): Event[] {
    const { rows } = this.disk.streamOf('main').ledger
    return rows.flatMap((row) => decodeEvents(row.payload, row.first))
  }

  /** An operation of the admin, without a network: for setting up. */
  async administer(settings: Input<'put_workspace'>['settings']): Promise<void> {
    const { engine } = this.server as Server
    const parsed = parseInput('put_workspace', { workspace: 'main', settings })
    if (!parsed.ok) throw new Error(parsed.refusal.detail)
    const caller = await engine.callerOf({ name: 'admin', role: 'admin' }, { session: 'set-up' })
    await engine.call({ operation: 'put_workspace', input: parsed.input, caller })
  }
}
