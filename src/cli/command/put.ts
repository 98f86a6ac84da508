import { createReadStream, statSync } from 'node:fs'
import type { Readable } from 'node:stream'
import type { Command } from '../command.ts'
import { doorOf } from '../door.ts'
import { commandSettings } from '../operation-command.ts'
import { operationInput } from '../operation-settings.ts'
import { Screen } from '../screen.ts'
import { Failure } from '../usage-error.ts'
import { versionOf } from '../version-of.ts'

/** `sluice put`: the content streams, so its size is bounded by the server alone. */
export const put: Command = {
  summary: 'Write a whole file from a file on disk, or from stdin.',
  arguments: '<path> [file]',
  settings: commandSettings('write_file', ['path'], {}),
  notes: [
    'Without --if-version or --if-none it replaces the version that is there when the command starts,',
    'and is refused when somebody else writes in between.',
  ].join('\n'),
  async run({ values, arguments: words }) {
    const [, file = '-'] = words
    const content = file === '-' ? process.stdin : fileContent(file)
    try {
      const door = await doorOf(values)
      const input = operationInput<'write_file'>(['path'], values, words)
      if (input.if_version === undefined && input.if_none !== true) {
        // A folder has none; the write itself says what is wrong with that.
        const version = await versionOf(door, input)
        if (version !== undefined) input.if_version = version
      }
      const answer = await door.call('write_file', input, content)
      const screen = new Screen()
      if (values.flag('json')) screen.json(answer)
      else if (answer.unchanged === true) {
        screen.line(`${answer.path} held just that already, version ${answer.version}.`)
      } else screen.line(`Wrote ${answer.path}, version ${answer.version}, ${answer.size} bytes.`)
    } finally {
      // A pipe that is not read to its end would keep this process.
      content.destroy()
    }
    return undefined
  },
}

function fileContent(file: string): Readable {
  try {
    if (statSync(file).isDirectory()) {
      throw new Failure(`${file} is a folder; "sluice put" writes one file at a time.`, 2)
    }
    return createReadStream(file)
  } catch (error) {
    if (error instanceof Failure) throw error
    throw new Failure(
      `${file} cannot be read: ${String((error as NodeJS.ErrnoException).code)}.`,
      2,
    )
  }
}
