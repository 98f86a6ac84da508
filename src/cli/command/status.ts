import type { Output } from '../../contract/operations.ts'
import { printLocks } from '../lock-rows.ts'
import { operationCommand } from '../operation-command.ts'

type Ticket = Output<'workspace_status'>['tickets'][number]

export const status = operationCommand({
  operation: 'workspace_status',
  print(answer, screen, door) {
    const { agent, role, session, revision, locks, tickets, rights, totals } = answer
    screen.facts([
      ['server', door.url],
      ['workspace', `${answer.workspace}, revision ${revision}`],
      ['you', `${agent} (${role}), session ${session}`],
      ['in all', `${totals.locks} locks held, ${totals.waiting} requests waiting`],
      ...rights.map(
        ({ workspace, path, access }) => ['right', `${access} on ${workspace}:${path}`] as const,
      ),
    ])
    if (locks.length > 0) {
      screen.line()
      screen.line('Your locks')
      printLocks(locks, [], screen)
    }
    if (tickets.length > 0) {
      screen.line()
      screen.line('Your places in queues')
      screen.table<Ticket>(
        [
          { title: 'TICKET', cell: ({ ticket }) => ticket },
          { title: 'PLACE', cell: ({ position }) => String(position), align: 'right' },
          { title: 'PATH', cell: ({ paths }) => paths.join(' '), shrinks: true },
        ],
        tickets,
      )
    }
  },
})
