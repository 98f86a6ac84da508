/** Parts of a text by lines, to the letter as the official filesystem server cuts them. */

/** The first lines. A line end after the last of them is left out. */
export function headOf(text: string, count: number): string {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines.slice(0, count).join('\n')
}

/** The last lines, with `\n` for line ends; a file that ends with one ends with an empty line. */
export function tailOf(text: string, count: number): string {
  return text.replaceAll('\r\n', '\n').split('\n').slice(-count).join('\n')
}

/** `limit` lines after the first `offset`, with their line ends. */
export function sliceOf(text: string, offset: number, limit: number): string {
  let start = 0
  for (let skipped = 0; skipped < offset; skipped++) {
    const end = text.indexOf('\n', start)
    if (end < 0) return ''
    start = end + 1
  }
  let end = start
  for (let taken = 0; taken < limit; taken++) {
    const next = text.indexOf('\n', end)
    if (next < 0) return text.slice(start)
    end = next + 1
  }
  return text.slice(start, end)
}
