import { GLOBSTAR, Minimatch } from 'minimatch'
import { fail } from '../../contract/errors.ts'

/**
 * Glob patterns over relative paths, by the matcher that the official filesystem server uses
 * (minimatch, with `dot: true`). From version 11 on it walks a path forward only, so no pattern makes
 * it go back; what is left that could grow (alternatives, wildcards, extended globs) is bounded here
 * before anything is matched, because patterns come from agents and run on the deciding thread.
 */
export interface Glob {
  matches(path: string): boolean
  /** Whether anything below this folder may match; `false` is certain. */
  mayMatchBelow(folder: string): boolean
  /** Whether all that lies below this folder matches; `true` is certain. */
  coversBelow(folder: string): boolean
}

const PATTERN_MOST = 1024
const PATTERNS_MOST = 16_384
const BRACES_MOST = 32
const ALTERNATIVES_MOST = 256
const EXTENDED_MOST = 32
/** Of all patterns of a call: each alternative counts one, and one more for each segment with wildcards. */
const PARTS_MOST = 1000

const OPTIONS = {
  dot: true,
  // Paths are ours, whatever the server runs on: a backslash escapes, and parts nothing.
  platform: 'linux',
  braceExpandMax: ALTERNATIVES_MOST + 1,
} as const

/** @throws a refusal that says what to do instead, where matching could take too long. */
export function compileGlob(pattern: string): Glob {
  return globOf(parse(pattern))
}

/** The patterns of one call, which share its bounds. */
export function compileGlobs(patterns: readonly string[]): Glob[] {
  const characters = patterns.reduce((sum, { length }) => sum + length + 1, 0)
  if (characters > PATTERNS_MOST) {
    refuseGlob(
      `The patterns have ${characters} characters; together they may have ${PATTERNS_MOST}`,
    )
  }
  let parts = 0
  return patterns.map((pattern) => {
    const matcher = parse(pattern)
    parts += partsOf(matcher)
    if (parts > PARTS_MOST) {
      refuseGlob(
        `Together the patterns may have ${PARTS_MOST} parts (each alternative of braces, and each ` +
          'segment with wildcards, is one)',
      )
    }
    return globOf(matcher)
  })
}

function parse(pattern: string): Minimatch {
  if (pattern.length > PATTERN_MOST) {
    refuseGlob(`A pattern of ${pattern.length} characters is too long; it may have ${PATTERN_MOST}`)
  }
  if (countOf(pattern, /\{/g) > BRACES_MOST) {
    refuseGlob(`${told(pattern)} has too many braces; it may have ${BRACES_MOST}`)
  }
  if (countOf(pattern, /[?*+@!]\(/g) > EXTENDED_MOST) {
    refuseGlob(`${told(pattern)} has too many groups such as +(…); it may have ${EXTENDED_MOST}`)
  }
  // Paths are relative here, so "./" says nothing; the matcher would look for a folder of that name.
  const matcher = new Minimatch(pattern.replace(/^(!*)(?:\.\/+)+/, '$1'), OPTIONS)
  if (matcher.globSet.length > ALTERNATIVES_MOST) {
    refuseGlob(`${told(pattern)} stands for more than ${ALTERNATIVES_MOST} alternatives`)
  }
  if (partsOf(matcher) > PARTS_MOST) {
    refuseGlob(`${told(pattern)} has too many wildcards in its alternatives`)
  }
  return matcher
}

function globOf(matcher: Minimatch): Glob {
  const { negate, set } = matcher
  const isEndless = set.some((row) => row.includes(GLOBSTAR))
  const deepest = isEndless ? Number.POSITIVE_INFINITY : Math.max(0, ...set.map((r) => r.length))
  let covering: Minimatch[] | undefined
  return {
    matches: (path) => matcher.match(path),
    mayMatchBelow(folder) {
      if (negate) return true
      return folder.split('/').length < deepest && matcher.match(folder, true)
    },
    coversBelow(folder) {
      if (negate) return false
      covering ??= takingAnyName(matcher)
      // The last segment takes the name, whatever it is: where it takes one, it takes all.
      return covering.some((row) => row.match(`${folder}/name`))
    },
  }
}

/** Those of its alternatives whose last segment takes every name; a folder taken takes along what is in it. */
function takingAnyName({ globParts }: Minimatch): Minimatch[] {
  return globParts
    .filter((segments) => ['*', '**'].includes(segments.at(-1) ?? ''))
    .map((segments) => {
      const literally = { nobrace: true, nonegate: true, nocomment: true }
      return new Minimatch(segments.join('/'), { ...OPTIONS, ...literally })
    })
}

function partsOf({ set }: Minimatch): number {
  return set.reduce(
    (sum, row) => sum + 1 + row.filter((part) => typeof part !== 'string').length,
    0,
  )
}

function countOf(text: string, mark: RegExp): number {
  return text.match(mark)?.length ?? 0
}

function told(pattern: string): string {
  const isLong = pattern.length > TOLD_MOST
  return `The pattern ${JSON.stringify(isLong ? `${pattern.slice(0, TOLD_MOST)}…` : pattern)}`
}

const TOLD_MOST = 100

function refuseGlob(what: string): never {
  return fail(
    'invalid_request',
    `${what}. Search with fewer or simpler patterns, one after the other, or from a folder deeper down.`,
  )
}
