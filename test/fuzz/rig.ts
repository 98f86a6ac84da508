import { connect as connectTcp } from 'node:net'
import { Packr } from 'msgpackr'
import { WebSocket } from 'ws'
import { parseInput } from '../../src/contract/parse.ts'
import type { Caller } from '../../src/engine/api.ts'
import { Engine } from '../../src/engine/engine.ts'
import { createHttp, type HttpServer } from '../../src/face/http/server.ts'
import { createFailureLimit } from '../../src/face/http-kit/failure-limit.ts'
import { mountMcp } from '../../src/face/mcp/http.ts'
import { mountSocket } from '../../src/face/socket/server.ts'
import { MemoryBlobs } from '../../src/store/blobs/memory.ts'
import { MemoryLedger } from '../../src/store/ledger/memory.ts'
import { MemoryTables } from '../../src/store/tables/memory.ts'
import { FakeClock } from '../engine/world.ts'
import { StdioEnd } from './stdio-end.ts'

const packr = new Packr({ useRecords: false })
const PROBE = 'probe'

/**
 * The real engine with all its doors on a port, and time standing still: what changes is what a
 * request changed. `logged` takes what the server calls its own failures.
 */
export class Rig {
  readonly logged: string[] = []
  readonly tokens: Record<string, string> = { wrong: 'slc_wrong' }
  engine!: Engine
  http!: HttpServer
  url = ''
  port = 0
  private probe!: Caller
  private closeSockets: () => void = () => {}
  private readonly sockets = new Map<string, Promise<SocketEnd>>()
  private readonly stdios = new Map<string, StdioEnd>()

  static async open(): Promise<Rig> {
    const rig = new Rig()
    const storage = {
      blobs: new MemoryBlobs(),
      secret: new Uint8Array(32).fill(7),
      streamOf: () => ({ ledger: new MemoryLedger(), tables: new MemoryTables() }),
    }
    rig.engine = new Engine(storage, new FakeClock(), (message, error) => {
      rig.logged.push(`${message}: ${error instanceof Error ? error.stack : String(error)}`)
    })
    const { engine } = rig
    await engine.open()
    rig.tokens.admin = engine.firstToken ?? ''
    rig.probe = await engine.callerOf({ name: 'admin', role: 'admin' }, { session: 'probe' })
    // An admin of its own from now on: what a request does to "admin" must not blind who looks.
    await rig.ask('put_agent', { name: PROBE, role: 'admin' })
    rig.probe = await engine.callerOf({ name: PROBE, role: 'admin' }, { session: 'probe' })
    for (const name of ['agent-a', 'agent-b']) {
      await rig.ask('put_agent', { name })
      rig.tokens[name] = (await rig.ask('create_token', { name })).token as string
    }
    rig.http = await createHttp(engine, {
      host: '127.0.0.1',
      port: 0,
      logger: false,
      extend: (app) => mountMcp(app, engine),
    })
    rig.closeSockets = mountSocket(
      rig.http.app.server,
      engine,
      createFailureLimit(),
      () => true,
    ).close
    rig.url = await rig.http.listen()
    rig.port = Number(new URL(rig.url).port)
    return rig
  }

  private async ask(
    operation:
      | 'put_agent'
      | 'create_token'
      | 'get_entry'
      | 'list_locks'
      | 'list_agents'
      | 'list_workspaces',
    raw: object,
  ): Promise<Record<string, unknown>> {
    const parsed = parseInput(operation, raw)
    if (!parsed.ok) throw new Error(parsed.refusal.detail)
    return (await this.engine.call({ operation, input: parsed.input, caller: this.probe })).value
  }

  /** All that a refusal must not change: locks, queues, files, agents and workspaces. */
  async fingerprint(): Promise<string> {
    const { locks, waiting } = await this.ask('list_locks', {})
    const tree = await this.ask('get_entry', { path: '/', depth: 64 })
    const { agents } = await this.ask('list_agents', {})
    const { workspaces } = await this.ask('list_workspaces', {})
    const kept = (agents as { sessions: number }[]).map(({ sessions: _, ...agent }) => agent)
    const named = (workspaces as { revision: number }[]).map(({ revision: _, ...rest }) => rest)
    return JSON.stringify([locks, waiting, tree, kept, named])
  }

