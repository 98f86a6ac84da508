import { fail, SluiceError } from '../../contract/errors.ts'
import type { Event } from '../../contract/events.ts'
import type { Output } from '../../contract/operations.ts'
import type { Actor } from '../../core/command.ts'
import { lostRefusal, maySee } from '../../core/file/permit.ts'
import { staleRefusal } from '../../core/lock/request.ts'
import type { Lock } from '../../core/lock/table.ts'
import type { Asked, Call } from '../call.ts'
import type { Handlers } from '../handler.ts'
import type { WorkspaceContext } from '../workspace-context.ts'
import type { Cancellations } from './cancellation.ts'
import { filesToRead, grantedReply, type Had, queuedReply } from './lock-answers.ts'
import { acquireCommand, inBytes, type Wish, wishesOf } from './lock-request.ts'
import { numberOf } from './named.ts'

type Answered = Output<'acquire_lock'>
type Requesting = Call<'acquire_lock'> | Call<'change_lock'>

/** Getting locks, and waiting for them. */
export class Acquiring {
  private readonly context: WorkspaceContext
  private readonly cancellations: Cancellations

  constructor(context: WorkspaceContext, cancellations: Cancellations) {
    this.context = context
    this.cancellations = cancellations
  }

  get handlers(): Pick<Handlers<'workspace'>, 'acquire_lock' | 'change_lock' | 'wait_for_lock'> {
    const answered = {
      facts: REQUESTED,
      again: (call: Requesting, fact: Event) => this.answerOf(call, fact),
      during: <T>(call: Requesting, revision: number, work: () => Promise<T>) =>
        this.during(call, revision, work),
    }
    return {
      acquire_lock: { ...answered, run: (call) => this.acquire(call) },
      change_lock: { ...answered, run: (call) => this.change(call) },
      wait_for_lock: { run: (call) => this.waitForLock(call) },
    }
  }

  private acquire(call: Call<'acquire_lock'>): Promise<Answered> {
    const wishes = wishesOf(call.input)
    const command = acquireCommand(call.input, wishes)
    // Only lines need their text looked at first; all others are decided in this turn.
    return wishes.some((wish) => wish.lines !== undefined)
      ? this.acquireLines(call, command, wishes)
      : this.asked(call, command)
  }

  private async acquireLines(
    call: Call<'acquire_lock'>,
    command: ReturnType<typeof acquireCommand>,
    wishes: readonly Wish[],
  ): Promise<Answered> {
    const { actor } = call
    command.items = await Promise.all(wishes.map((wish) => inBytes(this.context, wish, actor)))
    return this.asked(call, command)
  }

  private change(call: Call<'change_lock'>): Promise<Answered> {
    const { id, to, stable, if_version: ifVersion, wait, queue } = call.input
    return this.asked(call, {
      kind: 'change-lock',
      lock: numberOf(id),
      to,
      stable: stable === true,
      ifVersion,
      queue: queue ?? wait > 0,
    })
  }

  private asked(call: Requesting, command: Asked, waitS = call.input.wait): Promise<Answered> {
    const { held, waiting, events } = call.decide(command)
    if (held !== undefined) {
      // Whoever it was granted to may give up before it is told; this call is told of it too.
      const shared = this.cancellations.sharedBy(held)
      return this.cancellations.during(call, shared, () =>
        this.stored(call, this.granted(held, { already_held: true })),
      )
    }
    if (waiting !== undefined) return this.askedBefore(call, command, waiting.id, waitS)
    const event = events[0] as Event
    return this.during(call, event.revision, () =>
      event.kind === 'lock-queued'
        ? this.answerOf(call, event, waitS)
        : this.stored(call, this.grantAnswer(event)),
    )
  }

  /** An answer from the turn of the decision, so that it shows nothing newer, once that is stored. */
  private stored(call: Requesting, answer: Answered): Promise<Answered> {
    return call.settled().then(() => this.told(answer))
  }

  private async askedBefore(
    call: Requesting,
    command: Asked,
    ticket: number,
    waitS: number,
  ): Promise<Answered> {
    const answer = await this.waited(call, ticket, waitS)
    // The version that the ticket was asked with was passed; this request may have named another.
    return answer ?? this.asked(call, command, 0)
  }

