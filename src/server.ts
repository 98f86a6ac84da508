import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import { systemClock } from './engine/clock.ts'
import { Engine } from './engine/engine.ts'
import { createHostGuard } from './face/http/guard.ts'
import { createHttp } from './face/http/server.ts'
import { mountMcp } from './face/mcp/http.ts'
import { mountSocket } from './face/socket/server.ts'
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
  logger?: FastifyBaseLogger | false
  /** Mounts more routes; for tests. */
  extend?: (app: FastifyInstance, engine: Engine) => void
}

export interface RunningServer {
  url: string
  engine: Engine
  /** Takes no new work, stores what was promised, and lets go of the data folder. */
  close(): Promise<void>
}

/** What a server says of itself in its data folder, for others on this machine. */
export interface ServerNote {
  pid: number
  url: string
}

/** Throws `FolderTaken` when another server has the data folder. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { data, host, port, allowHosts = [], logger = false, extend } = options
  const log = (message: string, error: unknown): void => {
    if (logger !== false) logger.error({ err: error }, message)
    else console.error(message, error)
  }
  const engine = new Engine(diskStorage(data), systemClock(), log)
  await openEngine(engine, data)
  if (engine.firstToken !== undefined) {
    const file = join(data, 'admin.token')
    writeFileSync(file, engine.firstToken, { mode: 0o600 })
    // The mode counts only for a new file.
    chmodSync(file, 0o600)
  }
  const guard = createHostGuard(host, allowHosts)
  const http = await createHttp(engine, {
    host,
    port,
    extraHosts: allowHosts,
    logger,
    extend: (app) => {
      mountMcp(app, engine)
      extend?.(app, engine)
    },
  })
  const sockets = mountSocket(http.app.server, engine, (request) => {
    try {
      guard(request)
      return true
    } catch {
      return false
    }
  })
  const url = await http.listen()
  writeFileSync(noteFile(data), JSON.stringify({ pid: process.pid, url } satisfies ServerNote))
  return {
    url,
    engine,
    async close() {
      sockets.close()
      await http.close()
      await engine.close()
      rmSync(noteFile(data), { force: true })
    },
  }
}

async function openEngine(engine: Engine, data: string): Promise<void> {
  try {
    await engine.open()
  } catch (error) {
    if (!(error instanceof LedgerBusy)) throw error
    const note = serverNote(data)
    const who = note === undefined ? 'Another process' : `Process ${note.pid} at ${note.url}`
    throw new FolderTaken(`${who} serves ${data} already. Use it, or stop it first.`)
  }
}

export class FolderTaken extends Error {
  override name = 'FolderTaken'
}

export function noteFile(data: string): string {
  return join(data, 'server.json')
}

/** The note of the server that has (or had) this data folder. */
export function serverNote(data: string): ServerNote | undefined {
  try {
    return JSON.parse(readFileSync(noteFile(data), 'utf8')) as ServerNote
  } catch {
    return undefined
  }
}
