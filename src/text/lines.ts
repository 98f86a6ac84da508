/** Bytes of lines, the first is 1: `[start, end)` with the line ends that belong to them. */
export function bytesOfLines(
  bytes: Uint8Array,
  from: number,
  to: number | undefined,
): { start: number; end: number } | undefined {
  const start = startOfLine(bytes, from)
  if (start === undefined) return undefined
  const end = to === undefined ? undefined : startOfLine(bytes, to + 1)
  return { start, end: end ?? bytes.length }
}

/** Where a line begins; undefined when the text has no such line. */
function startOfLine(bytes: Uint8Array, line: number): number | undefined {
  let at = 0
  for (let passed = 1; passed < line; passed++) {
    const end = bytes.indexOf(NEWLINE, at)
    if (end < 0) return undefined
    at = end + 1
  }
  return at < bytes.length || (line === 1 && at === 0) ? at : undefined
}

const NEWLINE = 10

/** The bytes in which two contents differ: `[start, end)` of the first became `size` bytes. */
export function spliceBetween(
  before: Uint8Array,
  after: Uint8Array,
): { start: number; end: number; size: number } {
  const most = Math.min(before.length, after.length)
  let start = 0
  while (start < most && before[start] === after[start]) start += 1
  let same = 0
  while (
    same < most - start &&
    before[before.length - 1 - same] === after[after.length - 1 - same]
  ) {
    same += 1
  }
  return { start, end: before.length - same, size: after.length - same - start }
}
