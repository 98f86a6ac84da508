import { SluiceError } from '../../contract/errors.ts'
import type { Command } from '../command.ts'
import { doorOf } from '../door.ts'
import { commandSettings } from '../operation-command.ts'
import { operationInput } from '../operation-settings.ts'
import { Screen } from '../screen.ts'
import { Failure } from '../usage-error.ts'

/** `sluice token`: prints nothing but the token on stdout, so that scripts can take it. */
export const token: Command = {
  summary: 'Make a token for an agent. It is shown once.',
  arguments: '<name>',
  settings: commandSettings('create_token', ['name'], {}),
  async run({ values, arguments: words }) {
    const [name = ''] = words
    const door = await doorOf(values)
    try {
      const answer = await door.call(
        'create_token',
        operationInput<'create_token'>(['name'], values, words),
      )
      const screen = new Screen()
      if (values.flag('json')) screen.json(answer)
      else screen.line(answer.token)
    } catch (error) {
      if (!(error instanceof SluiceError) || error.code !== 'not_found') throw error
      throw new Failure(`There is no agent ${name}. Make it first: sluice agents add ${name}`, 5)
    }
    if (!values.flag('json') && process.stderr.isTTY) {
      process.stderr.write('It is stored as a hash only and cannot be shown again.\n')
    }
    return undefined
  },
}
