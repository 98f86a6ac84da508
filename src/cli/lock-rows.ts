import type { Output } from '../contract/operations.ts'
import type { Granted } from '../contract/ticket-wait.ts'
import { type Column, type Screen, used } from './screen.ts'
import { agoText, durationText, untilText } from './text.ts'
import { printWaiting, type Waiting } from './waiting-rows.ts'

/** The lock table as people read it: who holds what, who waits for whom, and for how long. */

export type LockTable = Output<'list_locks'>
export type Lock = LockTable['locks'][number]
type Item = Lock['items'][number]
export type Closed = LockTable['closed'][number]
type Statistics = NonNullable<LockTable['statistics']>[number]

/** A range as `sluice lock --range` takes it. */
export function itemText({ path, scope, range, key }: Omit<Item, 'level' | 'stable'>): string {
  const part = range === undefined ? '' : ` ${range.start}:${range.end ?? ''}`
  const below = scope === 'subtree' ? ' and below' : ''
  return `${path}${part}${key === undefined ? below : ` ${key}`}`
}

function itemsText(items: readonly Item[]): string {
  const [first, ...others] = items
  if (first === undefined) return ''
  return itemText(first) + (others.length === 0 ? '' : ` and ${others.length} more`)
}

export function recallText({ recall }: Lock, now = Date.now()): string {
  if (recall === undefined) return ''
  const extended = recall.extended ? ', extended' : ''
  const whom = recall.for === undefined ? '' : ` for ${recall.for}`
  const why = recall.why === undefined ? '' : `: ${recall.why}`
  return `${untilText(recall.deadline, now)} (${recall.reason}${whom}${extended}${why})`
}

/** Who waits for a lock directly: how many, and since when the first of them. */
function waitersOf(lock: string, waiting: readonly Waiting[]): string {
  const own = waiting.filter(({ blocked_by }) => blocked_by.some((one) => one.lock === lock))
  const longest = Math.max(0, ...own.map(({ waited_s }) => waited_s))
  return own.length === 0 ? '' : `${own.length} for ${durationText(longest)}`
}

export function printLocks(
  locks: readonly Lock[],
  waiting: readonly Waiting[],
  screen: Screen,
  now = Date.now(),
): void {
  const columns: Column<Lock>[] = [
    { title: 'LOCK', cell: ({ id }) => id },
    {
      title: 'LEVEL',
      cell: ({ level, items }) => (items[0]?.stable === true ? 'stable read' : level),
    },
    { title: 'PATH', cell: ({ items }) => itemsText(items), shrinks: true },
    { title: 'HOLDER', cell: ({ session }) => session },
    { title: 'SINCE', cell: ({ granted_at }) => agoText(granted_at, now) },
    { title: 'ENDS', cell: ({ expires_at }) => untilText(expires_at, now) },
    { title: 'BLOCKS', cell: ({ id }) => waitersOf(id, waiting), hides: true },
    { title: 'GIVE BACK', cell: (lock) => recallText(lock, now), shrinks: true, hides: true },
    { title: 'INTENT', cell: ({ intent }) => intent ?? '', shrinks: true },
  ]
  screen.table(used(columns, locks), locks)
}

function printClosed(closed: readonly Closed[], screen: Screen, now: number): void {
  screen.table<Closed>(
    [
      { title: 'CLOSED', cell: ({ lock }) => lock },
      { title: 'LEVEL', cell: ({ level }) => level },
      { title: 'PATH', cell: (one) => itemText({ ...one, scope: 'file' }), shrinks: true },
      { title: 'LOST BY', cell: ({ session }) => session },
      {
        title: 'OPENS',
        cell: ({ closed_until }) =>
          closed_until === undefined ? '' : untilText(closed_until, now),
      },
    ],
    closed,
  )
}

function printStatistics(statistics: readonly Statistics[], screen: Screen): void {
  if (statistics.length === 0) return screen.line('Nobody had to wait since the server started.')
  const seconds = (value: number): string => `${value.toFixed(value < 10 ? 2 : 0)}s`
  screen.table<Statistics>(
    [
      { title: 'WAITED FOR', cell: ({ path }) => path, shrinks: true },
      { title: 'NOW', cell: ({ waiting }) => String(waiting), align: 'right' },
      { title: 'WAITS', cell: ({ waits }) => String(waits), align: 'right' },
      { title: 'IN ALL', cell: (row) => seconds(row.waited_s_total), align: 'right' },
      { title: 'MEAN', cell: (row) => seconds(meanOf(row)), align: 'right' },
      { title: 'LONGEST', cell: (row) => seconds(row.waited_s_longest), align: 'right' },
    ],
    statistics,
  )
}

function meanOf({ waits, waited_s_total }: Statistics): number {
  return waits === 0 ? 0 : waited_s_total / waits
}

/** A grant, as who asked for it needs it. */
export function printGrant(granted: Granted, screen: Screen): void {
  const { lock: held, token, already_held } = granted
  const { id, level, items, expires_at, fence } = held
  screen.facts([
    ['lock', `${id}${already_held === true ? ', held already' : ''}`],
    ['level', items[0]?.stable === true ? 'stable read' : level],
    ...items.map((item) => ['path', itemText(item)] as const),
    ['ends', `${untilText(expires_at)} unless renewed`],
    ['fence', String(fence)],
    ['token', token],
  ])
}

export function printLockTable(table: LockTable, screen: Screen, now = Date.now()): void {
  const { locks, waiting, closed, statistics, more } = table
  const parts: (() => void)[] = []
  if (locks.length > 0) parts.push(() => printLocks(locks, waiting, screen, now))
  if (waiting.length > 0) parts.push(() => printWaiting(waiting, screen))
  if (closed.length > 0) parts.push(() => printClosed(closed, screen, now))
  if (parts.length === 0) parts.push(() => screen.line('No locks.'))
  if (statistics !== undefined) parts.push(() => printStatistics(statistics, screen))
  for (const [index, print] of parts.entries()) {
    if (index > 0) screen.line()
    print()
  }
  if (more) screen.line('There are more; --limit shows up to 1000, a path or --owner fewer.')
}
