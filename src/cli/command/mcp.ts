import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type Problem, problemOf, refuse } from '../../contract/errors.ts'
import { optional } from '../../contract/optional.ts'
import { VERSION } from '../../contract/version.ts'
import { type StdioOptions, serveStdioDoor } from '../../face/mcp/stdio.ts'
import { OWN_FOLDER } from '../../folder/own-name.ts'
import type { Command } from '../command.ts'
import { HttpDoor } from '../http-door.ts'
import { McpDoor } from '../mcp-door.ts'
import { reportError } from '../report-error.ts'
import { refuseNested, servedFolder } from '../served-folder.ts'
import { SHARED } from '../settings.ts'
import { findOrStartServer } from '../start-server.ts'
import { dataFolder, type Target, targetAt, targetOf } from '../target.ts'
import { toolChoice } from '../tool-choice.ts'
import { Failure } from '../usage-error.ts'
import type { Values } from '../values.ts'
import { mcpConfig } from './mcp-config.ts'

/** `sluice mcp`: a stdio MCP server in front of the server of a data folder. stdout is MCP's alone. */
export const mcp: Command = {
  summary: 'Be a stdio MCP server; finds the server of the data folder, or starts a shared one.',
  arguments: '[dir...]',
  settings: [
    SHARED.data,
    SHARED.url,
    SHARED.token,
    SHARED.agent,
    SHARED.session,
    SHARED.workspace,
    SHARED.tools,
    SHARED['idle-exit'],
    SHARED.config,
  ],
  notes: [
    'In the configuration of an MCP client: {"command": "sluice", "args": ["mcp", "/abs/dir"]} serves the',
    'files in that folder where they lie; its data are in /abs/dir/.sluice. Several folders make one',
    'workspace. Without a folder, files are kept in the data folder itself (--data).',
    '"sluice mcp config" prints such a configuration for a client, or writes it; a folder of that name is',
    './config.',
    'A server that it starts is shared by all "sluice mcp" of the same folder and ends after five minutes',
    'without any of them.',
  ].join('\n'),
  subcommands: { config: mcpConfig },
  async run({ values, arguments: folders }) {
    const aliases = new Map(folders.map((given) => [resolve(given), servedFolder(given)]))
    const roots = [...new Set(aliases.values())]
    for (const root of roots) aliases.delete(root)
    refuseNested(roots)
    const tools = toolChoice(values)
    const workspace = values.text('workspace') as string
    const target = finder(values, workspace, roots)
    const agent = values.text('agent')
    const checked = target().then((found) => checkEntry(found, workspace, agent))
    // Whose folders are named is there at once, and its server a moment later.
    const served = roots.length > 0 ? roots : await checked
    checked.then((found) => assertSame(roots, found)).catch(endWith)
    const about: Record<string, string> = {}
    const door = new McpDoor({
      // The first call may come before the agent that it is of.
      target: () => checked.then(target),
      agent,
      session: values.text('session'),
      about: () => about,
    })
    const hostFolders = [homedir(), process.cwd()]
    const options = { workspace, tools, hostFolders, aliases, ...optional('roots', served) }
    await serveClient(door, options, (name) => {
      about.client = name
    })
    // A server that is gone ends the session by itself; nobody should wait for it here.
    await Promise.race([door.close(), pause(CLOSE_MS)])
    process.exit(0)
  },
}

const CLOSE_MS = 1000

/** Nothing of what a client may have been told by then would be true. */
function endWith(error: unknown): void {
  process.exit(reportError(error, false))
}

/** A server that runs already may serve other folders than were asked for here. */
function assertSame(asked: readonly string[], served: readonly string[] | undefined): void {
  const wanted = asked.toSorted().join(', ')
  if (asked.length === 0 || wanted === served?.toSorted().join(', ')) return
  throw new Failure(
    `The server that runs there serves ${served?.join(', ') ?? 'no folder'}, not ${wanted}. Stop it first, ` +
      'or name the same folders.',
  )
}

/**
 * Finds the server, each time anew. One that somebody else runs is theirs to start again: taking its
 * folder while it is being upgraded would keep it from coming back.
 */
function finder(
  values: Values,
  workspace: string,
  roots: readonly string[],
): () => Promise<Target> {
  if (values.text('url') !== undefined) return () => targetOf(values)
  const [first] = roots
  const isGiven = values.sourceOf('data') !== 'default'
  const data = first === undefined || isGiven ? dataFolder(values) : join(first, OWN_FOLDER)
  const folders = roots.map((root) => `${workspace}=${root}`)
  const idleSeconds = values.number('idle-exit') || IDLE_SECONDS
  let isOurs = true
  const find = async (): Promise<Target> => {
    if (!isOurs) return targetOf(values)
    const note = await findOrStartServer(data, idleSeconds, folders)
    isOurs = note.shared === true
    return targetAt(note, data, values)
  }
  let finding: Promise<Target> | undefined
  return () => {
    // Two that look at the same time start one server.
    finding ??= find().finally(() => {
      finding = undefined
    })
    return finding
  }
}

/** Long enough for a client that restarts, short enough not to be in the way for a day. */
const IDLE_SECONDS = 300

/**
 * Faults of the set-up are told at the start, where whoever set it up looks for them. Gives the real
 * folders of the workspace, where it has some.
 */
async function checkEntry(
  target: Target,
  workspace: string,
  agent: string | undefined,
): Promise<readonly string[] | undefined> {
  const door = new HttpDoor(target, 'cli')
  const { folder } = await door.call('get_workspace', { workspace })
  if (agent === undefined) return folder?.roots
  const { agents } = await door.call('list_agents', {})
  if (!agents.some(({ name }) => name === agent)) await door.call('put_agent', { name: agent })
  return folder?.roots
}

/** Resolves when the client has gone, or a signal says to go. */
function serveClient(
  door: McpDoor,
  options: Pick<StdioOptions, 'workspace' | 'tools' | 'hostFolders' | 'roots' | 'aliases'>,
  onClient: (name: string) => void,
): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, resolve)
    serveStdioDoor(door, {
      ...options,
      version: VERSION,
      failed,
      onClient,
      onClose: resolve,
      onError: (error) => process.stderr.write(`sluice mcp: ${error.message}\n`),
    })
  })
}

function failed(error: unknown): Problem {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  process.stderr.write(`sluice mcp: ${text}\n`)
  return problemOf(refuse('internal', 'The MCP server failed. Its stderr has more.'))
}
