import { pipeline } from 'node:stream/promises'
import type { Command } from '../command.ts'
import { doorOf } from '../door.ts'
import { commandSettings } from '../operation-command.ts'
import { operationInput } from '../operation-settings.ts'
import { Failure } from '../usage-error.ts'

/** `sluice cat`: bytes as they are, streamed. */
export const cat: Command = {
  summary: 'Print the content of a file, now or as it was at a revision.',
  arguments: '<path>',
  settings: commandSettings('read_file', ['path'], {}).filter(({ name }) => name !== 'json'),
  async run({ values, arguments: words }) {
    const door = await doorOf(values)
    const answer = await door.ask('read_file', operationInput<'read_file'>(['path'], values, words))
    try {
      await pipeline(answer, process.stdout, { end: false })
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      if (code === 'EPIPE') return 0
      throw new Failure(
        `The content broke off: ${code ?? message}. What was printed is not all.`,
        13,
      )
    }
    return undefined
  },
}
