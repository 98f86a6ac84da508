import type { Command } from '../command.ts'
import { doorOf } from '../door.ts'
import { commandSettings } from '../operation-command.ts'
import { operationInput } from '../operation-settings.ts'
import { waitForGrant } from '../wait-for-grant.ts'
import { printGranted } from './lock.ts'

const FIELDS = ['id', 'to']

/** `sluice change`: when it is not granted in time, the lock stays as it was. */
export const change: Command = {
  summary: 'Make a lock of yours stronger or weaker without letting go of it.',
  arguments: '<id> <read|write|exclusive>',
  settings: commandSettings('change_lock', FIELDS, {
    changes: {
      queue: null,
      wait: { describes: 'Seconds to wait for it in all; 0: answer at once', fallback: 0 },
    },
  }),
  notes: [
    'Weaker is immediate. When a stronger level is not granted in time the lock stays as it was. Two',
    'who both hold a lock and both want it exclusively would wait for each other: the second is refused.',
  ].join('\n'),
  async run({ values, arguments: words }) {
    const { wait: _, ...input } = operationInput<'change_lock'>(FIELDS, values, words)
    const wanted = { operation: 'change_lock', input } as const
    const granted = await waitForGrant(await doorOf(values), wanted, values.number('wait') ?? 0)
    printGranted(granted, values)
    return undefined
  },
}
