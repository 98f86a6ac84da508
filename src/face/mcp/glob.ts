/**
 * Glob patterns over relative paths, as the official filesystem server reads them (minimatch with
 * `dot: true`): `*` and `?` within a name, `**` over folders, `[a-z]`, `{a,b}`, `\` to escape, `!`
 * in front to turn it round. Extended globs such as `+(a|b)` are taken literally. Patterns come
 * from agents, so matching takes time in proportion to pattern × path, whatever they are.
 */
export interface Glob {
  matches(path: string): boolean
  /** Whether anything below this folder may match; `false` is certain. */
  mayMatchBelow(folder: string): boolean
  /** Whether all that lies below this folder matches; `true` is certain. */
  coversBelow(folder: string): boolean
}

const ALTERNATIVES_MOST = 256

type Token = { kind: 'star' } | { kind: 'one'; test: (character: string) => boolean }
type Segment = '**' | Token[]

export function compileGlob(pattern: string): Glob {
  if (pattern.startsWith('#')) {
    return { matches: () => false, mayMatchBelow: () => false, coversBelow: () => false }
  }
  const negated = pattern.startsWith('!')
  const alternatives = expandBraces(negated ? pattern.slice(1) : pattern).map(segmentsOf)
  const after = (folder: string) =>
    alternatives.map((segments) => ({ segments, reached: statesAfter(segments, folder) }))
  return {
    matches(path) {
      return after(path).some(({ segments, reached }) => reached.has(segments.length)) !== negated
    },
    mayMatchBelow(folder) {
      return (
        negated ||
        after(folder).some(({ segments, reached }) =>
          [...reached].some((at) => at < segments.length),
        )
      )
    },
    coversBelow(folder) {
      return (
        !negated &&
        after(folder).some(
          ({ segments, reached }) => reached.has(segments.length - 1) && takesAny(segments.at(-1)),
        )
      )
    },
  }
}

/** As the last segment it takes every name, and a folder that is taken takes along what is in it. */
function takesAny(segment: Segment | undefined): boolean {
  if (segment === undefined || segment === '**') return segment === '**'
  return segment.length === 1 && segment[0]?.kind === 'star'
}

/** The segments that can come next once the names of a path were taken; their number: none is left. */
function statesAfter(segments: readonly Segment[], path: string): Set<number> {
  let states = withSkipped(segments, new Set([0]))
  for (const name of path === '' ? [] : path.split('/')) {
    const characters = [...name]
    const next = new Set<number>()
    for (const at of states) {
      const segment = segments[at]
      if (segment === '**') {
        next.add(at)
        // At the end it stands for what lies inside, so for at least one name.
        if (at === segments.length - 1) next.add(segments.length)
      } else if (segment !== undefined && matchName(segment, characters)) {
        next.add(at + 1)
      }
    }
    states = withSkipped(segments, next)
  }
  return states
}

/** `**` may stand for no name at all. */
function withSkipped(segments: readonly Segment[], states: Set<number>): Set<number> {
  for (const at of states) if (segments[at] === '**' && at < segments.length - 1) states.add(at + 1)
  return states
}

function segmentsOf(pattern: string): Segment[] {
  const segments = pattern.split('/')
  return segments
    .filter((segment, index) => {
      // Doubled slashes are one; a slash in front or at the end is none of a relative path.
      const isInside = index > 0 && index < segments.length - 1
      return segment !== '.' && !(segment === '' && isInside)
    })
    .filter((segment, index, all) => segment !== '**' || all[index - 1] !== '**')
    .map((segment) => (segment === '**' ? '**' : tokensOf(segment)))
}

/** The usual greedy walk: on a mismatch, the last star takes one character more. */
function matchName(tokens: readonly Token[], characters: readonly string[]): boolean {
  let token = 0
  let at = 0
  let star = -1
  let starAt = 0
  while (at < characters.length) {
    const current = tokens[token]
    if (current?.kind === 'one' && current.test(characters[at] ?? '')) {
      token += 1
      at += 1
    } else if (current?.kind === 'star') {
      star = token
      starAt = at
      token += 1
    } else if (star >= 0) {
      starAt += 1
      at = starAt
      token = star + 1
    } else {
      return false
    }
  }
  while (tokens[token]?.kind === 'star') token += 1
  return token === tokens.length
}

function tokensOf(segment: string): Token[] {
  const tokens: Token[] = []
  const characters = [...segment]
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i] ?? ''
    if (character === '*') {
      if (tokens.at(-1)?.kind !== 'star') tokens.push({ kind: 'star' })
    } else if (character === '?') {
      tokens.push({ kind: 'one', test: () => true })
    } else if (character === '[') {
      const set = setAt(characters, i)
      tokens.push({ kind: 'one', test: set?.test ?? ((other) => other === '[') })
      i = set?.end ?? i
    } else {
      if (character === '\\' && i + 1 < characters.length) i += 1
      const wanted = characters[i] ?? ''
      tokens.push({ kind: 'one', test: (other) => other === wanted })
    }
  }
  return tokens
}

/** `[a-z_]` or `[!a-z]`; undefined when it is not closed. */
function setAt(characters: readonly string[], start: number) {
  const negated = characters[start + 1] === '!' || characters[start + 1] === '^'
  const first = start + (negated ? 2 : 1)
  const end = characters.indexOf(']', first + 1)
  if (end < 0) return undefined
  const ranges: [string, string][] = []
  for (let i = first; i < end; i++) {
    const low = characters[i] ?? ''
    const isRange = characters[i + 1] === '-' && i + 2 < end
    ranges.push([low, isRange ? (characters[i + 2] ?? low) : low])
    if (isRange) i += 2
  }
  const test = (other: string) =>
    ranges.some(([low, high]) => low <= other && other <= high) !== negated
  return { end, test }
}

function expandBraces(pattern: string): string[] {
  let list = [pattern]
  for (;;) {
    const next = list.flatMap(expandFirst)
    if (next.length === list.length || next.length > ALTERNATIVES_MOST) return list
    list = next
  }
}

/** Opens the first group that has a comma: `a{b,c}d` → `abd`, `acd`. */
function expandFirst(pattern: string): string[] {
  for (let open = pattern.indexOf('{'); open >= 0; open = pattern.indexOf('{', open + 1)) {
    const commas: number[] = []
    let depth = 0
    for (let i = open; i < pattern.length; i++) {
      const character = pattern[i]
      if (character === '\\') i += 1
      else if (character === '{') depth += 1
      else if (character === ',' && depth === 1) commas.push(i)
      else if (character === '}') depth -= 1
      if (depth > 0) continue
      if (commas.length === 0) break
      const cuts = [open, ...commas, i]
      const parts = cuts.slice(1).map((cut, index) => pattern.slice((cuts[index] ?? 0) + 1, cut))
      return parts.map((part) => pattern.slice(0, open) + part + pattern.slice(i + 1))
    }
  }
  return [pattern]
}
