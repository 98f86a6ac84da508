import type { z } from 'zod'
import { type Refusal, refuse } from './errors.ts'
import { OPERATIONS, type OperationName, type Parsed } from './operations.ts'
import { illFormedRefusal } from './well-formed.ts'

export type ParseResult<T> = { ok: true; input: T } | { ok: false; refusal: Refusal }

/** Checks an input against the table: every door calls this, so all refuse alike, field by field. */
export function parseInput<N extends OperationName>(name: N, raw: unknown): ParseResult<Parsed<N>> {
  const ill = illFormedRefusal(raw)
  if (ill !== undefined) return { ok: false, refusal: ill }
  const result = OPERATIONS[name].input.safeParse(raw)
  if (result.success) return { ok: true, input: result.data as Parsed<N> }
  return { ok: false, refusal: refusalOf(result.error) }
}

/** What a failed check says, field by field. */
export function refusalOf(error: z.ZodError): Refusal {
  const fields = error.issues.slice(0, 20).map((issue) => ({
    field: issue.path.map(String).join('.') || '(whole request)',
    fault: issue.message,
  }))
  const isPath = error.issues.every(
    (issue) => issue.code === 'custom' && issue.params?.invalidPath === true,
  )
  const detail = fields.map(({ field, fault }) => `${field}: ${fault}`).join('; ')
  return refuse(isPath ? 'invalid_path' : 'invalid_request', detail, { fields })
}
