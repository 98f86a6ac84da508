/**
 * Which bytes of a file have become which, over several changes in a row: spans that do not touch, in
 * order. `base` is where they were, `start` and `end` where they are now. All between them is as it was.
 */
export interface Span {
  baseStart: number
  baseEnd: number
  start: number
  end: number
}

/** The spans after the bytes `[start, end)` of what is there now have become `size` bytes. */
export function withChange(
  spans: readonly Span[],
  start: number,
  end: number,
  size: number,
): Span[] {
  const before = spans.filter((span) => span.end < start)
  const touched = spans.filter((span) => span.end >= start && span.start <= end)
  const behind = spans.filter((span) => span.start > end)
  const growth = size - (end - start)
  const shiftBefore = shiftOf(before.at(-1))
  const [first] = touched
  const last = touched.at(-1)
  const isFirstInside = first !== undefined && first.start <= start
  const isLastInside = last !== undefined && last.end >= end
  return [
    ...before,
    {
      baseStart: isFirstInside ? first.baseStart : start - shiftBefore,
      baseEnd: isLastInside ? last.baseEnd : end - shiftOf(last ?? before.at(-1)),
      start: isFirstInside ? first.start : start,
      end: (isLastInside ? last.end : end) + growth,
    },
    ...behind.map((span) => ({ ...span, start: span.start + growth, end: span.end + growth })),
  ]
}

/** By how much what follows a span has moved. */
function shiftOf(span: Span | undefined): number {
  return span === undefined ? 0 : span.end - span.baseEnd
}

/** The part of a replacement that differs from what it replaces: byte for byte from both sides. */
export function shrunk(
  old: Uint8Array,
  made: Uint8Array,
): { start: number; end: number; bytes: Uint8Array } {
  // Not by `sharedEnds`: a loop that sees lists too compares bytes at less than half the speed.
  const most = Math.min(old.length, made.length)
  let start = 0
  while (start < most && old[start] === made[start]) start += 1
  let same = 0
  while (same < most - start && old[old.length - 1 - same] === made[made.length - 1 - same]) {
    same += 1
  }
  return { start, end: old.length - same, bytes: made.subarray(start, made.length - same) }
}

/** How many lines two texts have in common at their beginnings, and of the others at their ends. */
export function sharedEnds(
  old: readonly string[],
  made: readonly string[],
): { head: number; tail: number } {
  const most = Math.min(old.length, made.length)
  let head = 0
  while (head < most && old[head] === made[head]) head += 1
  let tail = 0
  while (tail < most - head && old[old.length - 1 - tail] === made[made.length - 1 - tail]) {
    tail += 1
  }
  return { head, tail }
}
