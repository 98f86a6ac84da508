import { type hasFailed, textOf } from '../outcome.ts'
import { argumentsOf, isDoneDespite, type Reason, refusalIn } from './reason.ts'

/** What is taken for an argument, and how both refuse. */
export const ARGUMENTS: readonly Reason[] = [
  {
    id: 'other-words',
    reason: 'A refusal says what to do next, in words of its own.',
    matches: ({ aspect, outcomes }) =>
      aspect === 'error text' &&
      outcomes !== undefined &&
      textOf(outcomes.ours) !== '' &&
      !isInternal(outcomes.ours),
  },
  {
    id: 'no-such-tool',
    reason: 'A tool that is not there is a fault of the protocol, as the protocol has it.',
    matches: ({ aspect, official, ours, outcomes }) =>
      aspect === 'error kind' &&
      official === 'answer' &&
      ours === 'refusal' &&
      outcomes !== undefined &&
      /Tool \S+ not found$/.test(textOf(outcomes.official)),
  },
  {
    id: 'null-for-arguments',
    reason: 'null for the arguments means that there are none.',
    matches: ({ aspect, arguments: args, outcomes }) =>
      args === null &&
      outcomes?.official.kind === 'refusal' &&
      (aspect === 'success' || (aspect === 'error kind' && outcomes.ours.kind === 'answer')),
  },
  {
    id: 'loose-forms',
    reason: 'What can mean one thing only is taken: null for what is left out, a number as text.',
    matches: (difference) =>
      isDoneDespite(difference, /Input validation error/) &&
      Object.values(argumentsOf(difference)).some((value) => value === null || isReadable(value)),
  },
  {
    id: 'rooted-paths',
    reason: 'A path may also begin at "/" as the root of what is served.',
    matches: (difference) =>
      ['/', '/docs/plan.md'].includes(String(argumentsOf(difference).path)) &&
      isDoneDespite(difference, /^Access denied - path outside allowed directories: /),
  },
  {
    id: 'unknown-arguments',
    reason:
      'An argument that no tool has is refused, naming the one that is meant, instead of ignored.',
    matches: (difference) => {
      const detail = refusalIn(difference, 'invalid_request')?.detail
      return typeof detail === 'string' && /^\S+: unknown argument/.test(detail)
    },
  },
  {
    id: 'well-formed-text',
    reason: 'Half of a character is refused instead of written as another.',
    matches: (difference) => {
      const { content } = argumentsOf(difference)
      const isHalf = typeof content === 'string' && !content.isWellFormed()
      return isHalf && refusalIn(difference, 'invalid_request') !== undefined
    },
  },
]

/** Text that is a number, a flag, or JSON. */
function isReadable(value: unknown): boolean {
  return typeof value === 'string' && /^(?:-?\d+|true|false|yes|no|\[.*\]|\{.*\})$/s.test(value)
}

function isInternal(outcome: Parameters<typeof hasFailed>[0]): boolean {
  if (outcome.kind !== 'answer') return false
  return (outcome.structured as { code?: unknown } | undefined)?.code === 'internal'
}
