import type { OperationName } from '../../src/contract/operations.ts'
import type { Answer, Request } from '../../src/engine/api.ts'
import { broken } from '../history.ts'

/**
 * I14 for every answer there is, queries too: what an answer names (a version, a fence, a lock, a
 * ticket, a question, a draft) is on stable storage when the answer leaves.
 */
export function checkNamed(
  { operation }: Request<OperationName>,
  { value }: Answer<OperationName>,
  storedTo: number,
): void {
  const named = newestIn(value)
  if (named > storedTo) broken('I14', `${operation} told of ${named} when ${storedTo} was stored`)
}

function newestIn(value: unknown, key = ''): number {
  if (typeof value === 'number') return REVISIONS.has(key) ? value : 0
  if (typeof value === 'string') return Number(/^[LTAD](\d{1,16})$/.exec(value)?.[1] ?? 0)
  if (typeof value !== 'object' || value === null) return 0
  let newest = 0
  for (const [name, one] of Object.entries(value)) {
    newest = Math.max(newest, newestIn(one, key === 'versions' ? 'version' : name))
  }
  return newest
}

/** Fields that are revisions of a workspace. */
const REVISIONS: ReadonlySet<string> = new Set(['version', 'revision', 'fence', 'base', 'yours'])
