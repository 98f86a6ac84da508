/**
 * What a unified diff changes: its head, and the lines that come and go on the whole, in the form in which
 * they are to be compared. Undefined for what is no diff.
 */
export function changeIn(diff: string, made: (line: string) => string): string | undefined {
  const [head, ...hunks] = diff.split(/^@@ .* @@$/m)
  if (head === undefined || hunks.length === 0) return undefined
  const counts = new Map<string, number>()
  for (const line of hunks.join('').split('\n')) {
    const step = line.startsWith('+') ? 1 : line.startsWith('-') ? -1 : 0
    const text = made(line.slice(1))
    counts.set(text, (counts.get(text) ?? 0) + step)
  }
  const changed = [...counts].filter(([, count]) => count !== 0).sort()
  return JSON.stringify([head, changed])
}
