import type { Event } from '../../src/contract/events.ts'
import type { OperationName } from '../../src/contract/operations.ts'
import type { Answer, Request } from '../../src/engine/api.ts'
import { broken } from '../history.ts'

/** More than any two syncs take. */
const LATE_MS = 2000

/**
 * locks §42: a call that waits is answered when its turn has come, not when its own time is over.
 * Looked at where answers leave the engine, by the clock of the world.
 */
export class Promptness {
  /** By the fence of a grant through the queue: when it was durable. */
  private readonly grantedAt = new Map<number, number>()

  granted(events: readonly Event[], now: number): void {
    for (const event of events) {
      const isGrant = event.kind === 'lock-acquired' || event.kind === 'lock-raised'
      if (isGrant && event.ticket !== undefined) this.grantedAt.set(event.revision, now)
    }
  }

  /** Time went by in which the server could not answer. */
  forget(): void {
    this.grantedAt.clear()
  }

  follow(
    { operation, caller }: Request<OperationName>,
    answer: Promise<Answer<OperationName>>,
    now: () => number,
    fail: (error: unknown) => void,
  ): void {
    const askedAt = now()
    answer
      .then(
        ({ value }) => {
          const { lock } = value as { lock?: { fence: number } }
          const at = this.grantedAt.get(lock?.fence ?? 0)
          if (at === undefined || at < askedAt || now() - at <= LATE_MS) return
          const late = Math.round(now() - at)
          broken(
            'locks §42',
            `${operation} of ${caller.session} was told of its turn ${late} ms late`,
          )
        },
        () => {},
      )
      .catch(fail)
  }
}
