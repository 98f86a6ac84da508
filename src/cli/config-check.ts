import { nearName } from '../contract/near-name.ts'
import type { Command } from './command.ts'
import { COMMANDS } from './commands.ts'
import { type ConfigFile, isSection, type Section } from './config-file.ts'
import type { Setting } from './setting.ts'
import { SHARED } from './settings.ts'
import { UsageError } from './usage-error.ts'
import { isShared, valuesOf } from './values.ts'

/**
 * Everything in the file must mean something, whichever command reads it: a setting that is spelled
 * wrong would not be in force, and nobody would know.
 */
export async function checkConfigFile(file: ConfigFile): Promise<void> {
  const { path, content } = file
  const names = [...Object.keys(SHARED), ...Object.keys(COMMANDS)]
  for (const key of keysOf(content)) {
    const load = COMMANDS[key]
    if (Object.hasOwn(COMMANDS, key) && load !== undefined) {
      checkSection(file, key, await load(), content[key])
    } else if (!Object.hasOwn(SHARED, key)) {
      throw unknown(path, key, names, (await ownerOf(key)) ?? '')
    }
  }
  // Also those that the command at hand does not have.
  valuesOf('', Object.values(SHARED), {}, file, {})
}

function keysOf(section: Section): string[] {
  // Editors take from that key what the others may be.
  return Object.keys(section).filter((key) => key !== '$schema')
}

function checkSection(file: ConfigFile, name: string, command: Command, section: unknown): void {
  const { path } = file
  // As everywhere in the file, null is as good as nothing.
  if (section === null) return
  if (!isSection(section)) {
    throw new UsageError(
      `${path}: "${name}" is a command; its settings stand in an object: "${name}": {…}.`,
    )
  }
  const own = command.settings.filter((setting) => !isShared(setting))
  const { subcommands = {} } = command
  const names = [...own.map((setting) => setting.name), ...Object.keys(subcommands)]
  for (const key of Object.keys(section)) {
    const subcommand = Object.hasOwn(subcommands, key) ? subcommands[key] : undefined
    if (subcommand !== undefined) checkSection(file, `${name} ${key}`, subcommand, section[key])
    else if (!names.includes(key)) {
      const isTop = Object.hasOwn(SHARED, key)
      const hint = isTop ? ` "${key}" stands at the top of the file, for all commands.` : ''
      throw unknown(path, key, names, hint, name)
    }
  }
  valuesOf(name, own, {}, file, {})
}

function unknown(
  path: string,
  key: string,
  names: readonly string[],
  hint: string,
  command?: string,
): UsageError {
  const where = command === undefined ? '' : ` of "${command}"`
  const near = nearName(key, names)
  const guess = near === undefined ? '' : ` Did you mean "${near}"?`
  return new UsageError(
    `${path}: there is no setting "${key}"${where}.${hint === '' ? guess : hint} ` +
      '"sluice config" lists those in force, "sluice COMMAND --help" all of a command.',
  )
}

/** A setting of one command that stands at the top. */
async function ownerOf(key: string): Promise<string | undefined> {
  const owners: string[] = []
  for (const [name, load] of Object.entries(COMMANDS)) {
    const isIts = (setting: Setting) => setting.name === key && !isShared(setting)
    if ((await load()).settings.some(isIts)) owners.push(name)
  }
  const [first] = owners
  if (first === undefined) return undefined
  const who = owners.map((name) => `"${name}"`).join(', ')
  return ` It is one of ${who}: write "${first}": {"${key}": …}.`
}
