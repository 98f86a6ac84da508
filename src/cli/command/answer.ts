import { operationCommand } from '../operation-command.ts'

export const answer = operationCommand({
  operation: 'answer_ask',
  arguments: '<ask> <yield|estimate|no>',
  changes: {
    estimate_s: {
      name: 'estimate',
      placeholder: 'seconds',
      describes: 'With the answer estimate: seconds you still need',
    },
    message: { describes: 'More to say to who asked' },
  },
  notes: 'For example: sluice answer A1060 estimate --estimate 120 --message "two tests left"',
  print({ answered, released }, screen) {
    if (released) screen.line('Answered, and the lock is given back.')
    else
      screen.line(answered ? 'Answered.' : 'It was answered already, or needs no answer any more.')
  },
})
