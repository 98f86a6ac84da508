import { resolve } from 'node:path'
import { nearName } from '../../contract/near-name.ts'
import type { Command } from '../command.ts'
import { ClientFile } from '../mcp-config/client-file.ts'
import { CLIENTS, type Client, type Scope } from '../mcp-config/clients.ts'
import { launchOf, shellText } from '../mcp-config/launch.ts'
import { merge, type Wanted, wholeText } from '../mcp-config/merge.ts'
import { surroundings } from '../mcp-config/surroundings.ts'
import { Screen } from '../screen.ts'
import { refuseNested, servedFolder } from '../served-folder.ts'
import type { Setting } from '../setting.ts'
import { SHARED } from '../settings.ts'
import { toolChoice } from '../tool-choice.ts'
import { Failure, UsageError } from '../usage-error.ts'
import type { Values } from '../values.ts'

const SETTINGS: readonly Setting[] = [
  {
    name: 'write',
    kind: 'flag',
    describes: 'Put it into the file of the client; all else in there stays as it is',
  },
  {
    name: 'scope',
    kind: 'text',
    choices: ['user', 'project'],
    describes:
      'Which file: of the person, or of the project in this folder; default: the usual one of the client',
  },
  {
    name: 'name',
    kind: 'text',
    placeholder: 'name',
    describes: 'What the client calls the server',
    fallback: 'sluice',
  },
  {
    name: 'force',
    kind: 'flag',
    describes: 'Replace what the file says of another server of that name',
  },
  SHARED.tools,
  SHARED.agent,
  SHARED.config,
]

/** `sluice mcp config`: how a client starts `sluice mcp`, in the words of that client. */
export const mcpConfig: Command = {
  summary: 'Print what an MCP client needs to start "sluice mcp dir", or write it into its file.',
  arguments: '<client> [dir...]',
  settings: SETTINGS,
  notes: [
    `Clients: ${Object.keys(CLIENTS).join(', ')}.`,
    'Without a folder, this one is meant. For example: sluice mcp config cursor --write',
    'A file is replaced whole or not at all. One with comments, or that is no JSON, is left alone; then',
    'what to put into it is printed.',
  ].join('\n'),
  async run({ values, arguments: [word = '', ...folders] }) {
    const client = clientOf(word)
    const isWritten = values.flag('write')
    if (values.flag('force') && !isWritten) throw new UsageError('--force needs --write.')
    const args = ['mcp', ...optionsOf(values), ...foldersOf(folders)]
    checkLiteral(client, args)
    const launch = launchOf(args, client.hasOtherPath !== true)
    const wanted = { client, name: nameOf(values), launch }
    const path = fileOf(wanted, values.text('scope') as Scope | undefined)
    if (isWritten) writeInto(new ClientFile(path), wanted, values.flag('force'))
    else {
      process.stdout.write(wholeText(wanted))
      process.stderr.write(`This goes into ${path}; --write puts it there.\n`)
    }
    return undefined
  },
}

function clientOf(word: string): Client {
  const client = Object.hasOwn(CLIENTS, word) ? CLIENTS[word] : undefined
  if (client !== undefined) return client
  const names = Object.keys(CLIENTS)
  const near = nearName(word, names)
  const guess = near === undefined ? '' : ` Did you mean "${near}"?`
  throw new UsageError(`There is no client "${word}".${guess} Known: ${names.join(', ')}.`)
}

/** What has a meaning in none of their files, whatever the client. */
function nameOf(values: Values): string {
  const name = values.text('name') ?? ''
  if (/^[A-Za-z0-9_-]{1,64}$/.test(name)) return name
  throw new UsageError(`--name: "${name}" must be 1 to 64 letters, digits, "_" or "-".`)
}

function optionsOf(values: Values): string[] {
  const tools = values.has('tools') ? [toolChoice(values)].flat().join(',') : undefined
  const agent = values.text('agent')
  return [
    ...(tools === undefined ? [] : ['--tools', tools]),
    ...(agent === undefined ? [] : ['--agent', agent]),
  ]
}

/** As they are named, so that a link goes on to mean what it will link to; refused as `sluice mcp` would. */
function foldersOf(given: readonly string[]): string[] {
  const folders = (given.length === 0 ? ['.'] : given).map((folder) => resolve(folder))
  refuseNested([...new Set(folders.map(servedFolder))])
  return [...new Set(folders)]
}

/** A client that puts a value in the place of `${NAME}` would start something else. */
function checkLiteral({ title, substitutes }: Client, args: readonly string[]): void {
  const changed = args.find((arg) => substitutes?.test(arg) === true)
  if (changed === undefined) return
  throw new UsageError(
    `${title} puts the value of a variable in the place of "$" in ${changed}. Link to the folder by ` +
      'another name, and name that.',
  )
}

function fileOf({ client, name, launch }: Wanted, scope: Scope | undefined): string {
  const { title, files, adds } = client
  const file = scope === undefined ? files[0] : files.find((one) => one.scope === scope)
  if (file !== undefined) return file.at(surroundings())
  const command = scope === undefined ? undefined : adds?.[scope]
  const instead =
    command === undefined
      ? `Leave --scope out: its file is of the ${files[0]?.scope}.`
      : `Its own command does it: ${command} ${name} -- ${shellText(launch)}`
  throw new UsageError(
    `${title} has no file for --scope ${scope} that is to be written. ${instead}`,
  )
}

function writeInto(file: ClientFile, wanted: Wanted, isForced: boolean): void {
  const { client, name } = wanted
  const merged = merge(file.text ?? '', wanted, isForced)
  const screen = new Screen()
  if (merged.kind === 'merged') {
    file.write(merged.text)
    screen.line(`Wrote "${name}" into ${file.path}. ${client.toLoad}`)
  } else if (merged.kind === 'same') {
    screen.line(`"${name}" stands in ${file.path} already, just so. Nothing was written.`)
  } else if (merged.kind === 'other') {
    throw new Failure(
      `${file.path} has another "${name}" already. Nothing was written. --force replaces it, --name gives ` +
        'this one another name.',
      6,
    )
  } else {
    process.stdout.write(wholeText(wanted))
    throw new UsageError(
      `${file.path} ${merged.why}. Nothing was written. Put what stdout has into it yourself.`,
    )
  }
}
