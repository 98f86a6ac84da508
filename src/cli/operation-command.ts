import type { Input, OperationName, Output } from '../contract/operations.ts'
import { operationOf } from '../contract/operations.ts'
import type { Command, Invocation } from './command.ts'
import { doorOf } from './door.ts'
import type { HttpDoor } from './http-door.ts'
import { operationInput, operationSettings } from './operation-settings.ts'
import { Screen } from './screen.ts'
import type { Setting } from './setting.ts'
import { CONNECTION, SHARED } from './settings.ts'
import type { Values } from './values.ts'

export interface OperationCommand<N extends OperationName> {
  operation: N
  summary?: string
  /** In the syntax of help, where it is not what the operation's row says. */
  arguments?: string
  /** Fields that stand without a flag, where the operation's row does not say. */
  positional?: readonly string[]
  changes?: Readonly<Record<string, Partial<Setting> | null>>
  more?: readonly Setting[]
  notes?: string
  /** Fills in what the command knows better than the user. */
  complete?(input: Input<N>, door: HttpDoor, values: Values): Promise<Input<N>>
  /** Instead of one call. */
  ask?(input: Input<N>, door: HttpDoor, values: Values): Promise<Output<N>>
  print(answer: Output<N>, screen: Screen, door: HttpDoor): void
}

/** The command of one row of the operation table: call it, print what it says. */
export function operationCommand<N extends OperationName>(options: OperationCommand<N>): Command {
  const { operation, summary, complete, print, notes } = options
  const row = operationOf(operation)
  const positional = options.positional ?? row.cli?.arguments ?? []
  return {
    summary: summary ?? row.summary,
    arguments: options.arguments ?? argumentsOf(operation, positional),
    settings: commandSettings(operation, positional, options),
    ...(notes === undefined ? {} : { notes }),
    async run({ values, arguments: words }: Invocation) {
      const door = await doorOf(values)
      const given = operationInput<N>(positional, values, words)
      const input = complete === undefined ? given : await complete(given, door, values)
      const answer = await (options.ask?.(input, door, values) ?? door.call(operation, input))
      const screen = new Screen()
      if (values.flag('json')) screen.json(answer)
      else print(answer, screen, door)
      return undefined
    },
  }
}

export function commandSettings(
  operation: OperationName,
  positional: readonly string[],
  options: Pick<OperationCommand<OperationName>, 'changes' | 'more'>,
): Setting[] {
  const { changes, more = [] } = options
  const own = [...operationSettings(operation, positional, changes), ...more]
  const names = own.map(({ name }) => name)
  // Where an operation has a field of the same name (`log --agent`), that is what the flag means.
  const shared = CONNECTION.filter(({ name }) => !names.includes(name))
  return [...own, SHARED.json, ...shared]
}

function argumentsOf(operation: OperationName, positional: readonly string[]): string {
  const { shape } = operationOf(operation).input
  return positional
    .map((field) => (isOptional(shape[field]) ? `[${field}]` : `<${field}>`))
    .join(' ')
}

function isOptional(schema: unknown): boolean {
  return (schema as { safeParse(value: unknown): { success: boolean } }).safeParse(undefined)
    .success
}
