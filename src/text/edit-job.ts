import { unifiedDiff } from './diff.ts'
import { applyEdits, type Edit, type EditFault } from './edit.ts'
import type { Span } from './spans.ts'

/** One text edited, from bytes to bytes: the same in this thread and in the one beside it. */
export interface EditJob {
  bytes: Uint8Array
  edits: readonly Edit[]
  /** The name to show in a diff; no diff is made without it. */
  diffOf?: string | undefined
}

export type EditOutcome =
  | {
      ok: true
      bytes: Uint8Array
      /** The bytes that changed, all of them in one; where none did, the place of the first edit. */
      splice: { start: number; end: number; size: number }
      diff: string | undefined
    }
  | EditFault

export function runEdit({ bytes, edits, diffOf }: EditJob): EditOutcome {
  const before = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const result = applyEdits(before, edits)
  if (!result.ok) return result
  const { bytes: after, spans, encoding, at } = result
  const diff =
    diffOf === undefined ? undefined : unifiedDiff(diffOf, { before, after, spans, encoding })
  return { ok: true, bytes: after, splice: enclosing(spans, at), diff }
}

function enclosing(spans: readonly Span[], at: number) {
  const first = spans[0]
  const last = spans.at(-1)
  if (first === undefined || last === undefined) return { start: at, end: at, size: 0 }
  return { start: first.baseStart, end: last.baseEnd, size: last.end - first.start }
}
