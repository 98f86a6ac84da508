import { ERRORS, type Problem, problemOf, refuse, SluiceError } from '../contract/errors.ts'
import { detailIn, type Wording } from '../contract/wording.ts'
import { typedFor } from './command-of-operation.ts'
import { printable } from './text.ts'
import { Failure, UsageError } from './usage-error.ts'

/** Says on stderr what went wrong, for people or as a problem body, and gives the exit code. */
export function reportError(error: unknown, asJson: boolean): number {
  const { problem, exit, more } = explained(error)
  if (asJson) process.stderr.write(`${JSON.stringify(problem)}\n`)
  else process.stderr.write(`sluice: ${printable(problem.detail)}\n${more}`)
  return exit
}

function explained(error: unknown): { problem: Problem; exit: number; more: string } {
  if (error instanceof SluiceError) {
    const problem = { ...error.problem, detail: detailIn(WORDING, error.problem) }
    return { problem, exit: ERRORS[error.code]?.exit ?? 1, more: '' }
  }
  if (error instanceof UsageError) {
    const problem = problemOf(refuse('invalid_request', error.message))
    return { problem, exit: ERRORS.invalid_request.exit, more: '' }
  }
  const message = error instanceof Error ? error.message : String(error)
  const problem = problemOf(refuse('internal', message))
  if (error instanceof Failure) return { problem, exit: error.exit, more: '' }
  // Nobody foresaw this one: whoever mends it needs to know where it came from.
  const stack = error instanceof Error && error.stack !== undefined ? `${error.stack}\n` : ''
  return { problem, exit: ERRORS.internal.exit, more: stack }
}

/** Here an operation is a command, and an argument a flag. */
const WORDING: Wording = {
  operation: typedFor,
  argument(name) {
    if (name === 'as') return '--session'
    return PLAIN.has(name) ? `"${name}"` : `--${name.replaceAll('_', '-')}`
  },
  takeBack: 'sluice handover LOCK',
}

/** Arguments that stand without a flag, or are for "sluice call" only. */
const PLAIN: ReadonlySet<string> = new Set(['path', 'items', 'changes', 'edits', 'append', 'id'])
