import { CommanderError, Option, Command as Parser } from 'commander'
import { ERRORS } from '../contract/errors.ts'
import { VERSION } from '../contract/version.ts'
import type { Command } from './command.ts'
import { COMMANDS } from './commands.ts'
import { checkConfigFile } from './config-check.ts'
import { readConfigFile } from './config-file.ts'
import { warnOfVariables } from './environment-check.ts'
import { reportError } from './report-error.ts'
import { environmentName, flagSyntax, type Setting } from './setting.ts'
import { UsageError } from './usage-error.ts'
import { isShared, valuesOf } from './values.ts'

/** Parses, runs one command, and gives its exit code. */
export async function runCommandLine(words: readonly string[]): Promise<number> {
  // Whoever reads our output may stop early, as `head` does; that is no fault.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
  const asJson = words.includes('--json') || process.env.SLUICE_JSON === '1'
  let exit = 0
  const onExit = (code: number): void => {
    exit = code
  }
  try {
    const { before, after } = splitAtDashes(words)
    const parser = await parserOf(before[0], { after, asJson, onExit })
    await parser.parseAsync([...before], { from: 'user' })
    return exit
  } catch (error) {
    return exitOf(error, asJson)
  }
}

function exitOf(error: unknown, asJson: boolean): number {
  if (!(error instanceof CommanderError)) return reportError(error, asJson)
  // Help and version end by an error too.
  if (error.exitCode === 0) return 0
  // A command line that makes no sense is an invalid request; for people the parser has said it.
  const usage = new UsageError(error.message.replace(/^error: /, ''))
  return asJson ? reportError(usage, true) : INVALID
}

const INVALID = ERRORS.invalid_request.exit

/** What follows `--` is the command of somebody else; its flags are none of ours. */
function splitAtDashes(words: readonly string[]) {
  const at = words.indexOf('--')
  if (at < 0) return { before: words, after: [] }
  return { before: words.slice(0, at), after: words.slice(at + 1) }
}

interface Run {
  after: readonly string[]
  asJson: boolean
  /** Told the exit code of a command that has one of its own. */
  onExit: (code: number) => void
}

/** The parser that knows the one command that is run; without one, all of them. */
export async function parserOf(
  name: string | undefined,
  { after = [], asJson = false, onExit = () => {} }: Partial<Run> = {},
): Promise<Parser> {
  const parser = new Parser('sluice')
    .description('A file server for swarms of AI agents.')
    .version(VERSION, '-V, --version')
    .showHelpAfterError('(--help says what there is)')
    .exitOverride()
  if (asJson) parser.configureOutput({ writeErr: () => {} })
  const known = name !== undefined && Object.hasOwn(COMMANDS, name)
  for (const [own, load] of Object.entries(COMMANDS)) {
    if (!known || own === name) addCommand(parser, own, own, await load(), after, onExit)
  }
  return parser
}

function addCommand(
  parent: Parser,
  word: string,
  name: string,
  command: Command,
  after: readonly string[],
  onExit: (code: number) => void,
): void {
  const parser = parent
    .command(word)
    .summary(command.summary)
    // What comes after the name of a subcommand is the subcommand's.
    .enablePositionalOptions()
    .description(command.summary)
    .exitOverride()
  for (const argument of (command.arguments ?? '').split(' ')) {
    if (argument !== '') parser.argument(argument)
  }
  if (command.rest !== undefined) parser.usage(usageOf(command))
  for (const setting of command.settings) parser.addOption(optionOf(setting, name))
  if (command.notes !== undefined) parser.addHelpText('after', `\n${command.notes}`)
  parser.action(async () => {
    if (after.length > 0 && command.rest === undefined) {
      parser.error(`error: ${name} takes nothing after "--"`)
    }
    const exit = await runCommand(name, command, parser, after)
    if (exit !== undefined) onExit(exit)
  })
  for (const [sub, own] of Object.entries(command.subcommands ?? {})) {
    addCommand(parser, sub, `${name} ${sub}`, own, after, onExit)
  }
}

function usageOf(command: Command): string {
  return `[options] ${command.arguments ?? ''} [-- ${command.rest}]`
}

async function runCommand(
  name: string,
  command: Command,
  parser: Parser,
  after: readonly string[],
): Promise<number | undefined> {
  const flags = flagsOf(parser)
  const chosen = flags.config ?? process.env.SLUICE_CONFIG
  const file = readConfigFile(typeof chosen === 'string' && chosen !== '' ? chosen : undefined)
  if (file !== undefined) await checkConfigFile(file)
  // Programs read problems from stderr, and nothing else.
  if (flags.json !== true && process.env.SLUICE_JSON !== '1') await warnOfVariables()
  const values = valuesOf(name, command.settings, flags, file)
  return command.run({
    commands: COMMANDS,
    values,
    arguments: parser.args,
    after,
    ...(file === undefined ? {} : { file }),
  })
}

/** What was said on the command line itself, by the setting's name. */
function flagsOf(parser: Parser): Record<string, unknown> {
  // What was said before the name of a subcommand is meant for that as well.
  const flags = parser.parent === null ? {} : flagsOf(parser.parent)
  for (const option of parser.options) {
    const value: unknown = parser.getOptionValue(option.attributeName())
    if (value !== undefined) flags[option.name()] = value
  }
  return flags
}

function optionOf(setting: Setting, command: string): Option {
  const variable = environmentName(setting, isShared(setting) ? undefined : command)
  const option = new Option(flagSyntax(setting), textOf(setting, variable))
  if (setting.kind === 'list') {
    option.argParser((item: string, before: string[] | undefined) => [...(before ?? []), item])
  }
  return option
}

function textOf(setting: Setting, variable: string): string {
  const { choices } = setting
  const isNamed = choices === undefined || flagSyntax(setting).includes(choices.join('|'))
  const notes = [
    ...(isNamed ? [] : [`one of ${choices.join(', ')}`]),
    ...(setting.fallback === undefined ? [] : [`default: ${setting.fallback}`]),
    ...(setting.kind === 'list' ? ['may be repeated'] : []),
    variable,
  ]
  return `${setting.describes} (${notes.join('; ')})`
}
