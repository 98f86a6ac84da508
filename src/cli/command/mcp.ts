import { homedir } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { type Problem, problemOf, refuse } from '../../contract/errors.ts'
import { VERSION } from '../../contract/version.ts'
import { serveStdioDoor } from '../../face/mcp/stdio.ts'
import { chooseTools, type ToolChoice } from '../../face/mcp/tools.ts'
import type { Command } from '../command.ts'
import { HttpDoor } from '../http-door.ts'
import { McpDoor } from '../mcp-door.ts'
import { SHARED } from '../settings.ts'
import { findOrStartServer } from '../start-server.ts'
import { dataFolder, type Target, targetAt, targetOf } from '../target.ts'
import { UsageError } from '../usage-error.ts'
import type { Values } from '../values.ts'

/** `sluice mcp`: a stdio MCP server in front of the server of a data folder. stdout is MCP's alone. */
export const mcp: Command = {
  summary: 'Be a stdio MCP server; finds the server of the data folder, or starts a shared one.',
  arguments: '[dir]',
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
    'In the configuration of an MCP client: {"command": "sluice", "args": ["mcp", "--data", "/abs/dir"]}.',
    'A server that it starts is shared by all "sluice mcp" of the data folder and ends after five',
    'minutes without any of them. [dir] is of a later release.',
  ].join('\n'),
  async run({ values, arguments: [folder] }) {
    if (folder !== undefined) refuseFolder(folder)
    const tools = toolsOf(values)
    const workspace = values.text('workspace') as string
    const target = finder(values)
    const agent = values.text('agent')
    await checkEntry(await target(), workspace, agent)
    const about: Record<string, string> = {}
    const door = new McpDoor({
      target,
      agent,
      session: values.text('session'),
      about: () => about,
    })
    const hostFolders = [homedir(), process.cwd()]
    await served(door, { workspace, tools, hostFolders }, (name) => {
      about.client = name
    })
    // A server that is gone ends the session by itself; nobody should wait for it here.
    await Promise.race([door.close(), pause(CLOSE_MS)])
    process.exit(0)
  },
}

const CLOSE_MS = 1000

/** Serving files where they lie is not there yet, and an empty tree in their place would mislead. */
function refuseFolder(folder: string): never {
  throw new UsageError(
    `"sluice mcp ${folder}" would serve the files in that folder, which comes in a later release. ` +
      `Until then files live in Sluice itself: use "sluice mcp --data DIR" with a folder for its ` +
      'data, and copy files in with "sluice put".',
  )
}

function toolsOf(values: Values): ToolChoice {
  const names = values.list('tools').flatMap((item) => item.split(/\s*,\s*/))
  const [first] = names
  if (first === undefined) return 'core'
  if (names.length === 1 && (first === 'files' || first === 'core' || first === 'full')) {
    return first
  }
  try {
    chooseTools(names)
  } catch (error) {
    throw new UsageError(`--tools: ${(error as Error).message}. Or a profile: files, core, full.`)
  }
  return names
}

/**
 * Finds the server, each time anew. One that somebody else runs is theirs to start again: taking its
 * folder while it is being upgraded would keep it from coming back.
 */
function finder(values: Values): () => Promise<Target> {
  if (values.text('url') !== undefined) return () => targetOf(values)
  const data = dataFolder(values)
  const idleSeconds = values.number('idle-exit') || IDLE_SECONDS
  let isOurs = true
  return async () => {
    if (!isOurs) return targetOf(values)
    const note = await findOrStartServer(data, idleSeconds)
    isOurs = note.shared === true
    return targetAt(note, data, values)
  }
}

/** Long enough for a client that restarts, short enough not to be in the way for a day. */
const IDLE_SECONDS = 300

/** Faults of the set-up are told at the start, where whoever set it up looks for them. */
async function checkEntry(
  target: Target,
  workspace: string,
  agent: string | undefined,
): Promise<void> {
  const door = new HttpDoor(target, 'cli')
  await door.call('get_workspace', { workspace })
  if (agent === undefined) return
  const { agents } = await door.call('list_agents', {})
  if (agents.some(({ name }) => name === agent)) return
  await door.call('put_agent', { name: agent })
}

/** Resolves when the client has gone, or a signal says to go. */
function served(
  door: McpDoor,
  options: { workspace: string; tools: ToolChoice; hostFolders: string[] },
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
