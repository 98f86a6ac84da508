import { SluiceError } from '../../contract/errors.ts'
import type { Input, Output } from '../../contract/operations.ts'
import type { Command } from '../command.ts'
import type { HttpDoor } from '../http-door.ts'
import { operationCommand } from '../operation-command.ts'
import { rightOf, rightSetting, rightText } from '../path-right.ts'
import type { Column } from '../screen.ts'
import { Failure } from '../usage-error.ts'

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

const add = putCommand({
  summary: 'Make an agent: role, group and rights on paths.',
  notes: 'For example: sluice agents add writer --right /=read --right /drafts=write',
  before(known, name) {
    // Making it anew would take its rules away, and no rule means write.
    if (known === undefined) return {}
    throw new Failure(`There is an agent ${name} already; change it with "sluice agents set".`, 6)
  },
})

const set = putCommand({
  summary: 'Change an agent; what is not given stays as it is.',
  notes: 'Rights that are given replace all that it has.',
  before(known, name) {
    if (known === undefined) {
      throw new Failure(`There is no agent ${name}. Make it first: sluice agents add ${name}`, 5)
    }
    const { role, group, rights } = known
    return { role, rights, ...(group === undefined ? {} : { group }) }
  },
})

const rm = operationCommand({
  operation: 'delete_agent',
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

interface PutCommand {
  summary: string
  notes: string
  /** What is not given, by what is there. */
  before(known: Agent | undefined, name: string): Partial<Input<'put_agent'>>
}

function putCommand({ summary, notes, before }: PutCommand): Command {
  const describes =
    'Access (read, write or none) to a path and what lies below; nothing else is allowed then'
  return operationCommand({
    operation: 'put_agent',
    summary,
    notes,
    positional: ['name'],
    more: [rightSetting(describes)],
    async complete(given, door, values) {
      const rest = before(await knownAgent(door, given.name), given.name)
      const rights = values.list('right').map(rightOf)
      return { ...rest, ...given, ...(rights.length === 0 ? {} : { rights }) }
    },
    print(answer, screen) {
      screen.table(columns, [answer])
      if (answer.created) screen.line(`A token for it: sluice token ${answer.name}`)
    },
  })
}

async function knownAgent(door: HttpDoor, name: string): Promise<Agent | undefined> {
  try {
    return await door.call('get_agent', { name })
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'not_found') return undefined
    throw error
  }
}
