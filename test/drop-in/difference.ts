import { isDeepStrictEqual } from 'node:util'
import type { Call } from './call.ts'
import { hasFailed, type Outcome, textOf } from './outcome.ts'

export interface Pair<T> {
  official: T
  ours: T
}

/** Something that is not the same at both servers: the least of which a reason can be given. */
export interface Difference {
  session: string
  call: Omit<Call, 'arguments'>
  /** The arguments, with `<base>` for the place of the folder. */
  arguments: unknown
  aspect: Aspect
  /** Where: a field of the structured content, a path on disk, a place in a schema. */
  at: string
  official: unknown
  ours: unknown
  outcomes?: Pair<Outcome>
  /** Of a file that both have: what is in it. */
  bytes?: Pair<Buffer>
}

export type Aspect =
  /** One server does it, the other refuses. */
  | 'success'
  /** Both refuse, in other words. */
  | 'error text'
  /** Both refuse, one of them as a fault of the protocol. */
  | 'error kind'
  | 'content'
  | 'structured'
  | 'disk'
  /** Ours has refused, and changed something. */
  | 'changed by a refusal'
  /** A server did not answer. */
  | 'silence'
  | 'tools/list'
  | 'initialize'
  | 'start'

export type Compared = Pick<Difference, 'session' | 'call' | 'arguments'>

/** How two outcomes of one call differ. What ours says besides in its structured content is no difference. */
export function outcomeDifferences(compared: Compared, outcomes: Pair<Outcome>): Difference[] {
  const { official, ours } = outcomes
  const of = (aspect: Aspect, at: string, one: unknown, other: unknown): Difference => {
    return { ...compared, aspect, at, official: one, ours: other, outcomes }
  }
  if (official.kind === 'silence' || ours.kind === 'silence') {
    const isMeant = compared.call.mayEnd === true && official.kind === ours.kind
    return isMeant ? [] : [of('silence', '', saidBy(official), saidBy(ours))]
  }
  if (hasFailed(official) !== hasFailed(ours)) {
    return [of('success', '', saidBy(official), saidBy(ours))]
  }
  const found: Difference[] = []
  if (official.kind !== ours.kind) found.push(of('error kind', '', official.kind, ours.kind))
  if (hasFailed(official)) {
    if (textOf(official) !== textOf(ours)) {
      found.push(of('error text', '', textOf(official), textOf(ours)))
    }
    return found
  }
  if (official.kind !== 'answer' || ours.kind !== 'answer') return found
  if (!isDeepStrictEqual(official.content, ours.content)) {
    found.push(of('content', '', official.content, ours.content))
  }
  const other = fieldsOf(ours.structured)
  for (const [field, value] of Object.entries(fieldsOf(official.structured))) {
    if (!isDeepStrictEqual(value, other[field])) {
      found.push(of('structured', field, value, other[field]))
    }
  }
  return found
}

function fieldsOf(structured: unknown): Record<string, unknown> {
  return typeof structured === 'object' && structured !== null ? { ...structured } : {}
}

function saidBy(outcome: Outcome): string {
  return `${hasFailed(outcome) ? 'fails' : 'succeeds'}: ${textOf(outcome)}`
}
