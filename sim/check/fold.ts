import type { Event } from '../../src/contract/events.ts'
import { applyMemory } from '../../src/core/apply.ts'
import type { Records } from '../../src/core/file/entry.ts'
import { newState, type State } from '../../src/core/state.ts'
import { restoreSnapshot, takeSnapshot } from '../../src/engine/snapshot.ts'
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
  const restored = newState(live.workspace, noRecords)
  const snapshot = takeSnapshot(live)
  restoreSnapshot(restored, structuredClone(snapshot))
  const right = dump(snapshot)
  same('from zero', dump(takeSnapshot(folded)), right)
  same('from a snapshot', dump(takeSnapshot(restored)), right)
}

function same(how: string, given: Map<string, string>, right: Map<string, string>): void {
  for (const [part, text] of right) {
    const other = given.get(part)
    if (other === text) continue
    const at = [...text].findIndex((letter, index) => letter !== other?.[index])
    const cut = (whole: string | undefined) => whole?.slice(Math.max(0, at - 80), at + 80)
    broken('I13', `folded ${how}, ${part} is …${cut(other)}…, not …${cut(text)}…`)
  }
}

/** Part by part; what is kept in no order is put in one. */
function dump(snapshot: object): Map<string, string> {
  return new Map(
    Object.entries(snapshot).map(([part, value]) => [
      part,
      Array.isArray(value)
        ? value
            .map((one) => canonical(one))
            .sort()
            .join('\n')
        : canonical(value),
    ]),
  )
}

/** JSON with the fields of each object in the order of their names. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    const isPlain = typeof part === 'object' && part !== null && !Array.isArray(part)
    if (!isPlain) return part
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}
