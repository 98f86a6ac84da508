import { z } from 'zod'
import { isWellFormed } from './well-formed.ts'

/** `undefined`: something is not right, or cannot be read this way; the schema says which. */
export type ExactReader = (given: unknown) => Record<string, unknown> | undefined

/**
 * Reads an object that is right to the letter, as nearly all are: by the rules of its schema, but without
 * a look at every field that was not given, and without a result object for every one that was. Texts,
 * numbers, flags and choices are read here, all else by the schema of the field.
 */
export function exactReader(type: z.ZodType): ExactReader {
  if (!(type instanceof z.ZodObject) || !isPlainStrict(type)) return () => undefined
  const shape = Object.entries(type.shape as Record<string, z.ZodType>)
  const fields = new Map(shape.map(([name, field]) => [name, fieldReader(field)]))
  const absent = shape.filter(([, field]) => !(field instanceof z.ZodOptional))
  return (given) => {
    if (!isPlainObject(given)) return undefined
    const read: Record<string, unknown> = {}
    for (const name in given) {
      const value = fields.get(name)?.(given[name])
      if (value === undefined) return undefined
      read[name] = value
    }
    for (const [name, field] of absent) {
      if (read[name] !== undefined) continue
      const usual = field instanceof z.ZodDefault ? field.def.defaultValue : undefined
      if (usual === undefined || typeof usual === 'object') return undefined
      read[name] = usual
    }
    return read
  }
}

/** The value as the schema gives it; undefined where it refuses. */
type FieldReader = (value: unknown) => unknown

function fieldReader(type: z.ZodType): FieldReader {
  if (type instanceof z.ZodOptional || type instanceof z.ZodDefault) {
    return fieldReader(type.unwrap() as z.ZodType)
  }
  if (type instanceof z.ZodBoolean && isSimple(type)) {
    return (value) => (typeof value === 'boolean' ? value : undefined)
  }
  if (type instanceof z.ZodEnum && isSimple(type)) {
    const options: ReadonlySet<unknown> = new Set(type.options)
    return (value) => (options.has(value) ? value : undefined)
  }
  const checks =
    type instanceof z.ZodString || type instanceof z.ZodNumber ? checksOf(type) : undefined
  if (checks === undefined) return bySchema(type)
  const isKind = type instanceof z.ZodString ? isText : Number.isFinite
  return (value) => {
    if (!isKind(value)) return undefined
    for (const holds of checks) if (!holds(value as never)) return undefined
    return value
  }
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.isWellFormed()
}

function bySchema(type: z.ZodType): FieldReader {
  return (value) => {
    if (!isWellFormed(value)) return undefined
    const { success, data } = type.safeParse(value)
    return success ? data : undefined
  }
}

/** The tests of a text or number without a format of its own; undefined where one is not known here. */
function checksOf(type: z.ZodString | z.ZodNumber): ((value: never) => boolean)[] | undefined {
  const { checks = [], coerce } = type.def
  if (coerce === true || 'format' in type.def) return undefined
  const known = checks.map((check) => checkOf(check._zod.def as CheckTerms))
  return known.every((check) => check !== undefined) ? known : undefined
}

interface CheckTerms {
  check: string
  minimum?: number
  maximum?: number
  pattern?: RegExp
  value?: number
  inclusive?: boolean
  fn?: (value: unknown) => unknown
}

function checkOf(terms: CheckTerms): ((value: never) => boolean) | undefined {
  const { check, minimum = 0, maximum = 0, pattern, value: bound = 0, inclusive, fn } = terms
  switch (check) {
    case 'min_length':
      return (value: string) => value.length >= minimum
    case 'max_length':
      return (value: string) => value.length <= maximum
    case 'string_format':
      return pattern === undefined || pattern.global || pattern.sticky
        ? undefined
        : (value: string) => pattern.test(value)
    case 'greater_than':
      return (value: number) => (inclusive === true ? value >= bound : value > bound)
    case 'less_than':
      return (value: number) => (inclusive === true ? value <= bound : value < bound)
    case 'custom':
      return fn === undefined ? undefined : (value: unknown) => fn(value) === true
    default:
      return undefined
  }
}

function isSimple(type: z.ZodType): boolean {
  return (type.def.checks ?? []).length === 0 && !('coerce' in type.def && type.def.coerce === true)
}

/** Unknown fields are refused, and nothing is checked of the whole. */
function isPlainStrict(type: z.ZodObject): boolean {
  return isSimple(type) && type.def.catchall instanceof z.ZodNever
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
