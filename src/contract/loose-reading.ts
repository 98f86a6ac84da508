import { z } from 'zod'

/**
 * What models and the clients around them send is often right in another form: `null` for what they
 * leave out, a number, a flag or a list as text. This is the one place where such forms are read,
 * derived from the schema, so that every door takes the same. Whatever has only one meaning as the
 * declared type is taken as that; everything else stays as it came, and the schema refuses it.
 *
 * Text stays text: a field that takes text is never looked into.
 */
export function readLoosely(type: z.ZodType, raw: unknown): unknown {
  const inner = unwrapped(type)
  if (inner instanceof z.ZodObject) return fieldsOf(inner, jsonOf(raw, isRecord))
  if (inner instanceof z.ZodArray) return itemsOf(inner, jsonOf(raw, Array.isArray))
  if (inner instanceof z.ZodRecord) return jsonOf(raw, isRecord)
  if (inner instanceof z.ZodDiscriminatedUnion) return variantOf(inner, jsonOf(raw, isRecord))
  if (inner instanceof z.ZodUnion) return alternativeOf(inner, raw)
  if (inner instanceof z.ZodNumber) return numberOf(raw)
  if (inner instanceof z.ZodBoolean) return flagOf(raw)
  return raw
}

/** The type below "optional", "default" and what is made of it afterwards. */
export function unwrapped(type: z.ZodType): z.ZodType {
  if (
    type instanceof z.ZodOptional ||
    type instanceof z.ZodDefault ||
    type instanceof z.ZodNullable ||
    type instanceof z.ZodReadonly
  ) {
    return unwrapped(type.unwrap() as z.ZodType)
  }
  return type instanceof z.ZodPipe ? unwrapped(type.in as z.ZodType) : type
}

function fieldsOf({ shape }: z.ZodObject, raw: unknown): unknown {
  if (!isRecord(raw)) return raw
  const fields = {}
  for (const [name, given] of Object.entries(raw)) {
    const type = Object.hasOwn(shape, name) ? (shape[name] as z.ZodType) : undefined
    if (type !== undefined && isNothing(type, given) && mayBeAbsent(type)) continue
    const value = type === undefined ? given : readLoosely(type, given)
    // Defining, not assigning: a field named "__proto__" stays a field, and the schema refuses it.
    Object.defineProperty(fields, name, { value, enumerable: true, configurable: true })
  }
  return fields
}

/** `null`, or its text where no text is wanted. */
function isNothing(type: z.ZodType, given: unknown): boolean {
  if (typeof given !== 'string') return given === null
  return given.trim() === 'null' && NO_TEXT.some((kind) => unwrapped(type) instanceof kind)
}

const NO_TEXT = [z.ZodNumber, z.ZodBoolean, z.ZodObject, z.ZodArray, z.ZodRecord]

function itemsOf(type: z.ZodArray, raw: unknown): unknown {
  if (!Array.isArray(raw)) return raw
  return raw.map((item) => readLoosely(type.element as z.ZodType, item))
}

function variantOf(type: z.ZodDiscriminatedUnion, raw: unknown): unknown {
  if (!isRecord(raw)) return raw
  const { discriminator } = type.def
  const variant = type.options.find((option) => {
    const shape = option instanceof z.ZodObject ? option.shape : {}
    return (shape[discriminator] as z.ZodType | undefined)?.safeParse(raw[discriminator]).success
  })
  return variant === undefined ? raw : readLoosely(variant as z.ZodType, raw)
}

/** As it came where that is allowed; else the first reading that is. */
function alternativeOf(type: z.ZodUnion, raw: unknown): unknown {
  const options = type.options as readonly z.ZodType[]
  if (options.some((option) => option.safeParse(raw).success)) return raw
  for (const option of options) {
    const reading = readLoosely(option, raw)
    if (option.safeParse(reading).success) return reading
  }
  return raw
}

const NUMBER = /^\s*[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d{1,3})?\s*$/

function numberOf(raw: unknown): unknown {
  return typeof raw === 'string' && raw.length <= 64 && NUMBER.test(raw) ? Number(raw) : raw
}

const YES: ReadonlySet<string> = new Set(['true', '1', 'yes', 'on'])
const NO: ReadonlySet<string> = new Set(['false', '0', 'no', 'off'])

function flagOf(raw: unknown): unknown {
  if (raw === 1 || raw === 0) return raw === 1
  if (typeof raw !== 'string') return raw
  const word = raw.trim().toLowerCase()
  if (YES.has(word)) return true
  return NO.has(word) ? false : raw
}

/** Text that is JSON of the wanted kind; anything else as it came. */
function jsonOf(raw: unknown, isWanted: (value: unknown) => boolean): unknown {
  if (typeof raw !== 'string' || !/^\s*[[{]/.test(raw)) return raw
  try {
    const value: unknown = JSON.parse(raw)
    return isWanted(value) ? value : raw
  } catch {
    return raw
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function mayBeAbsent(type: z.ZodType): boolean {
  return type.safeParse(undefined).success
}
