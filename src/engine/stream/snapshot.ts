import { DEFAULT_SETTINGS } from '../../contract/events.ts'
import { LIMITS } from '../../contract/limits.ts'
import { BoundedMap } from '../../core/bounded-map.ts'
import type { State } from '../../core/state.ts'
import { directoryParts } from './snapshot-directory.ts'
import { lockParts } from './snapshot-locks.ts'
import type { Part, Stored } from './snapshot-part.ts'
import { partsOfFormat4 } from './snapshot-upcast.ts'

/**
 * The in-memory part of a state as plain data, kept beside the tables so that a start folds only the
 * tail. Each part says itself how it is taken and put back, and has a version of its own: an older one
 * is lifted, whether or not the facts before it are still in the ledger.
 */
interface Snapshot {
  format: typeof FORMAT
  revision: number
  at: number
  /** In the order in which they are put back. */
  parts: [name: string, version: number, stored: Stored][]
}

const FORMAT = 5

const PARTS: Readonly<Record<string, Part>> = {
  settings: {
    version: 1,
    upcasts: {},
    take: ({ settings }) => settings,
    restore(state, stored) {
      // Snapshots of earlier releases know fewer settings.
      state.settings = { ...DEFAULT_SETTINGS, ...(stored as State['settings']) }
      state.locks.portable = state.settings.portable_names
    },
  },
  nextFileId: {
    version: 1,
    upcasts: {},
    take: ({ nextFileId }) => nextFileId,
    restore(state, stored) {
      state.nextFileId = stored as number
    },
  },
  ...lockParts,
  answers: {
    version: 2,
    upcasts: {
      1: (stored) =>
        (stored as [string, Stored[]][]).map(([session, own]) => [session, own.flat()]),
    },
    // By far the most: flat, and without those that are kept beyond what has to be.
    take: ({ answers }) =>
      [...answers].map(([session, own]) => {
        const flat: (string | number)[] = []
        own.forEachNewest((revision, requestId) => flat.push(requestId, revision))
        return [session, flat]
      }),
    restore(state, stored) {
      for (const [session, flat] of stored as [string, (string | number)[]][]) {
        const answers = new BoundedMap<string, number>(LIMITS.answersPerSession)
        for (let i = 0; i < flat.length; i += 2)
          answers.set(flat[i] as string, flat[i + 1] as number)
        state.answers.set(session, answers)
      }
    },
  },
  ...directoryParts,
}

export function takeSnapshot(state: State): Snapshot {
  const { revision, at } = state
  const parts = Object.entries(PARTS).map(
    ([name, { version, take }]): Snapshot['parts'][number] => [name, version, take(state)],
  )
  return { format: FORMAT, revision, at, parts }
}

/**
 * Fills a new state from a snapshot. Returns the revision it stands at; 0 where there is none.
 * Throws `SnapshotNewer` for what only a newer release can read.
 */
export function restoreSnapshot(state: State, stored: unknown): number {
  const snapshot = partsOfFormat4(stored as Stored) ?? (stored as Snapshot | undefined)
  if (snapshot === undefined) return 0
  if (snapshot.format !== FORMAT) throw new SnapshotNewer()
  for (const [name, version, value] of snapshot.parts) {
    const part = PARTS[name]
    if (part === undefined || version > part.version) throw new SnapshotNewer()
    let lifted = value
    for (let from = version; from < part.version; from++) lifted = part.upcasts[from]?.(lifted)
    part.restore(state, lifted)
  }
  state.revision = snapshot.revision
  state.at = snapshot.at
  return snapshot.revision
}

export class SnapshotNewer extends Error {
  override name = 'SnapshotNewer'
}
