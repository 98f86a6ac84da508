import { operationCommand } from '../operation-command.ts'

export const handover = operationCommand({
  operation: 'handover_lock',
  notes: [
    'It goes on under a new id, fence and token, which only its new holder sees. TO is an agent, which',
    'must have one open session, or a session as agent:name. Without TO, a lock of an earlier session of your',
    'own agent, which is gone, is yours again.',
  ].join('\n'),
  print({ lock: { id, session }, was }, screen) {
    screen.line(`${was} is ${id} now, held by ${session}.`)
  },
})
