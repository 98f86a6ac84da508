import type { State } from '../../core/state.ts'

/** Plain data: what MessagePack can carry. A field that says nothing may be there, undefined. */
export type Stored = unknown

/** One part of what lives in memory: how it is taken, put back, and lifted from earlier shapes. */
export interface Part {
  /** Of the stored shape. */
  version: number
  /** From version n to n + 1, for each n below `version`. */
  upcasts: Readonly<Record<number, (stored: Stored) => Stored>>
  take(state: State): Stored
  /** Into a new state, in which the parts before it are back. */
  restore(state: State, stored: Stored): void
}

/** A part whose rows are kept as they are. */
export function rows<T>(list: (state: State) => Iterable<T>, add: (state: State, row: T) => void) {
  return {
    version: 1,
    upcasts: {},
    take: (state: State): Stored => [...list(state)],
    restore(state: State, stored: Stored): void {
      for (const row of stored as T[]) add(state, row)
    },
  } satisfies Part
}
