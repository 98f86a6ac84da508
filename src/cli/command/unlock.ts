import { operationCommand } from '../operation-command.ts'

export const unlock = operationCommand({
  operation: 'release_lock',
  notes:
    'Locks of others need --force with --reason, and the role of a supervisor, human or admin.',
  print({ released }, screen) {
    screen.line(released ? 'Released.' : 'It was not held: it has ended already, or never was.')
  },
})
