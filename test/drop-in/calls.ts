import { type Call, callsOf } from './call.ts'
import { BAD_ARGUMENTS } from './calls/bad-arguments.ts'
import { EDITING } from './calls/editing.ts'
import { LINKED } from './calls/links.ts'
import { LOOKING } from './calls/looking.ts'
import { READING } from './calls/reading.ts'
import { WRITES } from './calls/writing.ts'

/**
 * The calls that were thought of, in an order in which later ones see what earlier ones did: first what
 * changes nothing, then what is written, edited and moved, then the same through links.
 */
export const CALLS: readonly Call[] = [
  ...callsOf('read', READING),
  ...callsOf('look', LOOKING),
  ...callsOf('write', WRITES),
  ...callsOf('edit', EDITING),
  ...callsOf('link', LINKED),
  ...callsOf('argue', BAD_ARGUMENTS),
]
