import type { OperationName } from '../src/contract/operations.ts'

/**
 * One call of a client, as that client saw it. Steps are the loop's: no two things share one, so they
 * order a history better than time does.
 */
export interface Operation {
  client: number
  session: string
  name: OperationName
  input: Readonly<Record<string, unknown>>
  /** As the SDK made it up; absent where the operation takes none. */
  requestId: string | undefined
  /** The step and the time it was asked at. */
  invoked: number
  invokedAt: number
  /** The step it was answered at; 0: never, so nobody knows whether it was done. */
  returned: number
  returnedAt: number
  outcome: 'unknown' | 'done' | 'refused'
  value: unknown
  /** Of the answer: everything up to here was durable when it left. */
  revision: number
  problem: { code: string; detail: string } | undefined
  content: Uint8Array | undefined
}

/** Something that happened to somebody: a fault, a start, a loss. */
export interface Incident {
  step: number
  at: number
  who: string
  what: string
}

/** All that was asked and answered in a run, and what befell it. */
export class History {
  readonly operations: Operation[] = []
  readonly incidents: Incident[] = []
  readonly faults = new Map<string, number>()

  count(kind: string): void {
    this.faults.set(kind, (this.faults.get(kind) ?? 0) + 1)
  }
}

/** A rule does not hold. */
export class RuleBroken extends Error {
  override name = 'RuleBroken'
  readonly rule: string
  constructor(rule: string, what: string) {
    super(`${rule}: ${what}`)
    this.rule = rule
  }
}

export function broken(rule: string, what: string): never {
  throw new RuleBroken(rule, what)
}
