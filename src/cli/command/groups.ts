import type { Output } from '../../contract/operations.ts'
import type { Command } from '../command.ts'
import { operationCommand } from '../operation-command.ts'
import { rightOf, rightSetting, rightText } from '../path-right.ts'
import type { Column } from '../screen.ts'

type Group = Output<'list_groups'>['groups'][number]

const columns: readonly Column<Group>[] = [
  { title: 'GROUP', cell: ({ name }) => name },
  { title: 'RIGHTS', cell: ({ rights }) => rights.map(rightText).join(' '), shrinks: true },
]

const set = operationCommand({
  operation: 'put_group',
  summary: 'Make a group, or set its rights on paths anew; its agents have them besides their own.',
  positional: ['name'],
  more: [rightSetting('Access (read, write or none) to a path and what lies below')],
  notes: 'For example: sluice groups set readers --right /docs=read',
  complete: async (input, _door, values) => {
    return { ...input, rights: values.list('right').map(rightOf) }
  },
  print: (answer, screen) => screen.table(columns, [answer]),
})

export const groups: Command = {
  ...operationCommand({
    operation: 'list_groups',
    print: (answer, screen) => screen.table(columns, answer.groups),
  }),
  subcommands: { set },
}