  /** What a request came to that finds its ticket there; undefined where that is passed. */
  private waited(call: Requesting, ticket: number, waitS: number): Promise<Answered | undefined> {
    return this.cancellations.during(call, { ticket }, async () => {
      await this.context.waits.wait(ticket, waitS * 1000, call.signal)
      const { stale } = this.context.stream.state.locks
      return stale.has(ticket) ? undefined : this.ticketAnswer(ticket)
    })
  }

  /** Whoever gives up meanwhile gives back what the fact asked for. */
  private during<T>(call: Requesting, revision: number, work: () => Promise<T>): Promise<T> {
    const asked = this.cancellations.askedBy(revision)
    return this.cancellations.during(call, asked, work)
  }

  /** What the fact of a request came to: its grant, or the place in the queue. */
  private async answerOf(
    { signal, input }: Requesting,
    event: Event,
    waitS = input.wait,
  ): Promise<Answered> {
    const { revision } = event
    await this.context.stream.settled(revision)
    if (event.kind !== 'lock-queued') return this.shown(() => this.grantAnswer(event))
    if (this.context.stream.state.locks.tickets.has(revision)) {
      await this.context.waits.wait(revision, waitS * 1000, signal)
    }
    return this.ticketAnswer(revision)
  }

  /** The answer to an acquire is a function of its fact (locks §11: a retry gets the same). */
  private grantAnswer(event: Event): Answered {
    const { state } = this.context.stream
    const { locks, ended } = state.locks
    const id =
      event.kind === 'lock-raised' || event.kind === 'lock-lowered' ? event.lock : event.revision
    const lock = locks.get(id) ?? ended.get(id)?.lock
    if (lock === undefined) throw SluiceError.of(lostRefusal(state, id))
    return this.granted(lock, event.kind === 'lock-raised' ? { raised: true } : {})
  }

  private ticketAnswer(id: number): Promise<Answered> {
    return this.shown(() => this.ticketNow(id))
  }

  private async shown(look: () => Answered): Promise<Answered> {
    return this.told(await this.context.stream.shown(look, { isDecided: true }))
  }

  private ticketNow(id: number): Answered {
    const { locks } = this.context.stream.state
    const lock = locks.byTicket.get(id)
    if (lock !== undefined) return this.granted(lock, lock.id < id ? { raised: true } : {})
    const ticket = locks.tickets.get(id)
    if (ticket !== undefined) return queuedReply(locks, ticket, this.context.moment())
    const stale = locks.stale.get(id)
    if (stale !== undefined) {
      const { path, yours, current } = stale
      throw SluiceError.of(staleRefusal(path, yours, current))
    }
    return ticketGone(id)
  }

  private async waitForLock(call: Call<'wait_for_lock'>): Promise<Answered> {
    const { input, actor, signal } = call
    const id = numberOf(input.ticket)
    const { state } = this.context.stream
    const { locks } = state
    const asked = locks.tickets.get(id) ?? locks.byTicket.get(id)
    if (asked === undefined) return this.ticketAnswer(id)
    if (!maySee(state, actor, asked)) ticketGone(id)
    assertOwn(actor, asked.owner, input.ticket)
    return this.cancellations.during(call, { ticket: id }, async () => {
      if (locks.tickets.has(id)) await this.context.waits.wait(id, input.wait * 1000, signal)
      return this.ticketAnswer(id)
    })
  }

  /** While its grant was on its way to the disk, nobody seemed to wait for it. */
  private told(answer: Answered): Answered {
    const { leases, clock } = this.context
    if (answer.status === 'granted') leases.claim(numberOf(answer.lock.id), clock.now())
    return answer
  }

  private granted(lock: Lock, had: Had): Answered {
    const { leases, clock, stream, tokens } = this.context
    leases.claim(lock.id, clock.now())
    const moment = this.context.moment()
    return grantedReply(
      lock,
      tokens.of(lock.id),
      moment,
      had,
      filesToRead(stream.state, lock, moment),
    )
  }
}

function ticketGone(id: number): never {
  return fail(
    'ticket_gone',
    `The ticket T${id} is gone: it was given up, or its lock was granted and ended since. ` +
      'Acquire the lock again.',
    { ticket: `T${id}` },
  )
}

export function assertOwn(
  { session }: Actor,
  owner: { session: string; agent: string },
  id: string,
): void {
  if (owner.session !== session) fail('forbidden', `${id} belongs to ${owner.agent}, not to you.`)
}

/** What a request for a lock is answered by. */
const REQUESTED = ['lock-acquired', 'lock-raised', 'lock-lowered', 'lock-queued'] as const
