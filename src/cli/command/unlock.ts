import { operationCommand } from '../operation-command.ts'

export const unlock = operationCommand({
  operation: 'release_lock',
  notes: [
    'Where nothing says who calls (a script without SLUICE_SESSION), give the token in place of the id:',
    'sluice unlock L2.gzVy4QVn9VtB1KUkaUiE3Q',
    '',
    'Locks of others need --force with --reason, and the role of a supervisor, human or admin.',
  ].join('\n'),
  print({ released }, screen) {
    screen.line(released ? 'Released.' : 'It was not held: it has ended already, or never was.')
  },
})
