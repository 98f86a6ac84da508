import { fail } from '../../contract/errors.ts'
import type { Actor, Command } from '../../core/command.ts'
import type { Lock } from '../../core/lock/table.ts'
import { type CancelSignal, CONNECTION_LOST } from '../api.ts'
import { unlessFailed } from '../stream/decider.ts'
import { StreamFailed } from '../stream/stream-failed.ts'
import type { WorkspaceContext } from '../workspace-context.ts'

/** What a call asked for and its caller has not been told of yet. */
type Asked = { ticket: number } | { lock: number }

/**
 * Calls that are given up (locks §10): the place in the queue goes, and what was granted meanwhile goes
 * back, for nobody would know of it. At once, in the instant of giving up: what the same caller asks
 * for next must not meet it. Who only lost the connection keeps its place; it may come back for it.
 *
 * Several calls may be about to be told of the same lock: one that is sent again, another for the same
 * path. It goes back when the last of them has given up and none was told. Where a failure of the disk
 * ends a call, its caller is told of the grant like one whose turn came between two calls.
 */
export class Cancellations {
  private readonly context: WorkspaceContext
  /** By the revision of the ticket or lock. */
  private readonly underWay = new Map<number, UnderWay>()
  /** Of calls that a failure of the disk ended, until it is known what is stored. */
  private readonly unclaimed: Asked[] = []

  constructor(context: WorkspaceContext) {
    this.context = context
    context.stream.onReload(() => this.tellUnclaimed())
  }

  /** Does `work`, which ends in the answer. Who gives up before that is told `ticket_gone`. */
  async during<T>(
    actor: Actor,
    asked: Asked | undefined,
    signal: CancelSignal | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    if (asked === undefined) return work()
    const id = revisionOf(asked)
    const calls = this.underWay.get(id) ?? { count: 0, isTold: false }
    calls.count += 1
    this.underWay.set(id, calls)
    const leave = (): void => {
      calls.count -= 1
      if (calls.count === 0) this.underWay.delete(id)
    }
    let isGivenUp = false
    const giveUp = (): void => {
      if (signal?.reason === CONNECTION_LOST) return
      isGivenUp = true
      leave()
      if (calls.count === 0 && !calls.isTold) this.giveBack(actor, asked)
    }
    if (signal?.aborted === true) giveUp()
    else signal?.addEventListener('abort', giveUp)
    try {
      const answer = await work()
      if (isGivenUp) {
        await this.context.stream.settled(this.context.stream.lastFact)
        fail('ticket_gone', 'You gave up, so what was asked for is given back.')
      }
      if (this.lockOf(asked) !== undefined) calls.isTold = true
      return answer
    } catch (error) {
      if (error instanceof StreamFailed && !isGivenUp && !calls.isTold) this.untold(asked)
      throw error
    } finally {
      signal?.removeEventListener('abort', giveUp)
      if (!isGivenUp) leave()
    }
  }

  /** What nobody looks at any more. */
  giveBack(actor: Actor, asked: Asked): void {
    const command: Command =
      'ticket' in asked
        ? { kind: 'leave-queue', actor, ticket: asked.ticket }
        : { kind: 'release-lock', actor, lock: asked.lock, force: false }
    this.context.decider.owe(`given up: ${revisionOf(asked)}`, command).catch(unlessFailed)
  }

  /** What of a lock is asked for by calls that are about to be told of it. */
  sharedBy(lock: Lock): Asked | undefined {
    if (this.underWay.has(lock.id)) return { lock: lock.id }
    const { ticket } = lock
    return ticket !== undefined && this.underWay.has(ticket) ? { ticket } : undefined
  }

  /** What the fact of a request asked for, as far as it is there still. */
  askedBy(revision: number): Asked | undefined {
    const { locks, tickets, byTicket } = this.context.stream.state.locks
    if (locks.has(revision)) return { lock: revision }
    // What was held before, and only made stronger, stays.
    return tickets.has(revision) || byTicket.has(revision) ? { ticket: revision } : undefined
  }

  /** Its call ended in a failure of the disk, so nobody knows of what it was granted all the same. */
  private untold(asked: Asked): void {
    this.unclaimed.push(asked)
    // Else it is known what is stored when the stream has been read again.
    if (this.context.stream.fault === undefined) this.tellUnclaimed()
  }

  private tellUnclaimed(): void {
    for (const asked of this.unclaimed.splice(0)) {
      const lock = this.lockOf(asked)
      if (lock !== undefined) this.context.unclaimed(lock)
    }
  }

  private lockOf(asked: Asked): Lock | undefined {
    const { locks, byTicket } = this.context.stream.state.locks
    return 'lock' in asked ? locks.get(asked.lock) : byTicket.get(asked.ticket)
  }
}

interface UnderWay {
  count: number
  /** One of them was answered with the lock. */
  isTold: boolean
}

function revisionOf(asked: Asked): number {
  return 'ticket' in asked ? asked.ticket : asked.lock
}