  /** The socket of a principal; a new one when the last was closed. */
  async socket(principal: string): Promise<SocketEnd> {
    const known = await this.sockets.get(principal)
    if (known?.isOpen) return known
    const opening = SocketEnd.open(this.url, this.tokens[principal])
    this.sockets.set(principal, opening)
    return opening
  }

  /** A stdio server in this process that works as a principal. */
  async stdio(principal: string): Promise<StdioEnd> {
    let end = this.stdios.get(principal)
    if (end === undefined) {
      const role = principal === 'admin' ? 'admin' : 'agent'
      const caller = await this.engine.callerOf({ name: principal, role }, { session: 'stdio' })
      end = await StdioEnd.open(this.engine, caller)
      this.stdios.set(principal, end)
    }
    return end
  }

  /** Sends bytes as they are and gives what came back until the server or we had enough. */
  raw(text: string, quietMs: number): Promise<string> {
    return new Promise((resolve) => {
      const socket = connectTcp(this.port, '127.0.0.1')
      let answer = ''
      const enough = () => {
        socket.destroy()
        resolve(answer)
      }
      let timer = setTimeout(enough, quietMs)
      socket.on('data', (chunk) => {
        answer += chunk.toString('latin1')
        clearTimeout(timer)
        timer = setTimeout(enough, quietMs)
      })
      socket.on('error', () => {})
      socket.on('close', () => {
        clearTimeout(timer)
        resolve(answer)
      })
      socket.write(text.replaceAll('TOKEN', `Bearer ${this.tokens['agent-a']}`), 'latin1')
    })
  }

  async close(): Promise<void> {
    for (const socket of this.sockets.values()) (await socket).end()
    for (const stdio of this.stdios.values()) await stdio.close()
    this.closeSockets()
    await this.http.close()
    await this.engine.close()
  }
}

/** A socket without the SDK: whatever one wants to say, as it is. */
export class SocketEnd {
  private readonly socket: WebSocket
  private readonly answers = new Map<number, (message: unknown[] | undefined) => void>()
  private next = 1
  isOpen = true

  private constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('error', () => {})
    socket.on('close', () => {
      this.isOpen = false
      for (const answer of this.answers.values()) answer(undefined)
      this.answers.clear()
    })
    socket.on('message', (data: Buffer) => {
      for (const message of packr.unpack(data) as unknown[][]) this.take(message)
    })
  }

  static async open(url: string, token: string | undefined): Promise<SocketEnd> {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/socket`)
    const end = new SocketEnd(socket)
    await new Promise((resolve) => socket.once('open', resolve).once('close', resolve))
    if (!end.isOpen) return end
    if (token !== undefined) {
      socket.send(packr.pack([['hello', { token, session: 'fuzz' }]]))
      await new Promise<void>((resolve) => end.answers.set(0, () => resolve()))
    }
    return end
  }

  private take(message: unknown[]): void {
    const [what, id] = message
    const answer = this.answers.get(what === 'welcome' ? 0 : (id as number))
    this.answers.delete(what === 'welcome' ? 0 : (id as number))
    answer?.(message)
  }

  /** Puts an id into the message; undefined when the server closed the connection instead. */
  ask([what, ...rest]: unknown[]): Promise<unknown[] | undefined> {
    const id = this.next++
    return new Promise((resolve) => {
      if (!this.isOpen) return resolve(undefined)
      this.answers.set(id, resolve)
      this.socket.send(packr.pack([[what, id, ...rest]]))
      // A cancel has no answer of its own.
      if (what === 'cancel') this.socket.once('pong', () => resolve(['done', id]))
      if (what === 'cancel') this.socket.ping()
      return undefined
    })
  }

  /** A frame of any bytes: the server closes, or passes it over. */
  frame(bytes: Uint8Array): Promise<void> {
    this.socket.send(bytes)
    return new Promise((resolve) => {
      this.socket.once('close', () => resolve())
      this.socket.ping()
      this.socket.once('pong', () => resolve())
    })
  }

  end(): void {
    this.socket.terminate()
  }
}
