/**
 * One thing that can be set: by a flag, by an environment variable, by a key in sluice.config.json, or
 * not at all. The first of these that says something wins (`values.ts`).
 */
export interface Setting {
  /** The flag without its dashes, and the key in the configuration file. */
  name: string
  kind: 'text' | 'number' | 'flag' | 'list'
  describes: string
  /** What stands for the value in help. */
  placeholder?: string
  choices?: readonly string[]
  fallback?: string | number
  short?: string
  /** A second name of the flag. */
  also?: string
  /** Name of the environment variable, where it is not derived from the command and the name. */
  environment?: string
  /** Never printed. */
  isSecret?: boolean
  /** In a configuration file it is taken from the folder of that file. */
  isPath?: boolean
  /** The field of the operation's input that it fills. */
  field?: string
}

/**
 * @param command the command whose own setting it is; undefined for those that many commands share.
 */
export function environmentName(setting: Setting, command: string | undefined): string {
  if (setting.environment !== undefined) return setting.environment
  const words = ['sluice', ...(command === undefined ? [] : [command]), setting.name]
  return words.join('_').replaceAll(/[- ]/g, '_').toUpperCase()
}

/** `--port <number>`, as help shows it. */
export function flagSyntax(setting: Setting): string {
  const also = setting.also === undefined ? '' : `--${setting.also}, `
  const short = setting.short === undefined ? also : `-${setting.short}, `
  if (setting.kind === 'flag') return `${short}--${setting.name}`
  return `${short}--${setting.name} <${placeholderOf(setting)}>`
}

function placeholderOf({ placeholder, choices, kind }: Setting): string {
  if (placeholder !== undefined) return placeholder
  if (choices !== undefined && choices.length <= FEW) return choices.join('|')
  return kind === 'number' ? 'number' : 'text'
}

/** So many choices are named in the place of the value. */
const FEW = 4
