import type { Event } from '../../src/contract/events.ts'
import { broken } from '../history.ts'
import type { Watched } from '../work/watcher.ts'

/**
 * I11: what a watch told is the exact slice of the stream after its cursor: nothing left out, nothing
 * twice, nothing out of order. Refusals are shown to whom they concern only; and who may read only part
 * of the workspace is told of that part, no less and no more.
 */
export function checkWatch(
  { client, agent, since, events }: Watched,
  stream: readonly Event[],
  within: string,
): void {
  const mayHear = within === '/' ? () => true : audience(agent, within, stream)
  let next = since
  for (const event of events) {
    if (event.revision <= next) {
      broken('I11', `${client} was told ${event.revision} after ${next}`)
    }
    for (let revision = next + 1; revision < event.revision; revision++) {
      const left = stream[revision - 1] as Event
      if (left.kind !== 'command-refused' && mayHear(left)) {
        broken('I11', `${client} was not told ${revision}, a ${left.kind}`)
      }
    }
    const fact = stream[event.revision - 1]
    if (fact?.kind !== event.kind || fact.session !== event.session) {
      broken(
        'I11',
        `${client} was told that ${event.revision} is ${event.kind}; it is ${fact?.kind}`,
      )
    }
    if (!mayHear(fact)) {
      broken('rights', `${client} was told ${fact.revision}, a ${fact.kind} that it may not see`)
    }
    next = event.revision
  }
}

/** Written anew, from the rules alone: by what each fact is about. */
function audience(agent: string, within: string, stream: readonly Event[]) {
  const paths = new Map<number, string[]>()
  for (const event of stream) paths.set(event.revision, pathsOf(event, paths))
  return (event: Event): boolean => {
    if (event.kind === 'workspace-set' || event.kind === 'session-ended') return true
    if (event.kind === 'command-refused') return event.agent === agent
    const about = paths.get(event.revision) ?? []
    if (about.length === 0) return event.agent === agent
    return about.every((path) => `${path.toLowerCase()}/`.startsWith(`${within}/`))
  }
}

function pathsOf(event: Event, known: ReadonlyMap<number, string[]>): string[] {
  if ('items' in event) return event.items.map(({ path }) => path)
  if ('changes' in event) {
    return event.changes.flatMap((one) => ('to' in one ? [one.path, one.to] : [one.path]))
  }
  if ('paths' in event) return event.paths
  if (event.kind === 'draft-kept') return [event.path]
  if ('lock' in event) return known.get(event.lock) ?? []
  if ('ticket' in event && event.ticket !== undefined) return known.get(event.ticket) ?? []
  if ('ask' in event) return known.get(event.ask) ?? []
  return 'draft' in event ? (known.get(event.draft) ?? []) : []
}
