import { type Refusal, refuse } from './errors.ts'

/**
 * Text that is none: a half of a surrogate pair cannot be written as UTF-8, so it would be stored, and
 * told to others, as something else than what was sent.
 *
 * What every door says of it, by field; undefined when all of an input is well-formed.
 */
export function illFormedRefusal(input: unknown): Refusal | undefined {
  const place = illFormed(input)
  if (place === undefined) return undefined
  const field = place === '' ? '(whole request)' : place
  const fault = 'not well-formed Unicode: it has half of a surrogate pair'
  // A path that cannot be said is an invalid path, as others are.
  const isPath = /(?:^|\.)(?:path|to|source|destination|paths\.\d+)$/.test(field)
  return refuse(isPath ? 'invalid_path' : 'invalid_request', `${field}: ${fault}.`, {
    fields: [{ field, fault }],
  })
}

/** Whether all texts in it are, names of fields included. */
export function isWellFormed(value: unknown): boolean {
  return illFormed(value) === undefined
}

/** Where the first string, or name of a field, stands that is not well-formed: `edits.0.oldText`. */
function illFormed(value: unknown): string | undefined {
  if (typeof value === 'string') return value.isWellFormed() ? undefined : ''
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return undefined
  for (const key of Object.keys(value)) {
    if (!key.isWellFormed()) return key.toWellFormed()
    const inner = illFormed((value as Record<string, unknown>)[key])
    if (inner !== undefined) return inner === '' ? key : `${key}.${inner}`
  }
  return undefined
}
