import { type Refusal, refuse } from './errors.ts'

/**
 * Text that is none: a half of a surrogate pair cannot be written as UTF-8, so it would be stored, and
 * told to others, as something else than what was sent.
 */
interface IllFormed {
  /** Where it stands: `edits.0.oldText`. */
  field: string
}

/** The first string, or name of a field, that is not well-formed; undefined when all are. */
function illFormed(value: unknown, field = ''): IllFormed | undefined {
  if (typeof value === 'string') return value.isWellFormed() ? undefined : { field }
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return undefined
  for (const [key, inner] of Object.entries(value)) {
    const path = `${field === '' ? '' : `${field}.`}${key.toWellFormed()}`
    const found = key.isWellFormed() ? illFormed(inner, path) : { field: path }
    if (found !== undefined) return found
  }
  return undefined
}

/** What every door says of it, by field; undefined when all of an input is well-formed. */
export function illFormedRefusal(input: unknown): Refusal | undefined {
  const ill = illFormed(input)
  if (ill === undefined) return undefined
  const field = ill.field === '' ? '(whole request)' : ill.field
  const fault = 'not well-formed Unicode: it has half of a surrogate pair'
  // A path that cannot be said is an invalid path, as others are.
  const isPath = /(?:^|\.)(?:path|to|source|destination|paths\.\d+)$/.test(field)
  return refuse(isPath ? 'invalid_path' : 'invalid_request', `${field}: ${fault}.`, {
    fields: [{ field, fault }],
  })
}
