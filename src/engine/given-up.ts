import type { Actor } from '../core/command.ts'
import { CONNECTION_LOST } from './api.ts'
import type { Desk } from './desk.ts'
import { StreamFailed } from './stream.ts'

/** What a call asked for and its caller has not been told of yet. */
type Asked = { ticket: number } | { lock: number }

/**
 * Calls that are given up (locks §10): the place in the queue goes, and what was granted meanwhile goes
 * back, for nobody would know of it. At once, in the instant of giving up: what the same caller asks
 * for next must not meet it. Who only lost the connection keeps its place; it may come back for it.
 */
export class GivenUp {
  private readonly desk: Desk

  constructor(desk: Desk) {
    this.desk = desk
  }

  /** Does `work`; if its caller gives up before it is done, gives back what was asked. Says whether. */
  async during(
    actor: Actor,
    asked: Asked | undefined,
    signal: AbortSignal | undefined,
    work: () => Promise<void>,
  ): Promise<boolean> {
    if (signal === undefined || asked === undefined) {
      await work()
      return false
    }
    let isGivenUp = false
    const giveUp = (): void => {
      if (signal.reason === CONNECTION_LOST) return
      isGivenUp = true
      this.giveBack(actor, asked)
    }
    if (signal.aborted) giveUp()
    else signal.addEventListener('abort', giveUp)
    try {
      await work()
    } finally {
      signal.removeEventListener('abort', giveUp)
    }
    return isGivenUp
  }

  private giveBack(actor: Actor, asked: Asked): void {
    // Another call of the same caller may wait with the same ticket.
    if ('ticket' in asked && this.desk.waits.isAwaited(asked.ticket, 2)) return
    try {
      this.desk.run(
        'ticket' in asked
          ? { kind: 'leave-queue', actor, ticket: asked.ticket }
          : { kind: 'release-lock', actor, lock: asked.lock, force: false },
      )
    } catch (error) {
      // The disk failed; the stream is read again, and nothing that was only decided is there then.
      if (!(error instanceof StreamFailed)) throw error
    }
  }
}
