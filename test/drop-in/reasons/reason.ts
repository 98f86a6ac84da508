import type { Difference } from '../difference.ts'
import { hasFailed, textOf, textsIn } from '../outcome.ts'

/** Why a difference is meant. As narrow as it can be said: what it matches, nobody looks at again. */
export interface Reason {
  id: string
  /** For people who come from the official server. */
  reason: string
  matches(difference: Difference): boolean
}

export type Values = Record<string, unknown>

/** The arguments of the call; none where they were no object. */
export function argumentsOf({ arguments: args }: Difference): Values {
  return isValues(args) ? args : {}
}

/** The official server does it; ours refuses with one of these codes. Gives the problem that it tells. */
export function refusalIn(difference: Difference, ...codes: string[]): Values | undefined {
  const { aspect, outcomes } = difference
  if (aspect !== 'success' || outcomes === undefined || hasFailed(outcomes.official))
    return undefined
  const { ours } = outcomes
  const problem = ours.kind === 'answer' && isValues(ours.structured) ? ours.structured : {}
  return codes.includes(String(problem.code)) ? problem : undefined
}

/** The official server refuses it in such words; ours does it. */
export function isDoneDespite({ aspect, outcomes }: Difference, words: RegExp): boolean {
  if (aspect !== 'success' || outcomes === undefined || hasFailed(outcomes.ours)) return false
  return words.test(textOf(outcomes.official))
}

/** What two answers in text say, of which one is not like the other. */
export interface Texts {
  official: string
  ours: string
  /** What ours says beside its text. */
  beside: string[]
}

/** Undefined unless both answers are text, and differ in that or in what stands beside it. */
export function textsOf({ aspect, outcomes }: Difference): Texts | undefined {
  if ((aspect !== 'content' && aspect !== 'structured') || outcomes === undefined) return undefined
  const { official, ours } = outcomes
  if (official.kind !== 'answer' || ours.kind !== 'answer') return undefined
  const [one, other] = [official.structured, ours.structured].map((structured) => {
    return isValues(structured) ? structured.content : undefined
  })
  if (typeof one !== 'string' || typeof other !== 'string') return undefined
  const beside = textsIn(ours.content)
  // An empty text has no block of its own where something is said beside it.
  if (beside[0] === other) beside.shift()
  else if (other !== '') return undefined
  return { official: one, ours: other, beside }
}

/** What ours tells of its answer besides the text. */
export function factsOf({ outcomes }: Difference): Values {
  const ours = outcomes?.ours
  return ours?.kind === 'answer' && isValues(ours.structured) ? ours.structured : {}
}

export function isValues(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
