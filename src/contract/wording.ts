import type { Problem } from './errors.ts'
import { OPERATION_NAMES, type OperationName, operationOf } from './operations.ts'

/**
 * The decision's words are the same for every door: they name what can be done by its operation
 * (`acquire_lock`) and an argument in quotes (`"wait"`). Each door says both in its own words, so
 * that nobody is told of a tool that it does not have.
 */
export interface Wording {
  operation(name: OperationName): string
  /** Of a field of an operation, or of `as`: who calls. */
  argument(name: string): string
  /** Taking back what an earlier session of one's own holds. */
  takeBack: string
}

/** Of all words the one that is more than an operation and an argument. */
export const TAKE_BACK = 'handover_lock without "to"'

/** The detail of a problem as a door tells it, with what its fields say besides. */
export function detailIn(wording: Wording, problem: Problem): string {
  return [inWords(wording, problem.detail), othersIn(problem), laterIn(problem)]
    .filter((part) => part !== '')
    .join(' ')
}

export function inWords(wording: Wording, text: string): string {
  const [before = '', ...after] = text.split(TAKE_BACK)
  return [before, ...after].map((part) => worded(wording, part)).join(wording.takeBack)
}

function worded(wording: Wording, text: string): string {
  return text.replaceAll(PIECE, (piece) =>
    piece.startsWith('("') || piece.includes('/') ? piece : wordsOf(wording, piece),
  )
}

/** What somebody else wrote (an intent in brackets) is one piece, and a path is one: both stay. */
const PIECE = /\("[^"]*"\)|\S+/g

function wordsOf({ operation, argument }: Wording, piece: string): string {
  return piece.replaceAll(WORD, (whole, name?: string, quoted?: string) => {
    if (name !== undefined) return operation(name as OperationName)
    return quoted === undefined ? whole : argument(quoted)
  })
}

const ARGUMENTS: readonly string[] = [
  'as',
  ...new Set(OPERATION_NAMES.flatMap((name) => Object.keys(operationOf(name).input.shape))),
]
const WORD = new RegExp(`\\b(${OPERATION_NAMES.join('|')})\\b|"(${ARGUMENTS.join('|')})"`, 'g')

/** The sentence of a conflict is about the first in the way; these are the others. */
function othersIn({ holders }: Problem): string {
  if (!Array.isArray(holders) || holders.length < 2) return ''
  const others = (holders as Partial<Record<string, string>>[])
    .slice(1)
    .map(({ session, lock, level, path }) => `${session} holds ${lock} (${level}) on ${path}`)
  return `Also in the way: ${others.join('; ')}.`
}

function laterIn({ detail, retry_after_s: after }: Problem): string {
  if (after === undefined || after <= 1 || detail.includes(String(after))) return ''
  return `Try again in ${Math.ceil(after)} s.`
}
