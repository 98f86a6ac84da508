import { randomUUID } from 'node:crypto'
import { chmodSync, rmSync, writeFileSync } from 'node:fs'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import type { Settings } from './contract/events.ts'
import { type Clock, systemClock } from './engine/clock.ts'
import { Engine } from './engine/engine.ts'
import { createHostGuard, type HostGuard } from './face/http/guard.ts'
import { createHttp } from './face/http/server.ts'
import { createFailureLimit } from './face/http-kit/failure-limit.ts'
import { mountMcp } from './face/mcp/http.ts'
import { mountSocket } from './face/socket/server.ts'
import { assertNotEmptied } from './folder/emptied.ts'
import { notedRoots, notedWorkspaces, noteRoots } from './folder/folder-note.ts'
import { FolderTree } from './folder/folder-tree.ts'
import { isPortable } from './folder/portable.ts'
import { noteFile, type ServerNote, serverNote, tokenFile } from './server-note.ts'
import { diskFileSystem } from './store/file-system/disk.ts'
import { LedgerBusy } from './store/ledger.ts'
import { diskStorage } from './store/storage.ts'

/** Wires the stores, the engine and the doors together from the configuration. No rule in it. */
export interface ServerOptions {
  /** The data folder; made if it does not exist. */
  data: string
  host: string
  /** 0 takes any free port. */
  port: number
  /** Names besides loopback that clients may use as Host and Origin. */
  allowHosts?: readonly string[]
  /** Origins of pages elsewhere that may call this server from a browser; none unless given. */
  allowOrigins?: readonly string[]
  /** Noted for others: it ends by itself when nobody uses it. */
  shared?: boolean
  logger?: FastifyBaseLogger | false
  /** Default: the machine's. */
  clock?: Clock
  /** Workspaces that are real folders: existing ones, absolute, by the workspace's name. */
  folders?: Readonly<Record<string, readonly string[]>>
  /** Mounts more routes, or listens to the HTTP server. */
  extend?: (app: FastifyInstance, engine: Engine) => void
}

export interface RunningServer {
  url: string
  engine: Engine
  /** How its folders stand, by workspace. */
  folders(): Record<string, ReturnType<FolderTree['report']>>
  /** Takes no new work, stores what was promised, and lets go of the data folder. */
  close(): Promise<void>
}

/** Throws `FolderTaken` when another server has the data folder. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { data, host, allowHosts = [], allowOrigins = [] } = options
  const { logger = false, clock = systemClock() } = options
  // What cannot work is refused before anything is opened.
  const guard = createHostGuard(host, allowHosts, allowOrigins)
  const log = (message: string, error: unknown): void => {
    if (logger !== false) logger.error({ err: error }, message)
    else console.error(message, error)
  }
  const storage = diskStorage(data)
  const folders = foldersOf(data, options.folders ?? {}, log)
  const engine = new Engine(storage, clock, log, {
    workingTreeOf: (name) => folders.get(name)?.tree,
    workspaces: Object.fromEntries([...folders].map(([name, { settings }]) => [name, settings])),
  })
  await openEngine(engine, data)
  for (const [name, { roots }] of folders) noteRoots(data, name, roots)
  try {
    return await openDoors(engine, options, guard, folders)
  } catch (error) {
    // The port is taken, for example: the folder must be free again.
    await engine.close()
    throw error
  }
}

/** The folders that this start names, and those that are noted from earlier ones. */
function foldersOf(
  data: string,
  given: Readonly<Record<string, readonly string[]>>,
  log: (message: string, error: unknown) => void,
) {
  const folders = new Map<
    string,
    { tree: FolderTree; roots: readonly string[]; settings: Partial<Settings> }
  >()
  for (const name of new Set([...Object.keys(given), ...notedWorkspaces(data)])) {
    const noted = notedRoots(data, name)
    const roots = given[name] ?? noted ?? []
    const fs = diskFileSystem
    if (noted !== undefined) for (const root of roots) assertNotEmptied(fs, name, root)
    const settings = { portable_names: isPortable(fs, roots[0] as string) }
    const tree = new FolderTree({ fs, roots, isNew: noted === undefined, log })
    folders.set(name, { tree, roots, settings })
  }
  return folders
}

async function openDoors(
  engine: Engine,
  options: ServerOptions,
  guard: HostGuard,
  folders: ReturnType<typeof foldersOf>,
): Promise<RunningServer> {
  const { data, host, port, shared = false, logger = false, extend } = options
  // The folder is ours now: whatever another server noted there is over.
  rmSync(noteFile(data), { force: true })
  if (engine.firstToken !== undefined) {
    const file = tokenFile(data)
    writeFileSync(file, engine.firstToken, { mode: 0o600 })
    // The mode counts only for a new file.
    chmodSync(file, 0o600)
  }
  const instance = randomUUID()
  // One for all doors: who tries tokens at two of them has no second budget.
  const failures = createFailureLimit()
  const http = await createHttp(engine, {
    host,
    port,
    instance,
    extraHosts: options.allowHosts ?? [],
    origins: options.allowOrigins ?? [],
    logger,
    failures,
    extend: (app) => {
      mountMcp(app, engine, { rootsOf: (name) => folders.get(name)?.tree.report().roots })
      extend?.(app, engine)
    },
  })
  const sockets = mountSocket(http.app.server, engine, failures, (request) => {
    try {
      guard(request)
      return true
    } catch {
      return false
    }
  })
  const url = await http.listen().catch(async (error: unknown) => {
    sockets.close()
    await http.close()
    throw error
  })
  writeFileSync(
    noteFile(data),
    JSON.stringify({ pid: process.pid, url, instance, shared } satisfies ServerNote),
    { mode: 0o600 },
  )
  return {
    url,
    engine,
    folders: () =>
      Object.fromEntries([...folders].map(([name, { tree }]) => [name, tree.report()])),
    async close() {
      // Before the folder is let go: the next server's note must not be taken away.
      rmSync(noteFile(data), { force: true })
      sockets.close()
      await http.close()
      await engine.close()
    },
  }
}

async function openEngine(engine: Engine, data: string): Promise<void> {
  try {
    await engine.open()
  } catch (error) {
    // What was opened before the fault must not keep the folder.
    await engine.close().catch(() => {})
    if (!(error instanceof LedgerBusy)) throw error
    throw new FolderTaken(data, serverNote(data))
  }
}

/** Another server has the data folder. */
export class FolderTaken extends Error {
  override name = 'FolderTaken'
  constructor(data: string, note: ServerNote | undefined) {
    const who = note === undefined ? 'Another process' : `Process ${note.pid} at ${note.url}`
    const what = note?.shared === true ? ' It ends by itself when no "sluice mcp" uses it.' : ''
    super(`${who} serves ${data} already. Use it, or stop it first.${what}`)
  }
}
