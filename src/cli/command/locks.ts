import type { Command } from '../command.ts'
import { doorOf } from '../door.ts'
import { printLockTable } from '../lock-rows.ts'
import { watchLocks } from '../lock-watch.ts'
import { commandSettings } from '../operation-command.ts'
import { operationInput } from '../operation-settings.ts'
import { Screen } from '../screen.ts'

/** `sluice locks`: who holds, who waits for whom and for how long; once, or for as long as one looks. */
export const locks: Command = {
  summary: 'Locks with holders and queues, as far as you may see their paths.',
  arguments: '[path]',
  settings: commandSettings('list_locks', ['path'], {
    more: [
      {
        name: 'watch',
        kind: 'flag',
        describes: 'Go on showing them until it is stopped, as they change',
      },
    ],
  }),
  notes: [
    'BLOCKS says how many wait for a lock and how long the first of them has; GIVE BACK, until when a',
    'recalled one must be given back. CLOSED are paths whose lock was lost and that its delay keeps shut.',
    '',
    'With --watch a terminal shows the table in place, a pipe gets it again whenever it changed, with',
    '--json as one document a line.',
  ].join('\n'),
  async run({ values, arguments: words }) {
    const input = operationInput<'list_locks'>(['path'], values, words)
    if (values.flag('watch')) {
      await watchLocks(values, input)
      return undefined
    }
    const answer = await (await doorOf(values)).call('list_locks', input)
    const screen = new Screen()
    if (values.flag('json')) screen.json(answer)
    else printLockTable(answer, screen)
    return undefined
  },
}
