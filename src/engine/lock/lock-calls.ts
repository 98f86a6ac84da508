import { fail, problemOf, SluiceError } from '../../contract/errors.ts'
import type { Event } from '../../contract/events.ts'
import type { Output, Parsed } from '../../contract/operations.ts'
import { isoTime } from '../../contract/time.ts'
import type { AcquireLock, Actor, ChangeLock } from '../../core/command.ts'
import { lostRefusal } from '../../core/file/permit.ts'
import { staleRefusal } from '../../core/lock/request.ts'
import type { Lock } from '../../core/lock/table.ts'
import type { Blobs } from '../../store/blobs.ts'
import type { Desk } from '../desk.ts'
import { GivenUp } from './cancellation.ts'
import { filesToRead, grantedReply, type Had, lockFacts, queuedReply } from './lock-answers.ts'
import { acquireCommand, inBytes, wishesOf } from './lock-request.ts'

/** Getting locks, waiting for them, giving them back: commands out of requests, answers out of facts. */
export class LockCalls {
  private readonly desk: Desk
  private readonly blobs: Blobs
  private readonly givenUp: GivenUp

  constructor(desk: Desk, blobs: Blobs) {
    this.desk = desk
    this.givenUp = new GivenUp(desk)
    this.blobs = blobs
  }

  async acquire(
    input: Parsed<'acquire_lock'>,
    actor: Actor,
    signal: AbortSignal | undefined,
  ): Promise<Output<'acquire_lock'>> {
    const known = this.desk.answered(actor, input.request_id)
    if (known !== undefined) return this.acquireAgain(known, input, actor, signal)
    const wishes = wishesOf(input)
    const command = acquireCommand(input, actor, wishes)
    // Only lines need their text looked at first; all others are decided in this turn.
    if (wishes.some((wish) => wish.lines !== undefined)) {
      command.items = await Promise.all(
        wishes.map((wish) => inBytes(this.desk, this.blobs, wish, actor)),
      )
      // Meanwhile the same request may have come again and been decided.
      const passed = this.desk.answered(actor, input.request_id)
      if (passed !== undefined) return this.acquireAgain(passed, input, actor, signal)
    }
    const paths = command.items.map((item) => item.path)
    return this.asked(command, paths, 'acquire_lock', input, signal)
  }

  private async asked(
    command: AcquireLock | ChangeLock,
    paths: string[],
    operation: 'acquire_lock' | 'change_lock',
    { wait, request_id }: { wait: number; request_id?: string | undefined },
    signal: AbortSignal | undefined,
  ): Promise<Output<'acquire_lock'>> {
    const { actor } = command
    const step = this.desk.run(command)
    if (step.refusal !== undefined) {
      return this.desk.refused(actor, operation, paths, step.refusal, request_id)
    }
    if (step.held !== undefined) {
      const { held } = step
      // Whoever it was granted to may give up before it is told; this call is told of it too.
      return this.givenUp.during(actor, this.givenUp.sharedBy(held), signal, async () => {
        await this.desk.stream.settled(this.desk.stream.lastFact)
        return this.granted(held, { already_held: true })
      })
    }
    if (step.waiting !== undefined) {
      const { id } = step.waiting
      const answer = await this.waited(id, wait, actor, signal)
      if (answer !== undefined) return answer
      // The version that the ticket was asked with was passed; this request may have named another.
      return this.asked(command, paths, operation, { wait: 0, request_id }, signal)
    }
    const event = step.events[0] as Event
    return this.factAnswer(event.revision, async () => event, wait, actor, signal)
  }

  /** What a request came to that finds its ticket there; undefined where that is passed. */
  private waited(
    ticket: number,
    waitS: number,
    actor: Actor,
    signal: AbortSignal | undefined,
  ): Promise<Output<'acquire_lock'> | undefined> {
    return this.givenUp.during(actor, { ticket }, signal, async () => {
      await this.desk.waits.wait(ticket, waitS * 1000, signal)
      return this.desk.stream.state.locks.stale.has(ticket) ? undefined : this.ticketAnswer(ticket)
    })
  }

  /** What the fact of a request came to: its grant, or the place in the queue. */
  private factAnswer(
    revision: number,
    read: () => Promise<Event>,
    waitS: number,
    actor: Actor,
    signal: AbortSignal | undefined,
  ): Promise<Output<'acquire_lock'>> {
    return this.givenUp.during(actor, this.givenUp.askedBy(revision), signal, async () => {
      const event = await read()
      await this.desk.stream.settled(revision)
      if (event.kind !== 'lock-queued') return this.grantAnswer(event)
      if (this.desk.stream.state.locks.tickets.has(revision)) {
        await this.desk.waits.wait(revision, waitS * 1000, signal)
      }
      return this.ticketAnswer(revision)
    })
  }

  async change(
    input: Parsed<'change_lock'>,
    actor: Actor,
    signal: AbortSignal | undefined,
  ): Promise<Output<'change_lock'>> {
    const { to, stable, if_version, wait, queue, request_id } = input
    const known = this.desk.answered(actor, request_id)
    if (known !== undefined) return this.acquireAgain(known, input, actor, signal)
    const lock = Number(input.id.slice(1))
    const command: ChangeLock = {
      kind: 'change-lock',
      actor,
      lock,
      to,
      stable: stable === true,
      ifVersion: if_version,
      queue: queue ?? wait > 0,
      requestId: request_id,
    }
    return this.asked(command, this.desk.pathsOf(lock), 'change_lock', input, signal)
  }

