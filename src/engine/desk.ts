import type { Notice } from '../contract/door.ts'
import { fail, problemOf, type Refusal, refuse, SluiceError } from '../contract/errors.ts'
import type { Event } from '../contract/events.ts'
import type { Actor, Command, EndSession, Moment } from '../core/command.ts'
import { lostRefusal } from '../core/file/permit.ts'
import type { Lock } from '../core/lock/table.ts'
import { refusalDraft, type Step } from '../core/step.ts'
import type { Attachment } from '../store/ledger.ts'
import { RefusalCounter } from './audit/refusal-counter.ts'
import type { Clock } from './clock.ts'
import { SeenVersions } from './file/seen-versions.ts'
import { DueTimes } from './lock/follow-up-times.ts'
import { LeaseTable } from './lock/lease-table.ts'
import { LockTokens } from './lock/lock-answers.ts'
import { TicketWaits } from './lock/ticket-waits.ts'
import { WaitStatistics } from './lock/wait-statistics.ts'
import { grantedUnasked, startTellings, tellings } from './session/notice.ts'
import { NOTICES_KEPT, type NoticeBoard } from './session/notice-board.ts'
import { type Stream, StreamFailed } from './stream/stream.ts'

/** What a desk needs of the server around its workspace. */
export interface AroundDesk {
  board: NoticeBoard
  isGone: (session: string) => boolean
}

/**
 * Where commands of one workspace are handed in: the stream, and around it what is not a fact
 * (leases, seen versions, waiting calls, counted refusals).
 */
export class Desk {
  readonly stream: Stream
  readonly clock: Clock
  readonly leases: LeaseTable
  readonly tokens: LockTokens
  readonly seen = new SeenVersions()
  readonly waits: TicketWaits
  readonly statistics = new WaitStatistics()
  private readonly board: NoticeBoard
  private readonly isGone: (session: string) => boolean
  private readonly due: DueTimes
  private readonly refusals = new RefusalCounter()
  /** What has to be done and the disk has not taken yet, by what it is about. */
  private readonly owed = new Map<string, Owed>()

  constructor(stream: Stream, clock: Clock, secret: Uint8Array, outside: AroundDesk) {
    this.stream = stream
    this.board = outside.board
    this.isGone = outside.isGone
    this.due = new DueTimes(clock.now())
    this.clock = clock
    this.tokens = new LockTokens(secret, stream.name)
    this.waits = new TicketWaits(clock)
    this.leases = new LeaseTable(clock.now())
    this.restart()
    for (const { session, notice } of startTellings(stream.state, clock.now(), NOTICES_KEPT)) {
      this.board.post(session, stream.name, notice)
    }
    stream.onReload(() => this.restart())
    stream.listen((events) => this.follow(events))
  }

  /** locks §28: after a start or a failure every lease gets its full time anew. */
  private restart(): void {
    for (const one of this.owed.values()) one.isDecided = false
    this.leases.restart(this.stream.state.locks.locks.values(), this.clock.now())
    this.due.restart(this.stream.state, this.clock.now())
    this.waits.wakeAll()
    this.seen.forgetAfter(this.stream.durable)
  }

  /** Nobody was there to take it: it passes on unless its owner comes for it in time. */
  unclaimed(lock: Lock): void {
    const now = this.clock.now()
    this.leases.awaitClaim(lock.id, now, 1000 * this.stream.state.settings.claim_window_s)
    const told = grantedUnasked(lock, this.leases.expiresAt(lock.id), now)
    this.board.post(lock.owner.session, this.stream.name, told)
  }

  private follow(events: readonly Event[]): void {
    const { state } = this.stream
    for (const id of this.waits.follow(events)) {
      const lock = state.locks.locks.get(id)
      if (lock !== undefined) this.unclaimed(lock)
    }
    const moment = this.moment()
    for (const event of events) {
      // Most facts by far: taken without waiting, and given back.
      if (event.kind === 'lock-acquired' && event.ticket === undefined) continue
      if (event.kind === 'lock-released' && event.reason === 'released') continue
      this.statistics.follow(event)
      for (const { session, notice } of tellings(event, state, moment)) {
        this.board.post(session, this.stream.name, notice)
      }
    }
  }

  /** Locks whose time is up, what else time brought about, refusals that were only counted. */
  sweep(now: number): void {
    const expired = this.leases.due(now)
    this.payLeft()
    try {
      this.recordCounted(now)
      if (expired.length > 0) this.run({ kind: 'expire-locks', locks: expired })
      const due = this.due.due(this.stream.state, now)
      if (due !== undefined) this.run(due)
    } catch (error) {
      // The stream is being read again; the next sweep finds the same.
      if (!(error instanceof StreamFailed)) throw error
    }
  }

  /** Records the refusals that were only counted before `now`. */
  recordCounted(now: number): void {
    const counted = this.refusals.isEmpty ? [] : this.refusals.drain(now)
    if (counted.length > 0) this.run({ kind: 'record-refusals', refusals: counted })
  }

  /** Its locks and tickets go, and the next in line are granted. */
  endSession(session: string, reason: EndSession['reason']): Promise<void> {
    return this.owedNow(`session: ${session}`, { kind: 'end-session', session, reason })
  }

  /** Done for somebody who does not look any more, so what the disk refuses is tried again. */
  owe(what: string, command: Command): void {
    this.owedNow(what, command).catch(unlessFailed)
  }

