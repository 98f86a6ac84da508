import { fail } from '../../contract/errors.ts'
import { TransientMap } from '../../contract/transient.ts'
import type { Actor, Command } from '../../core/command.ts'
import type { Lock } from '../../core/lock/table.ts'
import { CONNECTION_LOST } from '../api.ts'
import type { Call } from '../call.ts'
import { unlessFailed } from '../stream/decider.ts'
import { StreamFailed } from '../stream/stream-failed.ts'
import type { WorkspaceContext } from '../workspace-context.ts'

/** What of a call it takes to give it up. */
type Waits = Pick<Call, 'actor' | 'signal' | 'requestId'>

/**
 * The same request, as it was sent before: whoever sends it again does not look at the answer to that,
 * which may wait on a connection that is lost and not known to be.
 */
function sentBefore(calls: readonly Waits[], call: Waits): Waits[] {
  const before = calls.slice(0, Math.max(0, calls.indexOf(call)))
  return before.filter(({ requestId }) => requestId !== undefined && requestId === call.requestId)
}

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
  private readonly underWay = new TransientMap<number, UnderWay>()
  /** Of calls that a failure of the disk ended, until it is known what is stored. */
  private readonly unclaimed: Asked[] = []

  constructor(context: WorkspaceContext) {
    this.context = context
    context.stream.onReload(() => this.tellUnclaimed())
  }

  /** Does `work`, which ends in the answer. Who gives up before that is told `ticket_gone`. */
  async during<T>(call: Waits, asked: Asked | undefined, work: () => Promise<T>): Promise<T> {
    if (asked === undefined) return work()
    const { actor, signal } = call
    const id = revisionOf(asked)
    const group = this.enter(id, call)
    const giveUp = (): void => {
      if (signal?.reason === CONNECTION_LOST) return
      for (const one of sentBefore(group.calls, call)) this.leave(id, one)
      this.leave(id, call)
      if (group.calls.length === 0 && !group.isTold) this.giveBack(actor, asked)
    }
    if (signal?.aborted === true) giveUp()
    else signal?.addEventListener('abort', giveUp)
    try {
      const answer = await work()
      if (!group.calls.includes(call)) {
        await this.context.stream.settled(this.context.stream.lastFact)
        fail('ticket_gone', 'You gave up, so what was asked for is given back.')
      }
      if (this.lockOf(asked) !== undefined) group.isTold = true
      return answer
    } catch (error) {
      const isWanted = group.calls.includes(call) && !group.isTold
      if (error instanceof StreamFailed && isWanted) this.untold(asked)
      throw error
    } finally {
      signal?.removeEventListener('abort', giveUp)
      this.leave(id, call)
    }
  }

  private enter(id: number, call: Waits): UnderWay {
    const known = this.underWay.get(id)
    if (known !== undefined) {
      known.calls.push(call)
      return known
    }
    const group = { calls: [call], isTold: false }
    this.underWay.set(id, group)
    return group
  }

  private leave(id: number, call: Waits): void {
    const group = this.underWay.get(id)
    const place = group?.calls.indexOf(call) ?? -1
    if (group === undefined || place < 0) return
    group.calls.splice(place, 1)
    if (group.calls.length === 0) this.underWay.delete(id)
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
  /** Those that were not given up, in the order they came. */
  calls: Waits[]
  /** One of them was answered with the lock. */
  isTold: boolean
}

function revisionOf(asked: Asked): number {
  return 'ticket' in asked ? asked.ticket : asked.lock
}