  private acquireAgain(
    revision: number,
    input: { wait: number },
    actor: Actor,
    signal: AbortSignal | undefined,
  ): Promise<Output<'acquire_lock'>> {
    const read = async () => {
      const event = await this.desk.answerAgain(revision, REQUESTED)
      this.desk.leases.heard(actor.session, this.desk.clock.now())
      return event
    }
    return this.factAnswer(revision, read, input.wait, actor, signal)
  }

  /** The answer to an acquire is a function of its fact (locks §11: a retry gets the same). */
  private grantAnswer(event: Event): Output<'acquire_lock'> {
    const { locks } = this.desk.stream.state
    const id =
      event.kind === 'lock-raised' || event.kind === 'lock-lowered' ? event.lock : event.revision
    const lock = locks.locks.get(id) ?? locks.ended.get(id)?.lock
    if (lock === undefined)
      throw new SluiceError(problemOf(lostRefusal(this.desk.stream.state, id)))
    return this.granted(lock, event.kind === 'lock-raised' ? { raised: true } : {})
  }

  private async ticketAnswer(id: number): Promise<Output<'acquire_lock'>> {
    await this.desk.stream.known()
    const { locks } = this.desk.stream.state
    const lock = locks.byTicket.get(id)
    // Granted while that sync ran, it could still be lost.
    if (lock !== undefined && lock.fence > this.desk.stream.durable) return this.ticketAnswer(id)
    if (lock !== undefined) return this.granted(lock, lock.id < id ? { raised: true } : {})
    const ticket = locks.tickets.get(id)
    if (ticket !== undefined) return queuedReply(locks, ticket, this.desk.moment())
    const stale = locks.stale.get(id)
    if (stale !== undefined) {
      const { path, yours, current } = stale
      throw new SluiceError(problemOf(staleRefusal(path, yours, current)))
    }
    return fail(
      'ticket_gone',
      `The ticket T${id} is gone: it was given up, or its lock was granted and ended since. ` +
        'Acquire the lock again.',
      { ticket: `T${id}` },
    )
  }

  async waitForLock(
    input: Parsed<'wait_for_lock'>,
    actor: Actor,
    signal: AbortSignal | undefined,
  ): Promise<Output<'wait_for_lock'>> {
    const id = Number(input.ticket.slice(1))
    const { locks } = this.desk.stream.state
    const owner = (locks.tickets.get(id) ?? locks.byTicket.get(id))?.owner
    if (owner === undefined) return this.ticketAnswer(id)
    if (owner.session !== actor.session) {
      fail('forbidden', `${input.ticket} belongs to ${owner.agent}, not to you.`)
    }
    return this.givenUp.during(actor, { ticket: id }, signal, async () => {
      if (locks.tickets.has(id)) await this.desk.waits.wait(id, input.wait * 1000, signal)
      return this.ticketAnswer(id)
    })
  }

  private granted(lock: Lock, had: Had): Output<'acquire_lock'> {
    this.desk.leases.claim(lock.id, this.desk.clock.now())
    const moment = this.desk.moment()
    const toRead = filesToRead(this.desk.stream.state, lock, moment)
    return grantedReply(lock, this.desk.tokens.of(lock.id), moment, had, toRead)
  }

  async release(input: Parsed<'release_lock'>, actor: Actor): Promise<Output<'release_lock'>> {
    const lock = Number(input.id.slice(1))
    const { force = false, reason } = input
    const step = this.desk.run({ kind: 'release-lock', actor, lock, force, reason })
    if (step.refusal !== undefined) {
      // What is refused is still held.
      const held = this.desk.stream.state.locks.locks.get(lock)
      const paths = held?.items.map((item) => item.path) ?? []
      return this.desk.refused(actor, 'release_lock', paths, step.refusal, input.request_id)
    }
    return { released: await this.desk.settledAfter(step) }
  }

  /** What was granted to a call whose caller did not look at the answer. */
  giveBack(actor: Actor, lock: number): void {
    this.givenUp.giveBack(actor, { lock })
  }

  async releaseAll(actor: Actor): Promise<Output<'release_all_locks'>> {
    const step = this.desk.run({ kind: 'release-all', actor })
    await this.desk.settledAfter(step)
    const own = step.events.filter((event) => event.session === actor.session)
    return {
      released: own.filter((event) => event.kind === 'lock-released').length,
      left: own.filter((event) => event.kind === 'ticket-left').length,
    }
  }

  async leaveQueue(input: Parsed<'leave_queue'>, actor: Actor): Promise<Output<'leave_queue'>> {
    const step = this.desk.run({
      kind: 'leave-queue',
      actor,
      ticket: Number(input.ticket.slice(1)),
    })
    if (step.refusal !== undefined) return this.desk.refused(actor, 'leave_queue', [], step.refusal)
    return { left: await this.desk.settledAfter(step) }
  }

  async renew(input: Parsed<'renew_lock'>, actor: Actor): Promise<Output<'renew_lock'>> {
    const lock = this.desk.lockOf(input.id)
    if (lock.owner.session !== actor.session) {
      fail('forbidden', `${input.id} belongs to ${lock.owner.agent}, not to you.`)
    }
    const now = this.desk.clock.now()
    this.desk.leases.claim(lock.id, now)
    this.desk.leases.renew(lock.id, now)
    await this.desk.stream.settled(this.desk.stream.lastFact)
    return { lock: lockFacts(lock, this.desk.moment()), server_time: isoTime(now) }
  }
}

/** What a request for a lock is answered by. */
const REQUESTED = ['lock-acquired', 'lock-raised', 'lock-lowered', 'lock-queued'] as const
