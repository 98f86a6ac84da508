import { SluiceError } from '../../contract/errors.ts'
import type { Input, Output } from '../../contract/operations.ts'
import type { Command } from '../command.ts'
import { doorOf } from '../door.ts'
import type { HttpDoor } from '../http-door.ts'
import { commandSettings, operationCommand } from '../operation-command.ts'
import { operationInput } from '../operation-settings.ts'
import { rightOf, rightText } from '../path-right.ts'
import { type Column, Screen } from '../screen.ts'
import type { Setting } from '../setting.ts'
import { Failure } from '../usage-error.ts'
import type { Values } from '../values.ts'

type Agent = Output<'list_agents'>['agents'][number]

const columns: readonly Column<Agent>[] = [
  { title: 'NAME', cell: ({ name }) => name },
  { title: 'ROLE', cell: ({ role }) => role },
  { title: 'GROUP', cell: ({ group }) => group ?? '' },
  { title: 'TOKENS', cell: ({ tokens }) => String(tokens), align: 'right' },
  { title: 'SESSIONS', cell: ({ sessions }) => String(sessions), align: 'right' },
  { title: 'RIGHTS', cell: rightsText, shrinks: true },
]

/** What is in force; where it is not the agent's own, from where. */
function rightsText({ in_force }: Agent): string {
  const texts = in_force.map((right) => {
    const from = right.from === 'own' ? '' : ` (${right.from})`
    return `${rightText(right)}${from}`
  })
  return texts.join(' ')
}

const right: Setting = {
  name: 'right',
  kind: 'list',
  placeholder: '[workspace:]path=access',
  describes:
    'Access (read, write or none) to a path and what lies below; nothing else is allowed then',
}

const settings = commandSettings('put_agent', ['name'], { more: [right] })

const add: Command = {
  summary: 'Make an agent: role, group and rights on paths.',
  arguments: '<name>',
  settings,
  notes: 'For example: sluice agents add writer --right /=read --right /drafts=write',
  async run({ values, arguments: words }) {
    const door = await doorOf(values)
    const [name = ''] = words
    // Making it anew would take its rules away, and no rule means write.
    if ((await knownAgent(door, name)) !== undefined) {
      throw new Failure(`There is an agent ${name} already; change it with "sluice agents set".`, 6)
    }
    return save(door, values, words, {})
  },
}

const set: Command = {
  summary: 'Change an agent; what is not given stays as it is.',
  arguments: '<name>',
  settings,
  notes: 'Rights that are given replace all that it has.',
  async run({ values, arguments: words }) {
    const door = await doorOf(values)
    const [name = ''] = words
    const known = await knownAgent(door, name)
    if (known === undefined) {
      throw new Failure(`There is no agent ${name}. Make it first: sluice agents add ${name}`, 5)
    }
    const { role, group, rights } = known
    return save(door, values, words, { role, rights, ...(group === undefined ? {} : { group }) })
  },
}

const rm = operationCommand({
  operation: 'delete_agent',
  arguments: '<name>',
  positional: ['name'],
  print({ removed }, screen) {
    screen.line(removed ? 'Removed; its tokens stop working, its sessions end.' : 'No such agent.')
  },
})

export const agents: Command = {
  ...operationCommand({
    operation: 'list_agents',
    print: (answer, screen) => screen.table(columns, answer.agents),
  }),
  subcommands: { add, set, rm },
}

async function knownAgent(door: HttpDoor, name: string): Promise<Agent | undefined> {
  try {
    return await door.call('get_agent', { name })
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'not_found') return undefined
    throw error
  }
}

async function save(
  door: HttpDoor,
  values: Values,
  words: readonly string[],
  before: Partial<Input<'put_agent'>>,
): Promise<undefined> {
  const given = operationInput<'put_agent'>(['name'], values, words)
  const rights = values.list('right').map(rightOf)
  const answer = await door.call('put_agent', {
    ...before,
    ...given,
    ...(rights.length === 0 ? {} : { rights }),
  })
  const screen = new Screen()
  if (values.flag('json')) screen.json(answer)
  else {
    screen.table(columns, [answer])
    if (answer.created) screen.line(`A token for it: sluice token ${answer.name}`)
  }
  return undefined
}
