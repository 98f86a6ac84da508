/**
 * New lines in the indentation of the file, where the lines given for the old text have another one:
 * blanks where the file has tabs, two blanks where it has four, or none.
 *
 * The pairs of a given and a found indentation say how one becomes the other; that holds for what no
 * pair says, too. Where they do not say it, nothing is guessed.
 */
export interface IndentedLine {
  given: string
  found: string
}

/** Undefined when the pairs do not say what becomes of a line. */
export function reindent(
  pairs: readonly IndentedLine[],
  lines: readonly string[],
): string[] | undefined {
  const filled = pairs.filter(({ given }) => given.trim() !== '')
  const known = new Map<string, string>()
  for (const { given, found } of filled) {
    const before = known.get(indentOf(given))
    if (before !== undefined && before !== indentOf(found)) return undefined
    known.set(indentOf(given), indentOf(found))
  }
  const rule = ruleOf(known, lines)
  const result: string[] = []
  for (const line of lines) {
    if (line.trim() === '') {
      result.push('')
      continue
    }
    const indent = indentOf(line)
    const moved = known.get(indent) ?? rule?.(indent)
    if (moved === undefined) return undefined
    result.push(moved + line.slice(indent.length))
  }
  return result
}

type Rule = (indent: string) => string | undefined

/** Counts of blanks or tabs become counts of what the file has: `found = rate × given + shift`. */
function ruleOf(known: ReadonlyMap<string, string>, lines: readonly string[]): Rule | undefined {
  const given = kindOf([
    ...known.keys(),
    ...lines.filter((line) => line.trim() !== '').map(indentOf),
  ])
  const found = kindOf([...known.values()])
  if (given === undefined || found === undefined) return undefined
  const pairs = [...known].map(([from, to]) => [from.length, to.length] as const)
  // Nothing but unindented lines on one side says nothing of its kind: then it is that of the other.
  const to = found === '' ? given : found
  const rate = rateOf(pairs, given === to || given === '', lines)
  const [first] = pairs
  if (rate === undefined || first === undefined) return undefined
  const shift = first[1] - rate * first[0]
  if (pairs.some(([from, into]) => Math.abs(from * rate + shift - into) > NEARLY)) return undefined
  return (indent) => {
    const count = Math.round(indent.length * rate + shift)
    const isWhole = Math.abs(indent.length * rate + shift - count) < NEARLY
    return isWhole && count >= 0 ? to.repeat(count) : undefined
  }
}

function rateOf(
  pairs: readonly (readonly [number, number])[],
  isOneKind: boolean,
  lines: readonly string[],
): number | undefined {
  const [first] = pairs
  if (first === undefined) return undefined
  const other = pairs.find(([given]) => given !== first[0])
  if (other !== undefined) return (other[1] - first[1]) / (other[0] - first[0])
  if (isOneKind) return 1
  if (first[0] > 0 && first[1] > 0) return first[1] / first[0]
  // One level is what all of the new lines share.
  const step = lines.map((line) => indentOf(line).length).reduce(commonDivisor, 0)
  return step >= 2 && step <= 8 ? 1 / step : undefined
}

/** The one character that all of them are made of; empty when none has any. */
function kindOf(indents: readonly string[]): string | undefined {
  const kinds = new Set(indents.join(''))
  if (kinds.size > 1) return undefined
  return [...kinds][0] ?? ''
}

export function indentOf(line: string): string {
  return /^[ \t\f\v]*/.exec(line)?.[0] ?? ''
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b)
}

const NEARLY = 1e-9
