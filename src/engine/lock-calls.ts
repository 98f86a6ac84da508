import { fail, problemOf, SluiceError } from '../contract/errors.ts'
import type { Event, EventOf } from '../contract/events.ts'
import { LIMITS } from '../contract/limits.ts'
import type { OperationName, Output, Parsed } from '../contract/operations.ts'
import { optional } from '../contract/optional.ts'
import { isoTime } from '../contract/time.ts'
import type {
  AcquireLock,
  Actor,
  AskHolder,
  ChangeLock,
  ExtendRecall,
  RecallLock,
} from '../core/command.ts'
import { lostRefusal } from '../core/file/permit.ts'
import { staleRefusal } from '../core/lock/request.ts'
import type { Lock, Ticket } from '../core/lock/table.ts'
import type { Blobs } from '../store/blobs.ts'
import { bytesOfLines } from '../text/lines.ts'
import { bytesOf, contentOf } from './contents.ts'
import type { Desk } from './desk.ts'
import { fileAt } from './query.ts'
import { grantedReply, lockFacts, queuedReply } from './reply.ts'

/** The operations on locks: commands out of requests, answers out of facts. */
export class LockCalls {
  private readonly desk: Desk
  private readonly blobs: Blobs
  private readonly sessionFor: (to: string) => Actor

  /** @param sessionFor the open session that a name means; throws when there is none, or several */
  constructor(desk: Desk, blobs: Blobs, sessionFor: (to: string) => Actor) {
    this.desk = desk
    this.blobs = blobs
    this.sessionFor = sessionFor
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
      command.items = await Promise.all(wishes.map((wish) => this.inBytes(wish, actor)))
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
    const step = this.desk.run(command)
    if (step.refusal !== undefined) {
      return this.desk.refused(command.actor, operation, paths, step.refusal, request_id)
    }
    if (step.held !== undefined) {
      await this.desk.stream.settled(this.desk.stream.lastFact)
      return this.granted(step.held, true)
    }
    if (step.waiting !== undefined) return this.waited(step.waiting, wait, signal)
    const event = step.events[0] as Event
    await this.desk.stream.settled(event.revision)
    return event.kind === 'lock-queued'
      ? this.queuedAnswer(event.revision, wait, signal)
      : this.grantAnswer(event)
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
    return this.asked(command, this.pathsOf(lock), 'change_lock', input, signal)
  }

  private pathsOf(lock: number): string[] {
    return this.desk.stream.state.locks.locks.get(lock)?.items.map((item) => item.path) ?? []
  }

  /** locks §5: lines of a named version; if that is passed before the decision, it is refused. */
  private async inBytes(wish: Wish, actor: Actor): Promise<AcquireLock['items'][number]> {
    const { lines, ...item } = wish
    if (lines === undefined) return item
    const { path } = item
    const { from, to, version } = lines
    if (item.ifVersion !== undefined && item.ifVersion !== version) {
      fail('invalid_request', `${path}: "if_version" and the version of "lines" differ.`, {
        fields: [{ field: 'lines', fault: 'of another version than if_version' }],
      })
    }
    const { state, overlay } = this.desk.stream
    const entry = fileAt({ state, actor, moment: this.desk.moment() }, path, undefined)
    if (entry.version !== version) {
      throw new SluiceError(problemOf(staleRefusal(path, version, entry.version)))
    }
    const bytes = await bytesOf(contentOf(overlay, this.blobs, entry), LIMITS.textBytes)
    const range = bytesOfLines(bytes, from, to)
    if (range === undefined || range.end <= range.start) {
      fail(
        'range_invalid',
        `${path} has no lines ${from} to ${to ?? 'its end'} at version ${version}.`,
        {
          path,
          version,
        },
      )
    }
    return { ...item, range: to === undefined ? { start: range.start } : range, ifVersion: version }
  }

  private async acquireAgain(
    revision: number,
    input: { wait: number },
    actor: Actor,
    signal: AbortSignal | undefined,
  ): Promise<Output<'acquire_lock'>> {
    const known = await this.desk.answerAgain(revision, [
      'lock-acquired',
      'lock-raised',
      'lock-queued',
    ])
    this.desk.leases.heard(actor.session, this.desk.clock.now())
    return known.kind === 'lock-queued'
      ? this.queuedAnswer(known.revision, input.wait, signal)
      : this.grantAnswer(known)
  }

