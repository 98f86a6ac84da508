import type { Event } from '../../src/contract/events.ts'
import { broken } from '../history.ts'
import type { Watched } from '../work/watcher.ts'

/**
 * I11: what a watch told is the exact slice of the stream after its cursor: nothing left out, nothing
 * twice, nothing out of order. Refusals are shown to whom they concern only.
 */
export function checkWatch({ client, since, events }: Watched, stream: readonly Event[]): void {
  let next = since
  for (const event of events) {
    if (event.revision <= next) {
      broken('I11', `${client} was told ${event.revision} after ${next}`)
    }
    for (let revision = next + 1; revision < event.revision; revision++) {
      const left = stream[revision - 1]
      if (left?.kind !== 'command-refused') {
        broken('I11', `${client} was not told ${revision}, a ${left?.kind}`)
      }
    }
    const fact = stream[event.revision - 1]
    if (fact?.kind !== event.kind || fact.session !== event.session) {
      broken(
        'I11',
        `${client} was told that ${event.revision} is ${event.kind}; it is ${fact?.kind}`,
      )
    }
    next = event.revision
  }
}
