import { recallText } from '../lock-rows.ts'
import { operationCommand } from '../operation-command.ts'

export const extend = operationCommand({
  operation: 'extend_recall',
  notes: 'Once for each recall. When the time is over the lock is taken away.',
  print({ lock }, screen) {
    screen.line(`${lock.id} must be given back ${recallText(lock)}.`)
  },
})
