/** What grows with what is held: latency, start-up time and memory, with little and with much. */
import { measureHeldLocks } from './growth/held-locks.ts'
import { measureManyFiles } from './growth/many-files.ts'
import { measureManySessions } from './growth/many-sessions.ts'
import type { Options, Report } from './report.ts'

export async function runGrowth(options: Options): Promise<Report> {
  const parts = [
    await measureHeldLocks(options),
    await measureManyFiles(options),
    await measureManySessions(options),
  ]
  return {
    tables: parts.flatMap(({ tables }) => tables),
    figures: parts.flatMap(({ figures }) => figures),
    notes: parts.flatMap(({ notes }) => notes),
    faults: parts.flatMap(({ faults }) => faults),
  }
}
