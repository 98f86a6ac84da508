import { operationCommand } from '../operation-command.ts'
import { versionOf } from '../version-of.ts'

export const rm = operationCommand({
  operation: 'delete_file',
  summary: 'Delete a file, or with --recursive a folder; its history stays readable.',
  changes: { recursive: { short: 'r' } },
  notes: 'Without --if-version it deletes the version that is there when the command starts.',
  async complete(input, door) {
    if (input.if_version !== undefined) return input
    const version = await versionOf(door, input)
    return version === undefined ? input : { ...input, if_version: version }
  },
  print({ path }, screen) {
    screen.line(`Deleted ${path}.`)
  },
})
