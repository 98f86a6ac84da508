/**
 * Bytes of lines, the first is 1: `[start, end)` with the line ends that belong to them; undefined when
 * the text has no such line.
 * @param parts the text of `size` bytes, read as far as it takes and never held whole
 */
export async function bytesOfLines(
  parts: AsyncIterable<Uint8Array>,
  size: number,
  from: number,
  to: number | undefined,
): Promise<{ start: number; end: number } | undefined> {
  let start = from === 1 ? 0 : undefined
  let line = 1
  let passed = 0
  for await (const part of parts) {
    for (let at = part.indexOf(NEWLINE); at >= 0; at = part.indexOf(NEWLINE, at + 1)) {
      line += 1
      if (line === from) start = passed + at + 1
      if (to !== undefined && line > to && start !== undefined) {
        return { start, end: passed + at + 1 }
      }
    }
    passed += part.length
  }
  // After the last line end there is no line.
  return start === undefined || (start === size && from > 1) ? undefined : { start, end: size }
}

const NEWLINE = 10
