import type { Event } from '../../src/contract/events.ts'
import { applyMemory } from '../../src/core/apply.ts'
import type { Records } from '../../src/core/file/entry.ts'
import { newState, type State } from '../../src/core/state.ts'
import { restoreSnapshot, takeSnapshot } from '../../src/engine/stream/snapshot.ts'
import { broken } from '../history.ts'

/** The fold of what lives in memory reads no records; if it begins to, this says so. */
const noRecords = new Proxy({} as Records, {
  get() {
    throw new Error('The fold of the small facts read a record.')
  },
})

/** I13: folding the log from zero, and from a snapshot, gives the state that the server has. */
export function checkFold(events: readonly Event[], live: State): void {
  const folded = newState(live.workspace, noRecords)
  for (const event of events) applyMemory(folded, event)
  const right = dump(live)
  same('from zero', folded, right)
  same('from a snapshot', restoredFrom(live), right)
}

/** What a snapshot of now would forget. */
export function checkSnapshot(live: State): void {
  same('from a snapshot', restoredFrom(live), dump(live))
}

function restoredFrom(live: State): State {
  const restored = newState(live.workspace, noRecords)
  restoreSnapshot(restored, structuredClone(takeSnapshot(live)))
  return restored
}

function same(how: string, given: State, right: ReadonlyMap<string, string>): void {
  const parts = dump(given)
  for (const [part, text] of right) {
    const other = parts.get(part)
    if (other === text) continue
    const at = [...text].findIndex((letter, index) => letter !== other?.[index])
    const cut = (whole: string | undefined) => whole?.slice(Math.max(0, at - 80), at + 80)
    broken('I13', `folded ${how}, ${part} is …${cut(other)}…, not …${cut(text)}…`)
  }
}

/** Part by part, whatever it consists of: a field that is new is compared without being named here. */
function dump(state: State): Map<string, string> {
  const { locks, directory: _directory, records: _records, ...rest } = state
  return new Map(
    [...Object.entries(locks), ...Object.entries(rest)]
      .filter(([part]) => !DERIVED.has(part))
      .map(([part, value]) => [part, canonical(value)]),
  )
}

/** Made from the others, or emptied by each decision. */
const DERIVED: ReadonlySet<string> = new Set([
  'root',
  'owners',
  'byTicket',
  'counts',
  'freed',
  'moved',
])

/** JSON with fields and maps in the order of their keys, and an owner by its name. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    const entries = entriesOf(part)
    if (entries === undefined) return part
    return entries.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))
  })
}

function entriesOf(part: unknown): [unknown, unknown][] | undefined {
  if (typeof part !== 'object' || part === null || Array.isArray(part)) return undefined
  if ('entries' in part && typeof part.entries === 'function') return [...part.entries()]
  return Object.entries(part).flatMap(([name, field]): [unknown, unknown][] => {
    // A field that is absent and one that says nothing are the same; places in the table are made.
    if (field === undefined || field === null || name === 'node' || name === 'by') return []
    return [[name, name === 'owner' ? (field as { session: string }).session : field]]
  })
}