  private queuedAnswer(
    id: number,
    waitS: number,
    signal: AbortSignal | undefined,
  ): Promise<Output<'acquire_lock'>> {
    const ticket = this.desk.stream.state.locks.tickets.get(id)
    return ticket === undefined ? this.ticketAnswer(id) : this.waited(ticket, waitS, signal)
  }

  /** The answer to an acquire is a function of its fact (locks §11: a retry gets the same). */
  private grantAnswer(event: Event): Output<'acquire_lock'> {
    const { locks } = this.desk.stream.state
    const id =
      event.kind === 'lock-raised' || event.kind === 'lock-lowered' ? event.lock : event.revision
    const lock = locks.locks.get(id) ?? locks.ended.get(id)?.lock
    if (lock === undefined)
      throw new SluiceError(problemOf(lostRefusal(this.desk.stream.state, id)))
    return this.granted(lock, false)
  }

  private async waited(
    ticket: Ticket,
    waitS: number,
    signal: AbortSignal | undefined,
  ): Promise<Output<'acquire_lock'>> {
    await this.desk.waits.wait(ticket.id, waitS * 1000, signal)
    return this.ticketAnswer(ticket.id)
  }

  private async ticketAnswer(id: number): Promise<Output<'acquire_lock'>> {
    await this.desk.stream.settled(this.desk.stream.lastFact)
    const { locks } = this.desk.stream.state
    const lock = locks.byTicket.get(id)
    if (lock !== undefined && lock.fence > this.desk.stream.durable) {
      // Granted while that sync ran, so it could still be lost.
      await this.desk.stream.settled(lock.fence)
      return this.ticketAnswer(id)
    }
    if (lock !== undefined) return this.granted(lock, false)
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
    const ticket = locks.tickets.get(id)
    const owner = (ticket ?? locks.byTicket.get(id))?.owner
    if (owner !== undefined && owner.session !== actor.session) {
      fail('forbidden', `${input.ticket} belongs to ${owner.agent}, not to you.`)
    }
    if (ticket !== undefined) return this.waited(ticket, input.wait, signal)
    return this.ticketAnswer(id)
  }

  private granted(lock: Lock, alreadyHeld: boolean): Output<'acquire_lock'> {
    this.desk.leases.claim(lock.id, this.desk.clock.now())
    return grantedReply(lock, this.desk.tokens.of(lock.id), this.desk.moment(), alreadyHeld)
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
    const lock = this.lockOf(input.id)
    if (lock.owner.session !== actor.session) {
      fail('forbidden', `${input.id} belongs to ${lock.owner.agent}, not to you.`)
    }
    const now = this.desk.clock.now()
    this.desk.leases.claim(lock.id, now)
    this.desk.leases.renew(lock.id, now)
    await this.desk.stream.settled(this.desk.stream.lastFact)
    return { lock: lockFacts(lock, this.desk.moment()), server_time: isoTime(now) }
  }

  async handOver(input: Parsed<'handover_lock'>, actor: Actor): Promise<Output<'handover_lock'>> {
    const lock = Number(input.id.slice(1))
    const to = this.sessionFor(input.to)
    const step = this.desk.run({ kind: 'hand-over-lock', actor, lock, to })
    if (step.refusal !== undefined) {
      return this.desk.refused(actor, 'handover_lock', this.pathsOf(lock), step.refusal)
    }
    const goesOn = step.held?.id ?? (step.events[0] as Event).revision
    const held = this.lockOf(`L${goesOn}`)
    await this.desk.settledAfter(step)
    return { lock: lockFacts(held, this.desk.moment()), was: input.id }
  }

  async ask(input: Parsed<'ask_holder'>, actor: Actor): Promise<Output<'ask_holder'>> {
    const { message, request_id } = input
    const known = this.desk.answered(actor, request_id)
    const lock = Number(input.id.slice(1))
    const event =
      known === undefined
        ? await this.fact(
            { kind: 'ask-holder', actor, lock, message, requestId: request_id },
            'ask_holder',
          )
        : await this.desk.answerAgain(known, ['holder-asked'])
    const { revision, to } = event as EventOf<'holder-asked'>
    return { ask: `A${revision}`, to }
  }

  async answer(input: Parsed<'answer_ask'>, actor: Actor): Promise<Output<'answer_ask'>> {
    const { answer, estimate_s, message } = input
    const ask = Number(input.ask.slice(1))
    const step = this.desk.run({
      kind: 'answer-ask',
      actor,
      ask,
      answer,
      estimateS: estimate_s,
      message,
    })
    if (step.refusal !== undefined) return this.desk.refused(actor, 'answer_ask', [], step.refusal)
    await this.desk.settledAfter(step)
    return { answered: true, released: step.events.some((one) => one.kind === 'lock-released') }
  }

