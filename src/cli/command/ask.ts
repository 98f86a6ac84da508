import { operationCommand } from '../operation-command.ts'

export const ask = operationCommand({
  operation: 'ask_holder',
  notes: 'The answer comes to your session as a notice, and to "sluice watch --kind ask-answered".',
  print({ ask: id, to }, screen) {
    screen.line(`Asked ${to.session}. The question is ${id}.`)
  },
})
