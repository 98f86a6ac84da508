import type { Event } from '../../src/contract/events.ts'
import { broken, type Operation } from '../history.ts'

/**
 * Guarded counting: read, add one, write, under a write lock. Whatever fails meanwhile, each stored
 * write is one more than the one before, so no update is lost, and every acknowledged one is there.
 */
export function checkCount(
  paths: readonly string[],
  operations: readonly Operation[],
  events: readonly Event[],
): void {
  const numbers = new Map<number, number>()
  for (const operation of operations) {
    if (operation.name !== 'write_file' || operation.outcome !== 'done') continue
    if (!paths.includes(String(operation.input.path))) continue
    const { version } = operation.value as { version: number }
    numbers.set(version, Number(Buffer.from(operation.content ?? []).toString()))
  }
  for (const path of paths) {
    let count = -1
    for (const event of events) {
      if (event.kind !== 'files-committed') continue
      for (const change of event.changes) {
        if (change.op !== 'write' || change.path !== path) continue
        count += 1
        const written = numbers.get(event.revision)
        if (written !== undefined && written !== count) {
          broken('count', `${path} ${event.revision} says ${written}; it is write number ${count}`)
        }
      }
    }
  }
}
