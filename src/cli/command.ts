import type { ConfigFile } from './config-file.ts'
import type { Setting } from './setting.ts'
import type { Values } from './values.ts'

/** One command of the command line. */
export interface Command {
  summary: string
  /** In the syntax of help, one word each: `<path> [file]`. */
  arguments?: string
  /** What may follow `--`; nothing may if absent. */
  rest?: string
  settings: readonly Setting[]
  /** Gives the exit code; nothing: 0. */
  run(invocation: Invocation): Promise<number | undefined>
  subcommands?: Readonly<Record<string, Command>>
  /** More for help: examples, what to know. */
  notes?: string
}

export interface Invocation {
  values: Values
  arguments: readonly string[]
  /** The words after `--`. */
  after: readonly string[]
  file?: ConfigFile
  /** All commands there are. */
  commands: Commands
}

/** By name; each is loaded when it is needed. */
export type Commands = Readonly<Record<string, () => Promise<Command>>>
