import type { Notice } from '../contract/door.ts'
import { SluiceError } from '../contract/errors.ts'
import type { Event } from '../contract/events.ts'
import type { Actor, EndSession, Moment } from '../core/command.ts'
import { OUTSIDE } from '../core/file/take-in.ts'
import { seenLock } from '../core/lock/own-locks.ts'
import type { Lock } from '../core/lock/table.ts'
import type { Blobs } from '../store/blobs.ts'
import type { EditThread } from '../text/edit-thread.ts'
import type { Admission } from './admission.ts'
import type { Clock } from './clock.ts'
import { SeenVersions } from './file/seen-versions.ts'
import { FollowUpTimes } from './lock/follow-up-times.ts'
import { LeaseTable } from './lock/lease-table.ts'
import { LockTokens } from './lock/lock-tokens.ts'
import { TicketWaits } from './lock/ticket-waits.ts'
import { WaitStatistics } from './lock/wait-statistics.ts'
import { grantedUnasked, startTellings, tellings } from './session/notice.ts'
import { NOTICES_KEPT, type NoticeBoard } from './session/notice-board.ts'
import { changedOutside } from './session/outside-notice.ts'
import { Decider } from './stream/decider.ts'
import { type Follower, Followers } from './stream/followers.ts'
import type { Stream } from './stream/stream.ts'
import { StreamFailed } from './stream/stream-failed.ts'
import type { WorkingTree } from './working-tree.ts'

/** What a workspace asks of the server around it. */
export interface Outside {
  blobs: Blobs
  clock: Clock
  /** At least 32 random bytes that stay the same for this data folder. */
  secret: Uint8Array
  board: NoticeBoard
  /** Edits of texts, off the thread that decides. */
  texts: EditThread
  /** What a session said of itself. */
  about: (session: string) => Record<string, string> | undefined
  /** The open session that `agent` or `agent:session` means, with its rights; throws otherwise. */
  sessionFor: (to: string) => Actor
  /** Whom a session acts as; undefined when it is over. */
  actorOf: (session: string) => Actor | undefined
  /** Its connection is lost for good. */
  isGone: (session: string) => boolean
  /** Folds of a workspace's stream that live outside of its state. */
  followersOf: (workspace: string) => readonly Follower[]
  /** The folder that a workspace is kept in step with. */
  workingTreeOf: (workspace: string) => WorkingTree | undefined
  /** Says who may come in now. */
  admit: Admission
  /** Logs an error that is nobody's refusal. */
  log: (message: string, error: unknown) => void
}

/**
 * What the operations of one workspace work with: the stream and its decisions, and around them what is
 * no fact (leases, seen versions, waiting calls, notices).
 */
export class WorkspaceContext {
  readonly stream: Stream
  readonly decider: Decider
  readonly followers: Followers
  readonly tree: WorkingTree | undefined
  readonly outside: Outside
  readonly clock: Clock
  readonly leases: LeaseTable
  readonly tokens: LockTokens
  readonly seen = new SeenVersions()
  readonly waits: TicketWaits
  readonly statistics = new WaitStatistics()
  private readonly followUps: FollowUpTimes

  constructor(stream: Stream, outside: Outside) {
    const { clock, secret, board } = outside
    this.stream = stream
    this.outside = outside
    this.clock = clock
    this.followUps = new FollowUpTimes(clock.now())
    this.tokens = new LockTokens(secret, stream.name)
    this.waits = new TicketWaits(clock)
    this.leases = new LeaseTable(clock.now())
    this.decider = new Decider(stream, {
      moment: () => this.moment(),
      decided: (events, at) => this.decided(events, at),
    })
    this.restart()
    for (const { session, notice } of startTellings(stream.state, clock.now(), NOTICES_KEPT)) {
      board.post(session, stream.name, notice)
    }
    const { followersOf, workingTreeOf, log } = outside
    this.tree = workingTreeOf(stream.name)
    const all = [
      ...followersOf(stream.name),
      ...(this.tree === undefined ? [] : [this.tree.follower]),
    ]
    this.followers = new Followers(stream, clock, all, (name, error) =>
      log(`follower ${name} of ${stream.name}`, error),
    )
    this.decider.followers = this.followers
    stream.onReload(() => this.restart())
    stream.listen((events) => this.stored(events))
  }

