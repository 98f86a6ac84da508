import { ARGUMENTS } from './reasons/arguments.ts'
import { BOUNDED } from './reasons/bounded.ts'
import { DESCRIBED } from './reasons/described.ts'
import { EDITING } from './reasons/editing.ts'
import { FOLDER } from './reasons/folder.ts'
import { PATTERNS } from './reasons/patterns.ts'
import { READING } from './reasons/reading.ts'
import type { Reason } from './reasons/reason.ts'
import { WRITING } from './reasons/writing.ts'

/**
 * All that may be other than at the official server, each with why ours is better. A difference that none
 * of these is meant for fails the test; so does one of these that nothing needs any more.
 */
export const REASONS: readonly Reason[] = [
  ...ARGUMENTS,
  ...READING,
  ...PATTERNS,
  ...WRITING,
  ...EDITING,
  ...BOUNDED,
  ...DESCRIBED,
  ...FOLDER,
]
