import { broken, type Operation } from '../history.ts'
import { told } from './kept.ts'
import type { StreamCheck } from './stream.ts'

/**
 * Linearizability with the revisions as witness: in their order no operation may have returned before
 * one of a smaller revision was invoked. O(n log n), so it runs on every history.
 */
export function checkRealTime(effects: ReadonlyMap<Operation, number>): void {
  const ordered = [...effects].sort(([, a], [, b]) => a - b)
  let latest: Operation | undefined
  let before: number | undefined
  for (const [operation, revision] of ordered) {
    if (revision === before) {
      broken('order', `${told(operation)} has revision ${revision}, as another has`)
    }
    before = revision
    if (latest !== undefined && operation.returned < latest.invoked) {
      broken('order', `${told(operation)} (${revision}) returned before ${told(latest)} was asked`)
    }
    if (latest === undefined || operation.invoked > latest.invoked) latest = operation
  }
}

/** A read shows what was current at some moment between its call and its answer: nothing older than
 * what anybody had been told before, nothing that was not durable when it answered. */
export function checkReads(operations: readonly Operation[], stream: StreamCheck): void {
  const answers = operations
    .filter((one) => one.outcome === 'done' && one.revision > 0)
    .sort((a, b) => a.returned - b.returned)
  const reads = operations.filter(isReadOfNow).sort((a, b) => a.invoked - b.invoked)
  let index = 0
  let least = 0
  for (const read of reads) {
    while (index < answers.length && (answers[index] as Operation).returned < read.invoked) {
      least = Math.max(least, (answers[index] as Operation).revision)
      index += 1
    }
    const { path, version } = read.value as { path: string; version: number }
    const changes = stream.versions.get(path) ?? []
    const at = changes.findIndex((change) => change.version === version)
    const end = changes[at + 1]?.revision ?? Number.POSITIVE_INFINITY
    if (at < 0 || version > read.revision || end <= least) {
      broken('order', `${told(read)} saw version ${version}, current until ${end}, after ${least}`)
    }
  }
}

function isReadOfNow(operation: Operation): boolean {
  return (
    operation.name === 'read_file' &&
    operation.outcome === 'done' &&
    operation.input.at === undefined
  )
}
