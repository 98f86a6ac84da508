import type { Texts } from './reason.ts'

/** What becomes of one file among several that are read at once. */
type Kind = 'same' | 'error' | 'not text' | 'cut'

/** The kinds of all parts of an answer; undefined when one of them is none of these. */
export function kindsOfParts({ official, ours }: Texts): ReadonlySet<Kind> | undefined {
  const [theirs, mine] = [official.split(BETWEEN), ours.split(BETWEEN)]
  if (theirs.length !== mine.length) return undefined
  const kinds = theirs.map((part, index) => kindOf(part, mine[index] ?? ''))
  return kinds.includes(undefined) ? undefined : new Set(kinds as Kind[])
}

function kindOf(official: string, ours: string): Kind | undefined {
  if (official === ours) return 'same'
  const failed = ERROR.exec(ours)?.[0]
  if (failed !== undefined && official.startsWith(failed)) return 'error'
  const path = official.slice(0, official.indexOf('\n') + 1)
  if (failed !== undefined && `${failed.slice(0, -' Error - '.length)}\n` === path) {
    return LEFT_OUT.test(ours) ? 'cut' : undefined
  }
  if (!ours.startsWith(path)) return undefined
  if (CUT.test(ours)) return 'cut'
  return NOT_TEXT.test(ours) ? 'not text' : undefined
}

const BETWEEN = '\n---\n'
/** Up to where the reason of a failure begins. */
const ERROR = /^[^\n]*: Error - /
const LEFT_OUT = /: Error - Not shown: /
const CUT = /\nNote: This is not all that you asked for: [^\n]*\n$/
const NOT_TEXT = /\nNote: \S.* (?:is binary|was read as|is UTF-8 but for some bytes)\b[^\n]*\n$/
