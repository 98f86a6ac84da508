import { SluiceError } from '../../contract/errors.ts'
import type { OperationName, Output } from '../../contract/operations.ts'
import type { Command } from '../command.ts'
import { folderFacts } from '../folder-lines.ts'
import { printGrant, printLocks, recallText } from '../lock-rows.ts'
import { type OperationCommand, operationCommand } from '../operation-command.ts'
import type { Screen } from '../screen.ts'
import { sizeText, timeText } from '../text.ts'
import { Failure } from '../usage-error.ts'
import { versionOf } from '../version-of.ts'
import { waitForGrant } from '../wait-for-grant.ts'

/**
 * Commands that are a row of the operation table and no more: arguments and flags are those of its
 * input, and what is left to say is how the answer reads.
 */
const ROWS = {
  answer_ask: {
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
      if (released) return screen.line('Answered, and the lock is given back.')
      screen.line(answered ? 'Answered.' : 'It was answered already, or needs no answer any more.')
    },
  },
  ask_holder: {
    notes:
      'The answer comes to your session as a notice, and to "sluice watch --kind ask-answered".',
    print: ({ ask, to }, screen) => screen.line(`Asked ${to.session}. The question is ${ask}.`),
  },
  change_lock: {
    arguments: '<id> <read|write|exclusive>',
    changes: {
      queue: null,
      wait: { describes: 'Seconds to wait for it in all; 0: answer at once', fallback: 0 },
    },
    notes: [
      'Weaker is immediate. When a stronger level is not granted in time the lock stays as it was. Two',
      'who both hold a lock and both want it exclusively would wait for each other: the second is refused.',
    ].join('\n'),
    ask({ wait: _, ...input }, door, values) {
      const wanted = { operation: 'change_lock', input } as const
      return waitForGrant(door, wanted, values.number('wait') ?? 0)
    },
    print(answer, screen) {
      // It was waited for until it was.
      if (answer.status === 'granted') printGrant(answer, screen)
    },
  },
  create_token: {
    summary: 'Make a token for an agent. It is shown once.',
    async ask(input, door) {
      try {
        return await door.call('create_token', input)
      } catch (error) {
        if (!(error instanceof SluiceError) || error.code !== 'not_found') throw error
        const { name } = input
        throw new Failure(`There is no agent ${name}. Make it first: sluice agents add ${name}`, 5)
      }
    },
    /** Nothing but the token on stdout, so that scripts can take it. */
    print({ token }, screen) {
      screen.line(token)
      if (!process.stderr.isTTY) return
      process.stderr.write('It is stored as a hash only and cannot be shown again.\n')
    },
  },
  delete_file: {
    summary: 'Delete a file, or with --recursive a folder; its history stays readable.',
    changes: { recursive: { short: 'r' } },
    notes: 'Without --if-version it deletes the version that is there when the command starts.',
    async complete(input, door) {
      if (input.if_version !== undefined) return input
      const version = await versionOf(door, input)
      return version === undefined ? input : { ...input, if_version: version }
    },
    print: ({ path }, screen) => screen.line(`Deleted ${path}.`),
  },
  extend_recall: {
    notes: 'Once for each recall. When the time is over the lock is taken away.',
    print: ({ lock }, screen) => screen.line(`${lock.id} must be given back ${recallText(lock)}.`),
  },
  get_history: {
    print({ versions, more }, screen) {
      screen.table(
        [
          { title: 'VERSION', cell: ({ version }) => String(version), align: 'right' },
          { title: 'HOW', cell: ({ how }) => how },
          { title: 'SIZE', cell: ({ size }) => sizeText(size), align: 'right' },
          { title: 'AT', cell: ({ at }) => timeText(at) },
          { title: 'BY', cell: ({ session }) => session },
          { title: 'MESSAGE', cell: ({ message }) => message ?? '', shrinks: true },
        ],
        versions,
      )
      if (more) screen.line(`There are older ones: --before ${versions.at(-1)?.version ?? 0}`)
    },
  },
  handover_lock: {
    notes: [
      'It goes on under a new id, fence and token, which only its new holder sees. TO is an agent, which',
      'must have one open session, or a session as agent:name. Without TO, a lock of an earlier session of your',
      'own agent, which is gone, is yours again.',
    ].join('\n'),
    print: ({ lock, was }, screen) =>
      screen.line(`${was} is ${lock.id} now, held by ${lock.session}.`),
  },
  recall_lock: {
    changes: { grace: { placeholder: 'seconds' } },
    notes:
      'For supervisors, people and admins. "sluice unlock --force" takes it at once, without a warning.',
    print: ({ lock }, screen) =>
      screen.line(`${lock.session} must give ${lock.id} back ${recallText(lock)}.`),
  },
  release_lock: {
    notes: [
      'Where nothing says who calls (a script without SLUICE_SESSION), give the token in place of the id:',
      'sluice unlock L2.I_ys_B38nakF2MQ5RgsmRv8D',
      '',
      'Locks of others need --force with --reason, and the role of a supervisor, human or admin.',
    ].join('\n'),
    print: ({ released }, screen) =>
      screen.line(released ? 'Released.' : 'It was not held: it has ended already, or never was.'),
  },
  workspace_status: {
    print(answer, screen, door) {
      const { agent, role, session, revision, locks, tickets, rights, totals } = answer
      screen.facts([
        ['server', door.url],
        ['workspace', `${answer.workspace}, revision ${revision}`],
        ...(answer.folder === undefined ? [] : folderFacts(answer.folder)),
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
      if (tickets.length > 0) printTickets(tickets, screen)
    },
  },
} satisfies { [N in OperationName]?: Said<N> }

type Said<N extends OperationName> = Omit<OperationCommand<N>, 'operation'>

function printTickets(tickets: Output<'workspace_status'>['tickets'], screen: Screen): void {
  screen.line()
  screen.line('Your places in queues')
  screen.table(
    [
      { title: 'TICKET', cell: ({ ticket }) => ticket },
      { title: 'PLACE', cell: ({ position }) => String(position), align: 'right' },
      { title: 'PATH', cell: ({ paths }) => paths.join(' '), shrinks: true },
    ],
    tickets,
  )
}

export function commandFromRow(operation: keyof typeof ROWS): Command {
  const said = ROWS[operation] as Said<typeof operation>
  return operationCommand({ operation, ...said })
}
