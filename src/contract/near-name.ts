/** Which of the known names somebody who wrote another one most likely meant. */
export function nearName(given: string, known: readonly string[]): string | undefined {
  const wanted = plain(given)
  if (wanted === '') return undefined
  let best: { name: string; distance: number } | undefined
  for (const name of known) {
    const distance = distanceOf(wanted, plain(name))
    if (best === undefined || distance < best.distance) best = { name, distance }
  }
  const most = Math.max(1, Math.floor(wanted.length / 3))
  if (best !== undefined && best.distance <= most) return best.name
  // `file_path` means path, `dest` means destination.
  return known.find((name) => {
    const other = plain(name)
    return (other.length >= 3 && wanted.includes(other)) || isStart(wanted, other)
  })
}

/** Case and the ways to write two words are no difference. */
function plain(name: string): string {
  return name
    .slice(0, LONGEST)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '')
}

function isStart(start: string, whole: string): boolean {
  return start.length >= 3 && whole.startsWith(start)
}

const LONGEST = 64

/** Letters to put in, leave out, replace or swap with their neighbour. */
function distanceOf(a: string, b: string): number {
  let [before, last] = [[] as number[], Array.from({ length: b.length + 1 }, (_, j) => j)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1]
      let least = Math.min(
        (last[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (last[j - 1] ?? 0) + (isSame ? 0 : 1),
      )
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (isSwap) least = Math.min(least, (before[j - 2] ?? 0) + 1)
      row.push(least)
    }
    before = last
    last = row
  }
  return last[b.length] ?? 0
}
