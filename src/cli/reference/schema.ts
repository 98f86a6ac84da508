import { z } from 'zod'
import * as field from '../../contract/operation/fields.ts'
import { code, table } from './markdown.ts'

/**
 * Schemas as tables: one row a field, nested ones by dotted names. Shapes that many operations share
 * have a name and are described once.
 */
const SHAPES = {
  Lock: field.lock,
  Holder: field.holder,
  FileFacts: field.fileFacts,
  FolderFacts: field.folderFacts,
} as const satisfies Record<string, z.ZodType>

interface Json {
  type?: string | string[]
  enum?: unknown[]
  const?: unknown
  properties?: Record<string, Json>
  required?: string[]
  items?: Json
  anyOf?: Json[]
  oneOf?: Json[]
  additionalProperties?: Json | boolean
  description?: string
  default?: unknown
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
  minItems?: number
  maxItems?: number
  pattern?: string
  /** The name of a shared shape. */
  shape?: string
}

type Io = 'input' | 'output'

export function shapesText(): string {
  return Object.entries(SHAPES)
    .map(
      ([name, schema]) => `### ${name}\n\n${fieldsTable(jsonOf(schema, 'output', name), 'output')}`,
    )
    .join('\n\n')
}

export function fieldsText(schema: z.ZodType, io: Io): string {
  return fieldsTable(jsonOf(schema, io), io)
}

/** @param own the shape that is being described, which must not stand for itself. */
function jsonOf(schema: z.ZodType, io: Io, own?: string): Json {
  return z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    reused: 'inline',
    override: ({ zodSchema, jsonSchema }) => {
      const shape = shapeOf(zodSchema)
      if (shape === undefined || shape === own) return
      for (const key of Object.keys(jsonSchema)) {
        if (key !== 'description') delete (jsonSchema as Record<string, unknown>)[key]
      }
      ;(jsonSchema as Json).shape = shape
    },
  }) as Json
}

function shapeOf(schema: unknown): string | undefined {
  return Object.entries(SHAPES).find(([, shape]) => shape === schema)?.[0]
}

function fieldsTable(schema: Json, io: Io): string {
  const variants = schema.oneOf ?? schema.anyOf
  if (variants !== undefined) {
    return variants.map((one) => `${variantText(one)}:\n\n${fieldsTable(one, io)}`).join('\n\n')
  }
  if (schema.shape !== undefined) return `All of ${linkTo(schema.shape)}.`
  const rows = rowsOf(schema, '', io)
  return rows.length === 0 ? 'Nothing.' : table(['field', 'type', ''], rows)
}

/** The fields with a fixed value say which variant it is. */
function variantText(schema: Json): string {
  if (schema.shape !== undefined) return `Either ${linkTo(schema.shape)}`
  const fixed = Object.entries(schema.properties ?? {}).filter(([, one]) => one.const !== undefined)
  const texts = fixed.map(([name, one]) => `${code(name)} ${code(String(one.const))}`)
  return `With ${texts.join(', ')}`
}

function rowsOf(schema: Json, prefix: string, io: Io): string[][] {
  const rows: string[][] = []
  for (const [name, one] of Object.entries(schema.properties ?? {})) {
    const isSure = schema.required?.includes(name) === true && one.default === undefined
    rows.push([code(prefix + name), typeText(one), noteText(one, presence(isSure, io))])
    const inner = one.type === 'array' ? (one.items ?? {}) : one
    const place = one.type === 'array' ? `${prefix}${name}[].` : `${prefix}${name}.`
    if (inner.shape !== undefined) continue
    for (const variant of inner.oneOf ?? inner.anyOf ?? [inner]) {
      const marks = Object.entries(variant.properties ?? {}).filter(([, { const: fixed }]) => fixed)
      const mark = marks.map(([, { const: fixed }]) => ` (${String(fixed)})`).join('')
      for (const [path = '', ...rest] of rowsOf(variant, place, io))
        rows.push([path + mark, ...rest])
    }
  }
  return rows
}

function typeText(schema: Json): string {
  const { type, items, anyOf, oneOf, additionalProperties } = schema
  if (schema.shape !== undefined) return linkTo(schema.shape)
  if (schema.const !== undefined) return code(String(schema.const))
  if (schema.enum !== undefined) return schema.enum.map((one) => code(String(one))).join(', ')
  const variants = anyOf ?? oneOf
  if (variants !== undefined) {
    const texts = [...new Set(variants.map(typeText))]
    return texts.join(' or ')
  }
  const types = [type ?? []].flat()
  if (types.includes('boolean')) return 'boolean'
  if (types.includes('array'))
    return `list of ${items === undefined ? 'anything' : typeText(items)}`
  if (types.includes('object') && typeof additionalProperties === 'object') {
    return `map to ${typeText(additionalProperties) || 'anything'}`
  }
  return types.join(' or ') + boundsText(schema)
}

function boundsText(schema: Json): string {
  const { minimum, maximum, minLength, maxLength } = schema
  const [least, most] = [minimum ?? minLength, maximum ?? maxLength]
  const isBounded = most !== undefined && most < Number.MAX_SAFE_INTEGER
  const unit = maxLength === undefined && minLength === undefined ? '' : ' characters'
  if (isBounded) return `, ${least ?? 0} to ${most}${unit}`
  return least !== undefined && least > 0 ? `, at least ${least}${unit}` : ''
}

/** Inputs are mostly left out, answers mostly whole: what is the exception is said. */
function presence(isSure: boolean, io: Io): string {
  if (io === 'input') return isSure ? 'Needed.' : ''
  return isSure ? '' : 'May be absent.'
}

function noteText(schema: Json, presenceText: string): string {
  const { description, default: fallback, minItems, maxItems } = schema
  const many = maxItems === undefined ? '' : `${minItems ?? 0} to ${maxItems}.`
  const usual = fallback === undefined ? '' : `Default ${code(JSON.stringify(fallback))}.`
  const text = description === undefined ? '' : `${description}.`
  return [presenceText, text, many, usual].filter((part) => part !== '').join(' ')
}

function linkTo(shape: string): string {
  return `[${shape}](#${shape.toLowerCase()})`
}