  moment(): Moment {
    return new MomentOf(this)
  }

  /** locks §28: after a start or a failure every lease gets its full time anew. */
  private restart(): void {
    const { state, durable } = this.stream
    this.leases.restart(state.locks.locks.values(), this.clock.now())
    this.followUps.restart(state, this.clock.now())
    this.waits.wakeAll()
    this.seen.forgetAfter(durable)
  }

  private decided(events: readonly Event[], at: number): void {
    const { locks } = this.stream.state.locks
    for (const event of events) {
      this.leases.follow(event, locks, at)
      this.followUps.follow(event)
    }
  }

  private stored(events: readonly Event[]): void {
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
      for (const { session, notice } of tellings(event, state, moment)) this.tell(session, notice)
      if (event.kind !== 'files-committed' || event.agent !== OUTSIDE.agent) continue
      for (const { session, notice } of changedOutside(event, state, this.seen)) {
        this.tell(session, notice)
      }
    }
  }

  /** Nobody was there to take it: it passes on unless its owner comes for it in time. */
  unclaimed(lock: Lock): void {
    const now = this.clock.now()
    this.leases.awaitClaim(lock.id, now, 1000 * this.stream.state.settings.claim_window_s)
    this.tell(lock.owner.session, grantedUnasked(lock, this.leases.expiresAt(lock.id), now))
  }

  /** What a caller should know with its next answer. */
  tell(session: string, notice: Notice): void {
    this.outside.board.post(session, this.stream.name, notice)
  }

  /** Locks whose time is up, what else time brought about, refusals that were only counted. */
  sweep(now: number): void {
    const { decider } = this
    const locks = this.leases.due(now)
    decider.payLeft()
    try {
      decider.recordCounted(now)
      if (locks.length > 0) decider.run({ kind: 'expire-locks', locks })
      const followUp = this.followUps.due(this.stream.state, now)
      if (followUp !== undefined) decider.run(followUp)
    } catch (error) {
      // The stream is being read again; the next sweep finds the same.
      if (!(error instanceof StreamFailed)) throw error
    }
  }

  /** Its locks and tickets go, and the next in line are granted. */
  async endSession(session: string, reason: EndSession['reason']): Promise<void> {
    const ended = this.decider.owe(`session: ${session}`, { kind: 'end-session', session, reason })
    this.seen.forget(session)
    this.leases.forgetSession(session)
    this.decider.forgetSession(session)
    await ended
  }

  /** The lock of that id, while it is held, to whoever may know of it. */
  lockOf(id: number, actor: Actor): Lock {
    const lock = seenLock(this.stream.state, actor, id)
    if ('code' in lock) throw SluiceError.of(lock)
    return lock
  }

  /** Also one that ended lately: an answer that is asked for again is the same as before. */
  lockEver(id: number, actor: Actor): Lock {
    return this.stream.state.locks.ended.get(id)?.lock ?? this.lockOf(id, actor)
  }
}

/** One for every decision, so it is a small object and no closures. */
class MomentOf implements Moment {
  readonly at: number
  private readonly context: WorkspaceContext

  constructor(context: WorkspaceContext) {
    this.at = context.clock.now()
    this.context = context
  }

  seen(session: string, file: number): ReturnType<Moment['seen']> {
    return this.context.seen.of(session, file)
  }

  expiresAt(lock: number): number {
    return this.context.leases.expiresAt(lock)
  }

  isGone(session: string): boolean {
    return this.context.outside.isGone(session)
  }
}
