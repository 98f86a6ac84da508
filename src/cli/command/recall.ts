import { recallText } from '../lock-rows.ts'
import { operationCommand } from '../operation-command.ts'

export const recall = operationCommand({
  operation: 'recall_lock',
  changes: { grace: { placeholder: 'seconds' } },
  notes:
    'For supervisors, people and admins. "sluice unlock --force" takes it at once, without a warning.',
  print({ lock }, screen) {
    screen.line(`${lock.session} must give ${lock.id} back ${recallText(lock)}.`)
  },
})
