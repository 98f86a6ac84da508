import type { Output } from '../../contract/operations.ts'
import { operationCommand } from '../operation-command.ts'
import type { Column } from '../screen.ts'
import { agoText, untilText } from '../text.ts'

type Lock = Output<'list_locks'>['locks'][number]
type Waiting = Output<'list_locks'>['waiting'][number]

export interface Row {
  id: string
  level: string
  path: string
  session: string
  intent: string
  since: string
  expires: string
}

export function rowOf(lock: Lock): Row {
  const [first, ...others] = lock.items
  const scope = first?.scope === 'subtree' ? ' and below' : ''
  const more = others.length === 0 ? '' : ` and ${others.length} more`
  return {
    id: lock.id,
    level: first?.stable === true ? 'stable read' : lock.level,
    path: `${first?.path ?? ''}${scope}${more}`,
    session: lock.session,
    intent: lock.intent ?? '',
    since: agoText(lock.granted_at),
    expires: untilText(lock.expires_at),
  }
}

export const lockColumns: readonly Column<Row>[] = [
  { title: 'LOCK', cell: ({ id }) => id },
  { title: 'LEVEL', cell: ({ level }) => level },
  { title: 'PATH', cell: ({ path }) => path, shrinks: true },
  { title: 'HOLDER', cell: ({ session }) => session },
  { title: 'SINCE', cell: ({ since }) => since },
  { title: 'ENDS', cell: ({ expires }) => expires },
  { title: 'INTENT', cell: ({ intent }) => intent, shrinks: true },
]

const waitingColumns: readonly Column<Waiting>[] = [
  { title: 'TICKET', cell: ({ ticket }) => ticket },
  { title: 'PLACE', cell: ({ position }) => String(position), align: 'right' },
  { title: 'LEVEL', cell: ({ level }) => level },
  { title: 'PATH', cell: ({ paths }) => paths.join(' '), shrinks: true },
  { title: 'WAITING', cell: ({ session }) => session },
  { title: 'SINCE', cell: ({ since }) => agoText(since) },
  { title: 'INTENT', cell: ({ intent }) => intent ?? '', shrinks: true },
]

export const locks = operationCommand({
  operation: 'list_locks',
  print({ locks: held, waiting, more }, screen) {
    if (held.length === 0 && waiting.length === 0) return screen.line('No locks.')
    if (held.length > 0) screen.table(lockColumns, held.map(rowOf))
    if (held.length > 0 && waiting.length > 0) screen.line()
    if (waiting.length > 0) screen.table(waitingColumns, waiting)
    if (more) screen.line('There are more; --limit shows up to 1000, a path or --owner fewer.')
  },
})