  /** Rejects when the first try fails. */
  private owedNow(what: string, command: Command): Promise<void> {
    this.payLeft()
    const one = { command, isDecided: false }
    this.owed.set(what, one)
    return this.pay(what, one)
  }

  private payLeft(): void {
    for (const [what, one] of this.owed) {
      if (!one.isDecided) this.pay(what, one).catch(unlessFailed)
    }
  }

  private async pay(what: string, one: Owed): Promise<void> {
    const step = this.decide(one.command)
    one.isDecided = true
    await this.settledAfter(step)
    if (this.owed.get(what) === one) this.owed.delete(what)
  }

  /** Decides a command now. Its events are not durable yet: see `stream.settled`. */
  run(command: Command, contents: readonly Attachment[] = []): Step {
    // Before anything that could grant them something (locks §29), or take the number of what was lost.
    if (this.owed.size > 0) this.payLeft()
    return this.decide(command, contents)
  }

  private decide(command: Command, contents: readonly Attachment[] = []): Step {
    const moment = this.moment()
    const step = this.stream.run(command, moment, contents)
    for (const event of step.events) {
      this.leases.follow(event, this.stream.state.locks.locks, moment.at)
      this.due.follow(event)
    }
    return step
  }

  /** What a caller should know with its next answer. */
  tell(session: string, notice: Notice): void {
    this.board.post(session, this.stream.name, notice)
  }

  /** Waits until a decision is durable; says whether it was anything. */
  async settledAfter({ events }: Step): Promise<boolean> {
    const last = events.at(-1)
    if (last !== undefined) await this.stream.settled(last.revision)
    return last !== undefined
  }

  /** The lock of that id, while it is held. */
  lockOf(id: string): Lock {
    const lock = this.stream.state.locks.locks.get(Number(id.slice(1)))
    if (lock !== undefined) return lock
    throw new SluiceError(problemOf(lostRefusal(this.stream.state, Number(id.slice(1)))))
  }

  /** For the audit of a refusal. */
  pathsOf(lock: number): string[] {
    return this.stream.state.locks.locks.get(lock)?.items.map((item) => item.path) ?? []
  }

  moment(): Moment {
    return {
      at: this.clock.now(),
      seen: (session, file) => this.seen.of(session, file),
      expiresAt: (lock) => this.leases.expiresAt(lock),
      isGone: this.isGone,
    }
  }

  /** The revision of the fact that answered this request id before (locks §11); a refusal that was
   * only counted is thrown again. */
  answered(actor: Actor, requestId: string | undefined): number | undefined {
    if (requestId === undefined) return undefined
    const refusal = this.refusals.refusalOf(actor.session, requestId)
    if (refusal !== undefined) throw new SluiceError(problemOf(refusal))
    return this.stream.state.answers.get(actor.session)?.get(requestId)
  }

  /** That fact, once it is durable; a refusal is thrown again. */
  async answerAgain<K extends Event['kind']>(
    revision: number,
    kinds: readonly K[],
  ): Promise<Extract<Event, { kind: K }>> {
    await this.stream.settled(revision)
    const event = await this.stream.eventAt(revision)
    if (event === undefined) {
      fail('compacted', 'The answer to this request_id is no longer kept. Use a new one.')
    }
    if (event.kind === 'command-refused') return this.refusedAgain(event)
    this.assertSame(event, kinds)
    return event as Extract<Event, { kind: K }>
  }

  private assertSame(known: Event, kinds: readonly Event['kind'][]): void {
    if (kinds.includes(known.kind)) return
    fail('invalid_request', 'This request_id answered a different call before. Use a new one.', {
      fields: [{ field: 'request_id', fault: 'used before' }],
    })
  }

  private refusedAgain(event: Extract<Event, { kind: 'command-refused' }>): never {
    const code = event.code as Refusal['code']
    throw new SluiceError(problemOf(refuse(code, event.detail, event.problem)))
  }

  /** Records a refusal and throws it; nobody waits for the sync of its record. */
  async refused(
    actor: Actor,
    command: string,
    paths: string[],
    refusal: Refusal,
    requestId?: string,
  ): Promise<never> {
    const decidedOn = this.stream.lastFact
    const at = this.clock.now()
    if (!this.refusals.count(actor, command, paths, refusal, requestId, at)) {
      this.stream.record(refusalDraft(command, actor, paths, refusal, requestId), at)
    }
    await this.stream.settled(decidedOn)
    throw new SluiceError(problemOf(refusal))
  }

  /** Reads are not decided, but one that a right or a hold forbids belongs in the audit. */
  async audited<T>(
    actor: Actor,
    operation: string,
    input: { path?: string },
    read: () => T,
  ): Promise<T> {
    try {
      return read()
    } catch (error) {
      // Not even an absence is shown that could still be lost.
      await this.stream.settled(this.stream.lastFact)
      if (error instanceof SluiceError && (error.code === 'forbidden' || error.code === 'locked')) {
        const { code, detail, holders } = error.problem
        const data = holders === undefined ? {} : { holders }
        return this.refused(actor, operation, [input.path ?? '/'], refuse(code, detail, data))
      }
      throw error
    }
  }
}

interface Owed {
  command: Command
  /** Decided, and on its way to the disk; false again when what was decided is lost. */
  isDecided: boolean
}

/** The stream is being read again; what is owed is tried then. */
function unlessFailed(error: unknown): void {
  if (!(error instanceof StreamFailed)) throw error
}
