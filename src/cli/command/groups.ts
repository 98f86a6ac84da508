import type { Output } from '../../contract/operations.ts'
import type { Command } from '../command.ts'
import { doorOf } from '../door.ts'
import { commandSettings, operationCommand } from '../operation-command.ts'
import { rightOf, rightText } from '../path-right.ts'
import { type Column, Screen } from '../screen.ts'

type Group = Output<'list_groups'>['groups'][number]

const columns: readonly Column<Group>[] = [
  { title: 'GROUP', cell: ({ name }) => name },
  { title: 'RIGHTS', cell: ({ rights }) => rights.map(rightText).join(' '), shrinks: true },
]

const set: Command = {
  summary: 'Make a group, or set its rights on paths anew; its agents have them besides their own.',
  arguments: '<name>',
  settings: commandSettings('put_group', ['name'], {
    more: [
      {
        name: 'right',
        kind: 'list',
        placeholder: '[workspace:]path=access',
        describes: 'Access (read, write or none) to a path and what lies below',
      },
    ],
  }),
  notes: 'For example: sluice groups set readers --right /docs=read',
  async run({ values, arguments: [name = ''] }) {
    const rights = values.list('right').map(rightOf)
    const answer = await (await doorOf(values)).call('put_group', { name, rights })
    const screen = new Screen()
    if (values.flag('json')) screen.json(answer)
    else screen.table(columns, [answer])
    return undefined
  },
}

export const groups: Command = {
  ...operationCommand({
    operation: 'list_groups',
    print: (answer, screen) => screen.table(columns, answer.groups),
  }),
  subcommands: { set },
}
