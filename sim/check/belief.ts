import type { Lock } from '../../src/client/lock.ts'
import type { EventOf } from '../../src/contract/events.ts'
import { broken } from '../history.ts'

/** A client, as far as it holds locks in its own belief. */
export interface Believer {
  /** The locks it would say it holds, were it asked now. */
  believed(): { client: string; lock: Lock }[]
}

/**
 * I12: a client that believes HELD is the holder. Asked at the moment a hold's end is durable, before
 * which nobody else can have it. Who takes a lock away by a right of its own (force, recall) does not
 * wait until the holder knows; what is left of the lock is a fence that no longer counts.
 */
export function checkBeliefs(believers: Iterable<Believer>, event: EventOf<'lock-released'>): void {
  if (event.reason === 'forced' || event.reason === 'revoked') return
  for (const believer of believers) {
    for (const { client, lock } of believer.believed()) {
      if (lock.id === `L${event.lock}`) {
        broken('I12', `${client} believes it holds ${lock.id}, which ended: ${event.reason}`)
      }
    }
  }
}
