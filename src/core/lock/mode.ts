import type { Level } from '../../contract/events.ts'

/**
 * Lock modes (locks §1–3). A lock stands in its leaf mode on its own node and in the matching
 * intention mode on every ancestor folder. Masks are bit sets of modes: bit `1 << mode`.
 */
export const MODE = { IR: 0, IS: 1, IW: 2, IX: 3, R: 4, S: 5, W: 6, X: 7 } as const
export type Mode = (typeof MODE)[keyof typeof MODE]
export const MODES = 8

/** Requested (row) against held by another owner (column); `y` = compatible. From locks §3. */
const MATRIX = [
  'yyyyyyy-', // IR
  'yyyyyy--', // IS
  'yyyyy---', // IW
  'yyyy----', // IX
  'yyy-yyy-', // R
  'yy--yy--', // S
  'y---y---', // W
  '--------', // X
]

/** `CONFLICTS[mode]`: the modes of others that `mode` does not go together with. Symmetric. */
export const CONFLICTS: readonly number[] = MATRIX.map((row) =>
  [...row].reduce((mask, cell, column) => (cell === '-' ? mask | (1 << column) : mask), 0),
)

export function conflictsOf(mode: Mode): number {
  return CONFLICTS[mode] as number
}

export function intentionOf(mode: Mode): Mode {
  return (mode >= MODE.R ? mode - MODE.R : mode) as Mode
}

export function modeOf(level: Level, stable: boolean | undefined): Mode {
  if (level === 'exclusive') return MODE.X
  if (level === 'write') return MODE.W
  return stable === true ? MODE.S : MODE.R
}

export function levelOf(mode: Mode): Level {
  if (mode === MODE.X) return 'exclusive'
  if (mode === MODE.W) return 'write'
  return 'read'
}
