/** A promise that was not kept, in words that say where to look. */
export interface Finding {
  kind: FindingKind
  path: string
  what: string
}

export const FINDING_KINDS = {
  'lost-acknowledged': 'what an agent was told is written is not in the history',
  'lost-save': 'what somebody outside saved is not in the history',
  'half-read': 'an agent read half a file',
  'half-version': 'the history has half a file',
  'other-read': 'an agent read what the version it was told has not',
  echo: 'what an agent wrote came back as a change from outside',
  apart: 'at rest, a file and its newest version differ',
  'left-over': 'something of the server is left in the folder',
  refused: 'a refusal that is in no document',
  trouble: 'a writer or the server found something wrong by itself',
} as const

export type FindingKind = keyof typeof FINDING_KINDS

/** What was looked at, by name. */
export type Counts = Record<string, number>

export interface Checked {
  findings: Finding[]
  counts: Counts
}

export function count(counts: Counts, what: string, by = 1): void {
  counts[what] = (counts[what] ?? 0) + by
}
