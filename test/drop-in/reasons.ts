import { ARGUMENTS } from './reasons/arguments.ts'
import { BOUNDED } from './reasons/bounded.ts'
import { DESCRIBED } from './reasons/described.ts'
import { EDITING } from './reasons/editing.ts'
import { FOLDER } from './reasons/folder.ts'
import { PATTERNS } from './reasons/patterns.ts'
import { READING } from './reasons/reading.ts'
import type { Reason } from './reasons/reason.ts'
import { WRITING } from './reasons/writing.ts'

/** In the order in which they are tried: the first that a difference fits is its reason. */
export const GROUPS: readonly { title: string; reasons: readonly Reason[] }[] = [
  { title: 'Arguments, and how a call is refused', reasons: ARGUMENTS },
  { title: 'Reading', reasons: READING },
  { title: 'Patterns', reasons: PATTERNS },
  { title: 'Writing', reasons: WRITING },
  { title: 'Editing', reasons: EDITING },
  { title: 'Answers that have an end', reasons: BOUNDED },
  { title: 'How tools are described', reasons: DESCRIBED },
  { title: 'The folder, and names in it', reasons: FOLDER },
]

/**
 * All that may be other than at the official server, each with why ours is better. A difference that none
 * of these is meant for fails the test; so does one of these that nothing needs any more.
 */
export const REASONS: readonly Reason[] = GROUPS.flatMap(({ reasons }) => reasons)
