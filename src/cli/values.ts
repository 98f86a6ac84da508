import { dirname, resolve } from 'node:path'
import type { ConfigFile } from './config-file.ts'
import { environmentName, type Setting } from './setting.ts'
import { SHARED } from './settings.ts'
import { UsageError } from './usage-error.ts'

/** Where a value came from, in the order in which they win. */
export type Source = 'flag' | 'environment' | 'file' | 'default' | 'unset'

export interface Value {
  setting: Setting
  value: string | number | boolean | string[] | undefined
  source: Source
  /** `--port`, `SLUICE_PORT` or the path of the file. */
  from: string | undefined
}

/** What is in force for one run of one command. */
export class Values {
  private readonly values: ReadonlyMap<string, Value>

  constructor(values: readonly Value[]) {
    this.values = new Map(values.map((value) => [value.setting.name, value]))
  }

  text(name: string): string | undefined {
    const { value } = this.get(name)
    return value === undefined ? undefined : String(value)
  }

  number(name: string): number | undefined {
    return this.get(name).value as number | undefined
  }

  flag(name: string): boolean {
    return this.get(name).value === true
  }

  list(name: string): string[] {
    return (this.get(name).value as string[] | undefined) ?? []
  }

  /** Whether the command has such a setting and it was given or has a default. */
  has(name: string): boolean {
    return this.values.get(name)?.value !== undefined
  }

  sourceOf(name: string): Source {
    return this.get(name).source
  }

  all(): Iterable<Value> {
    return this.values.values()
  }

  private get(name: string): Value {
    const value = this.values.get(name)
    if (value === undefined) throw new Error(`This command has no setting "${name}".`)
    return value
  }
}

/**
 * @param flags what the command line said, by the setting's name.
 */
export function valuesOf(
  command: string,
  settings: readonly Setting[],
  flags: Readonly<Record<string, unknown>>,
  file: ConfigFile | undefined,
): Values {
  return new Values(settings.map((setting) => valueFor(command, setting, flags, file)))
}

function valueFor(
  command: string,
  setting: Setting,
  flags: Readonly<Record<string, unknown>>,
  file: ConfigFile | undefined,
): Value {
  const owner = isShared(setting) ? undefined : command
  const flag = flags[setting.name]
  if (flag !== undefined) return given(setting, flag, 'flag', `--${setting.name}`)
  const variable = environmentName(setting, owner)
  const text = process.env[variable]
  // An empty variable counts as none: that is how many shells and containers unset one.
  if (text !== undefined && text !== '') {
    const items = setting.kind === 'list' ? text.split(',').map((item) => item.trim()) : text
    return given(setting, items, 'environment', variable)
  }
  const own = owner === undefined ? file?.content : file?.content[owner]
  const kept = (own as Record<string, unknown> | undefined)?.[setting.name]
  if (file !== undefined && kept !== undefined && kept !== null) {
    const value = given(setting, kept, 'file', file.path)
    const isRelative = setting.isPath === true && typeof value.value === 'string'
    return isRelative
      ? { ...value, value: resolve(dirname(file.path), value.value as string) }
      : value
  }
  const { fallback } = setting
  const source = fallback === undefined ? 'unset' : 'default'
  return { setting, value: fallback, source, from: undefined }
}

export function isShared(setting: Setting): boolean {
  return Object.values(SHARED).includes(setting as (typeof SHARED)[keyof typeof SHARED])
}

function given(setting: Setting, raw: unknown, source: Source, from: string): Value {
  return { setting, value: converted(setting, raw, from), source, from }
}

function converted(setting: Setting, raw: unknown, from: string): Value['value'] {
  const { kind, choices } = setting
  if (kind === 'flag') return booleanOf(raw, from)
  if (kind === 'list') return listOf(raw, from).map((item) => chosen(item, choices, from))
  if (typeof raw !== 'string' && typeof raw !== 'number') {
    throw new UsageError(`${from}: ${setting.name} must be a ${kind}.`)
  }
  if (kind === 'number') {
    const value = typeof raw === 'number' ? raw : Number(raw.trim() === '' ? Number.NaN : raw)
    if (!Number.isFinite(value)) throw new UsageError(`${from}: "${raw}" is not a number.`)
    return value
  }
  // What "$DIR" comes to where DIR is not set; it would mean the folder one happens to be in.
  if (setting.isPath === true && raw === '') {
    throw new UsageError(`${from}: the name of the folder is empty.`)
  }
  return chosen(String(raw), choices, from)
}

function chosen(text: string, choices: readonly string[] | undefined, from: string): string {
  if (choices === undefined || choices.includes(text)) return text
  throw new UsageError(`${from}: "${text}" is none of ${choices.join(', ')}.`)
}

function booleanOf(raw: unknown, from: string): boolean {
  if (typeof raw === 'boolean') return raw
  const word = String(raw).toLowerCase()
  if (['1', 'true', 'yes', 'on'].includes(word)) return true
  if (['0', 'false', 'no', 'off'].includes(word)) return false
  throw new UsageError(`${from}: "${String(raw)}" is neither true nor false.`)
}

function listOf(raw: unknown, from: string): string[] {
  const items = typeof raw === 'string' ? [raw] : raw
  if (!Array.isArray(items) || !items.every((item) => typeof item === 'string')) {
    throw new UsageError(`${from}: a text or a list of texts is needed.`)
  }
  return items
}
