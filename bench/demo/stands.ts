/** The two ways of the demo: plain files behind the official MCP server, and Sluice. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Workspace } from '../../src/client/index.ts'
import { startFilesystemServer } from '../peer/filesystem-server.ts'
import { connectHttp, connectStdio, type McpConnection } from '../peer/mcp-client.ts'
import { SLUICE, type SluiceServer, startSluice } from '../server.ts'
import type { Stage } from '../stage.ts'
import type { Demand, Stand } from './act.ts'
import { type Access, type Agent, NOTES } from './agent.ts'
import { readFrom, type WorkFolder } from './folder.ts'

/**
 * One official filesystem server that all agents share, as their clients do. It has no locks and no
 * append: agents read, think, write, and every write succeeds.
 */
export async function plainStand(stage: Stage, folder: WorkFolder): Promise<Stand> {
  writeFileSync(join(folder.root, NOTES), '')
  const mcp = await startFilesystemServer(stage, folder.root)
  const read = (file: string): Promise<string> =>
    mcp.call('read_text_file', { path: join(folder.root, file) })
  const write = (file: string, content: string): Promise<string> =>
    mcp.call('write_file', { path: join(folder.root, file), content })
  const access: Access = {
    read,
    write,
    append: async (file, line) => write(file, (await read(file)) + line),
    lock: async () => async () => {},
  }
  return {
    title: 'plain files',
    about: 'the official filesystem MCP server: nobody waits, every write says "success"',
    hasLocks: false,
    access: async () => access,
    read: (file) => readFrom(folder, file),
    demand: async () => undefined,
  }
}

export type Transport = 'http' | 'stdio'

/** Sluice over MCP: a client, a principal and a session an agent. */
export async function sluiceStand(
  stage: Stage,
  folder: WorkFolder,
  transport: Transport,
): Promise<Stand> {
  const server = await startSluice(stage)
  const admin = await server.connect()
  const workspace = admin.workspace('main')
  await load(workspace, folder)
  const read = async (file: string): Promise<string> => (await workspace.read(`/${file}`)).text()
  return {
    title: 'Sluice',
    about: `Sluice over MCP (${transport}): who wants a file waits for its turn, and knows for whom`,
    hasLocks: true,
    async access({ name }: Agent) {
      await admin.call('put_agent', { name })
      const { value } = await admin.call('create_token', { name })
      return accessOver(await open(stage, server, transport, name, value.token))
    },
    read,
    demand: () => demandIn(workspace, folder.inDemand),
  }
}

function open(
  stage: Stage,
  server: SluiceServer,
  transport: Transport,
  name: string,
  token: string,
): Promise<McpConnection> {
  if (transport === 'http') return connectHttp(stage, `${server.url}/mcp`, token)
  return connectStdio(stage, [SLUICE, 'mcp', '--data', server.data, '--agent', name])
}

async function load(workspace: Workspace, folder: WorkFolder): Promise<void> {
  const changes = [{ op: 'write' as const, path: `/${NOTES}`, text: '' }]
  for (const file of folder.files) {
    changes.push({ op: 'write', path: `/${file}`, text: await readFrom(folder, file) })
  }
  const perCommit = 100
  for (let from = 0; from < changes.length; from += perCommit) {
    await workspace.commit(changes.slice(from, from + perCommit), { message: 'load the folder' })
  }
}

function accessOver(mcp: McpConnection): Access {
  return {
    read: (file) => mcp.call('read_text_file', { path: `/${file}` }),
    write: (file, content) => mcp.call('write_file', { path: `/${file}`, content }),
    append: (file, content) => mcp.call('append_file', { path: `/${file}`, content }),
    async lock(file) {
      const path = `/${file}`
      let answer = await mcp.ask('acquire_lock', { path, type: 'write', intent: 'edit' })
      while (answer.structured.status === 'queued') {
        answer = await mcp.ask('wait_for_lock', { ticket: answer.structured.ticket })
      }
      return () => mcp.call('release_lock', { path })
    },
  }
}

async function demandIn(workspace: Workspace, files: readonly string[]): Promise<Demand[]> {
  const { locks, waiting } = await workspace.locks()
  return files.map((file) => {
    const path = `/${file}`
    return {
      file,
      holder: locks.find(({ items }) => items.some((item) => item.path === path))?.owner,
      waiting: waiting.filter(({ paths }) => paths.includes(path)).map(({ agent }) => agent),
    }
  })
}
