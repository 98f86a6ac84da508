import type { Output } from '../contract/operations.ts'
import { type Column, type Screen, used } from './screen.ts'
import { durationText } from './text.ts'

export type Waiting = Output<'list_locks'>['waiting'][number]
type Blocker = Waiting['blocked_by'][number]

/** The id says which session of the agent it is: it stands in the rows above. */
function blockerText({ agent, lock, ticket, closed_until }: Blocker): string {
  if (closed_until !== undefined) return `closed after ${lock}`
  if (lock !== undefined) return `${agent}’s ${lock}`
  return ticket === undefined ? agent : `behind ${ticket}`
}

function blockersText(blockers: readonly Blocker[]): string {
  const texts = blockers.slice(0, BLOCKERS_NAMED).map(blockerText)
  const more = blockers.length - texts.length
  return texts.join(', ') + (more > 0 ? ` and ${more} more` : '')
}

const BLOCKERS_NAMED = 3

export function printWaiting(waiting: readonly Waiting[], screen: Screen): void {
  // Only where somebody asked with another one does it say anything.
  const usual = waiting.every(({ priority }) => priority === waiting[0]?.priority)
  const columns: Column<Waiting>[] = [
    { title: 'TICKET', cell: ({ ticket }) => ticket },
    { title: 'PLACE', cell: ({ position }) => String(position), align: 'right' },
    {
      title: 'PRIORITY',
      cell: ({ priority }) => (usual ? '' : String(priority)),
      align: 'right',
      hides: true,
    },
    { title: 'LEVEL', cell: ({ level, raises }) => (raises === undefined ? level : `to ${level}`) },
    {
      title: 'PATH',
      cell: ({ paths, any }) => `${any === undefined ? '' : `${any} of `}${paths.join(' ')}`,
      shrinks: true,
    },
    { title: 'WAITING', cell: ({ session }) => session },
    { title: 'FOR', cell: ({ waited_s }) => durationText(waited_s) },
    { title: 'BLOCKED BY', cell: ({ blocked_by }) => blockersText(blocked_by), shrinks: true },
    { title: 'INTENT', cell: ({ intent }) => intent ?? '', shrinks: true, hides: true },
  ]
  screen.table(used(columns, waiting), waiting)
}