  async recall(input: Parsed<'recall_lock'>, actor: Actor): Promise<Output<'recall_lock'>> {
    const { reason, grace } = input
    const graceMs = grace === undefined ? undefined : grace * 1000
    const lock = Number(input.id.slice(1))
    await this.fact({ kind: 'recall-lock', actor, lock, reason, graceMs }, 'recall_lock')
    return this.changedAnswer(input.id)
  }

  async extend(input: Parsed<'extend_recall'>, actor: Actor): Promise<Output<'extend_recall'>> {
    const lock = Number(input.id.slice(1))
    await this.fact({ kind: 'extend-recall', actor, lock }, 'extend_recall')
    return this.changedAnswer(input.id)
  }

  private changedAnswer(id: string) {
    const moment = this.desk.moment()
    return { lock: lockFacts(this.lockOf(id), moment), server_time: isoTime(moment.at) }
  }

  /** The first fact of a command about one lock, durable; a refusal is thrown. */
  private async fact(
    command: (AskHolder | RecallLock | ExtendRecall) & { actor: Actor },
    operation: OperationName,
  ): Promise<Event> {
    const step = this.desk.run(command)
    if (step.refusal !== undefined) {
      const paths = this.pathsOf(command.lock)
      return this.desk.refused(command.actor, operation, paths, step.refusal, command.requestId)
    }
    await this.desk.settledAfter(step)
    return step.events[0] as Event
  }

  lockOf(id: string): Lock {
    const lock = this.desk.stream.state.locks.locks.get(Number(id.slice(1)))
    if (lock !== undefined) return lock
    throw new SluiceError(problemOf(lostRefusal(this.desk.stream.state, Number(id.slice(1)))))
  }
}

type Wish = AcquireLock['items'][number] & {
  lines?: { from: number; to?: number | undefined; version: number } | undefined
}

function wishesOf(input: Parsed<'acquire_lock'>): Wish[] {
  const { path, items, scope, stable, if_version, range, lines, key } = input
  if ((path === undefined) === (items === undefined)) {
    fail('invalid_request', 'Give either "path" or "items".', {
      fields: [{ field: 'path', fault: 'either path or items' }],
    })
  }
  if (input.level !== undefined && input.type !== undefined && input.level !== input.type) {
    fail('invalid_request', '"level" and "type" are two names of one thing and differ.', {
      fields: [{ field: 'type', fault: 'differs from level' }],
    })
  }
  const usual = input.level ?? input.type ?? 'write'
  const single = { path: path as string, level: undefined, scope, if_version, range, lines, key }
  if (items !== undefined && [if_version, range, lines, key].some((one) => one !== undefined)) {
    fail(
      'invalid_request',
      'With "items", say "range", "lines", "key" and "if_version" item by item.',
      {
        fields: [{ field: 'items', fault: 'these belong into the items' }],
      },
    )
  }
  return (items ?? [single]).map((item) => {
    const level = item.level ?? usual
    if (item.range !== undefined && item.lines !== undefined) {
      fail('invalid_request', `${item.path}: give either "range" or "lines".`, {
        fields: [{ field: 'lines', fault: 'either range or lines' }],
      })
    }
    return {
      path: item.path,
      level,
      scope: item.scope ?? scope,
      ifVersion: item.if_version,
      ...(item.range === undefined ? {} : { range: rangeFact(item.range) }),
      ...optional('lines', item.lines),
      ...(item.key === 'metadata' ? { key: item.key } : {}),
      ...(stable === true && level === 'read' ? { stable: true } : {}),
    }
  })
}

function rangeFact({ start, end }: { start: number; end?: number | undefined }) {
  return end === undefined ? { start } : { start, end }
}

function acquireCommand(
  input: Parsed<'acquire_lock'>,
  actor: Actor,
  items: AcquireLock['items'],
): AcquireLock {
  const { ttl, wait, queue, any, lock_delay } = input
  return {
    kind: 'acquire-lock',
    actor,
    items,
    any,
    ttlMs: ttl === undefined ? undefined : ttl * 1000,
    renew: input.renew ?? 'activity',
    intent: input.intent,
    priority: input.priority,
    delayMs: lock_delay === undefined ? undefined : lock_delay * 1000,
    queue: queue ?? wait > 0,
    requestId: input.request_id,
  }
}
