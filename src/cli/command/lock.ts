import type { Input } from '../../contract/operations.ts'
import { optional } from '../../contract/optional.ts'
import type { Command, Invocation } from '../command.ts'
import { doorOf } from '../door.ts'
import { linesOf, rangeOf } from '../lock-part.ts'
import { printGrant } from '../lock-rows.ts'
import { runLocked } from '../locked-command.ts'
import { commandSettings } from '../operation-command.ts'
import { operationInput, pathOf } from '../operation-settings.ts'
import { Screen } from '../screen.ts'
import { UsageError } from '../usage-error.ts'
import { waitForGrant } from '../wait-for-grant.ts'

/**
 * `sluice lock`: with a command, the lock is held while that runs, by a session of its own. Without
 * one it stays behind when this process ends, so it belongs to a session that is tied to no connection.
 */
export const lock: Command = {
  summary: 'Take a lock on one or more paths, all or nothing; with a command, hold it for that.',
  arguments: '<path...>',
  rest: 'command...',
  settings: commandSettings('acquire_lock', ['path'], {
    changes: {
      // Another name for level; and the command itself waits as long as --wait says.
      type: null,
      queue: null,
      wait: { describes: 'Seconds to wait for it in all; 0: answer at once', fallback: 0 },
      any: {
        describes: 'So many of the paths will do, the first that are free in the order given',
      },
    },
    more: [
      {
        name: 'range',
        kind: 'text',
        placeholder: 'start:end',
        describes: 'Only these bytes; without end: to the end and what is appended',
      },
      {
        name: 'lines',
        kind: 'text',
        placeholder: 'from:to[@version]',
        describes: 'Only these lines, the first is 1; default: of the version that is there now',
      },
    ],
  }),
  notes: [
    'Without a command the lock lives until "sluice unlock", or for its TTL after this session was',
    'last heard; all commands of the session count: --session, else those of this terminal. Where there',
    'is neither (a script), only the token that is printed proves the lock: "sluice unlock TOKEN",',
    '"sluice put … --lock TOKEN". Or name a session for all commands of the script in SLUICE_SESSION.',
    '',
    'With a command the exit code is the command’s, which gets SLUICE_LOCK (the token: "sluice put" and',
    '"sluice rm" use it by themselves), SLUICE_FENCE, and in SLUICE_PATHS what is locked, a line each.',
    'When the lock is lost the command is stopped.',
    '',
    'For example: sluice lock /report.md --wait 60 --intent merge -- ./merge.sh',
    '             sluice lock /log.md --lines 10:20',
    '             sluice lock /job/1 /job/2 /job/3 --any 1 -- ./work.sh',
  ].join('\n'),
  async run(invocation) {
    const { values, after } = invocation
    const input = await inputOf(invocation)
    const waitS = values.number('wait') ?? 0
    if (after.length > 0) {
      if (values.sourceOf('session') === 'flag') {
        throw new UsageError(
          'With a command the lock belongs to a session of its own: no --session.',
        )
      }
      return runLocked(values, input, waitS, after)
    }
    const wanted = { operation: 'acquire_lock', input } as const
    const granted = await waitForGrant(await doorOf(values), wanted, waitS)
    const screen = new Screen()
    if (values.flag('json')) screen.json(granted)
    else printGrant(granted, screen)
    return undefined
  },
}

async function inputOf({ values, arguments: paths }: Invocation): Promise<Input<'acquire_lock'>> {
  const { wait: _, ...input } = operationInput<'acquire_lock'>([], values, [])
  const [first, ...others] = paths.map(pathOf)
  if (first === undefined) throw new UsageError('Say which path to lock.')
  const [range, lines] = [values.text('range'), values.text('lines')]
  if (others.length === 0) {
    if (range !== undefined) return { ...input, path: first, range: rangeOf(range) }
    if (lines === undefined) return { ...input, path: first }
    return { ...input, path: first, lines: await linesOf(lines, values, first) }
  }
  if (range !== undefined || lines !== undefined) {
    throw new UsageError('--range and --lines are for a lock on one path.')
  }
  const { scope, key, if_version, ...terms } = input
  if (if_version !== undefined) throw new UsageError('--if-version is for a lock on one path.')
  const items = [first, ...others].map((path) => ({
    path,
    ...optional('scope', scope),
    ...optional('key', key),
  }))
  return { ...terms, items }
}
