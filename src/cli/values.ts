import { dirname, resolve } from 'node:path'
import { type ConfigFile, sectionOf } from './config-file.ts'
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
  /** Where else something was said, which this wins over. */
  over: string[]
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
  environment: NodeJS.ProcessEnv = process.env,
): Values {
  return new Values(
    settings.map((setting) => {
      const [first, ...others] = sayingsOf(command, setting, flags, file, environment)
      const over = others.map(({ from }) => from)
      if (first !== undefined) return { setting, ...taken(setting, first), over }
      const { fallback } = setting
      const source = fallback === undefined ? 'unset' : 'default'
      return { setting, value: fallback, source, from: undefined, over }
    }),
  )
}

interface Saying {
  raw: unknown
  source: Source
  from: string
  file?: ConfigFile
}

/** All that was said of a setting; the first wins, and what the others say does not matter. */
function sayingsOf(
  command: string,
  setting: Setting,
  flags: Readonly<Record<string, unknown>>,
  file: ConfigFile | undefined,
  environment: NodeJS.ProcessEnv,
): Saying[] {
  const sayings: Saying[] = []
  const owner = isShared(setting) ? undefined : command
  const flag = flags[setting.name]
  if (flag !== undefined) sayings.push({ raw: flag, source: 'flag', from: `--${setting.name}` })
  const variable = environmentName(setting, owner)
  const text = environment[variable]
  // An empty variable counts as none: that is how many shells and containers unset one.
  if (text !== undefined && text !== '') {
    const raw = setting.kind === 'list' ? text.split(',').map((item) => item.trim()) : text
    sayings.push({ raw, source: 'environment', from: variable })
  }
  const section = owner === undefined ? file?.content : sectionOf(file, owner)
  const kept = section?.[setting.name]
  if (file !== undefined && kept !== undefined && kept !== null) {
    sayings.push({ raw: kept, source: 'file', from: file.path, file })
  }
  return sayings
}

function taken(
  setting: Setting,
  { raw, source, from, file }: Saying,
): Omit<Value, 'setting' | 'over'> {
  const where = file === undefined ? from : `${from}: ${setting.name}`
  const value = converted(setting, raw, where)
  const isRelative = file !== undefined && setting.isPath === true
  return { value: isRelative ? resolve(dirname(file.path), String(value)) : value, source, from }
}

export function isShared(setting: Setting): boolean {
  return Object.values(SHARED).includes(setting as (typeof SHARED)[keyof typeof SHARED])
}

/** @param where what the person who wrote it looks for */
function converted(setting: Setting, raw: unknown, where: string): Value['value'] {
  const { kind, choices } = setting
  if (kind === 'flag') return booleanOf(raw, where)
  if (kind === 'list') return listOf(raw, where).map((item) => chosen(item, choices, where))
  if (typeof raw !== 'string' && typeof raw !== 'number') {
    throw new UsageError(`${where}: must be a ${kind}.`)
  }
  if (kind === 'number') {
    const value = typeof raw === 'number' ? raw : Number(raw.trim() === '' ? Number.NaN : raw)
    if (!Number.isFinite(value)) throw new UsageError(`${where}: "${raw}" is not a number.`)
    return value
  }
  // What "$DIR" comes to where DIR is not set; it would mean the folder one happens to be in.
  if (setting.isPath === true && raw === '') {
    throw new UsageError(`${where}: the name of the folder is empty.`)
  }
  return chosen(String(raw), choices, where)
}

function chosen(text: string, choices: readonly string[] | undefined, where: string): string {
  if (choices === undefined || choices.includes(text)) return text
  throw new UsageError(`${where}: "${text}" is none of ${choices.join(', ')}.`)
}

function booleanOf(raw: unknown, where: string): boolean {
  if (typeof raw === 'boolean') return raw
  const word = String(raw).toLowerCase()
  if (['1', 'true', 'yes', 'on'].includes(word)) return true
  if (['0', 'false', 'no', 'off'].includes(word)) return false
  throw new UsageError(`${where}: "${String(raw)}" is neither true nor false.`)
}

function listOf(raw: unknown, where: string): string[] {
  const items = typeof raw === 'string' ? [raw] : raw
  if (!Array.isArray(items) || !items.every((item) => typeof item === 'string')) {
    throw new UsageError(`${where}: a text or a list of texts is needed.`)
  }
  return items
}
