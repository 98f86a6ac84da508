import type { Notice } from '../../contract/door.ts'

/** Who should hear of a durable fact, and in which words (locks §1, §37–41). */
export interface Telling {
  session: string
  notice: Notice
}
