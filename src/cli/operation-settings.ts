import { z } from 'zod'
import { type Input, type OperationName, operationOf } from '../contract/operations.ts'
import type { Setting } from './setting.ts'
import { LOCK_TOKENS, SHARED } from './settings.ts'
import type { Values } from './values.ts'

/**
 * Flags of an operation, derived from its input: one for each field that fits into a word. Fields that
 * hold lists of objects are for `sluice call`.
 *
 * @param positional fields that stand without a flag.
 * @param changes what help says otherwise than the schema, by field; null: no flag.
 */
export function operationSettings(
  name: OperationName,
  positional: readonly string[],
  changes: Readonly<Record<string, Partial<Setting> | null>> = {},
): Setting[] {
  const settings: Setting[] = []
  for (const [field, schema] of Object.entries(operationOf(name).input.shape)) {
    const change = changes[field]
    if (positional.includes(field) || change === null) continue
    if (field === 'workspace') {
      settings.push(SHARED.workspace)
      continue
    }
    const setting = settingOf(field, schema as z.ZodType)
    const tokens = field === 'locks' ? LOCK_TOKENS : {}
    if (setting !== undefined) settings.push({ ...setting, ...tokens, ...change })
  }
  return settings
}

interface FieldSchema {
  type?: string | string[]
  enum?: string[]
  items?: { type?: string }
  anyOf?: FieldSchema[]
  description?: string
  default?: string | number
}

function settingOf(field: string, type: z.ZodType): Setting | undefined {
  const schema = z.toJSONSchema(type, { io: 'input', unrepresentable: 'any' }) as FieldSchema
  const kind = kindOf(schema)
  if (kind === undefined) return undefined
  return {
    name: field.replaceAll('_', '-'),
    kind,
    field,
    describes: schema.description ?? '',
    ...(schema.enum === undefined ? {} : { choices: schema.enum }),
    ...(schema.default === undefined || kind === 'flag' ? {} : { fallback: schema.default }),
  }
}

function kindOf({ type, items, anyOf }: FieldSchema): Setting['kind'] | undefined {
  const types = [type ?? []].flat()
  if (types.includes('boolean')) return 'flag'
  if (types.includes('number') || types.includes('integer')) return 'number'
  if (types.includes('string')) return 'text'
  if (types.includes('array')) return items?.type === 'string' ? 'list' : undefined
  return anyOf?.map(kindOf).find((kind) => kind === 'list')
}

/** The input that arguments and flags say. Defaults are left to the server, so that one place has them. */
export function operationInput<N extends OperationName>(
  positional: readonly string[],
  values: Values,
  words: readonly string[],
): Input<N> {
  const input: Record<string, unknown> = {}
  for (const [index, field] of positional.entries()) {
    const word = words[index]
    if (word !== undefined) input[field] = field === 'path' ? pathOf(word) : word
  }
  for (const { setting, value, source } of values.all()) {
    const { field } = setting
    if (field === undefined || value === undefined) continue
    if (source !== 'default' || field === 'workspace') input[field] = value
  }
  takeToken(input, values)
  return input as Input<N>
}

/** The token of a lock says which lock it is, and proves it: whoever has it at hand needs nothing else. */
function takeToken(input: Record<string, unknown>, values: Values): void {
  const { id, locks } = input
  if (typeof id !== 'string' || !TOKEN.test(id)) return
  if (![...values.all()].some(({ setting }) => setting.field === 'locks')) return
  input.id = id.slice(0, id.indexOf('.'))
  input.locks = [...((locks as string[] | undefined) ?? []), id]
}

const TOKEN = /^L\d+\../

/** People on Windows write what their shell completes. */
export function pathOf(word: string): string {
  return process.platform === 'win32' ? word.replaceAll('\\', '/') : word
}
