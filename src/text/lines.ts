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
