import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { closedBy, type Message, readLines } from './json-lines.ts'

/**
 * A client of an MCP server that is started for it, by hand over stdio: a library between would put
 * right, refuse or drop what is to be compared to the letter.
 */
export interface ServerCommand {
  argv: readonly [string, ...string[]]
  cwd: string
  env: NodeJS.ProcessEnv
}

export interface ClientTerms {
  protocolVersion: '2025-06-18' | '2025-11-25'
  /** What a server that asks for roots is told; undefined: this client knows no roots. */
  roots?: readonly string[] | undefined
}

/** What came of a request. A server that says nothing is an outcome too, and not the end of a run. */
export type Reply =
  | { kind: 'result'; result: Record<string, unknown> }
  | { kind: 'error'; code: number; message: string }
  | { kind: 'silent'; why: string }

/** What a comparison needs of a server; tests put something between. */
export interface ToolServer {
  request(method: string, params?: unknown): Promise<Reply>
}

const ANSWER_MS = 20_000
const CLOSE_MS = 3000
const KEPT_OF_STDERR = 2000

export class StdioServer implements ToolServer {
  /** What the server said of itself. */
  about: Record<string, unknown> = {}
  private readonly child: ChildProcess
  private readonly waiting = new Map<number, (reply: Reply) => void>()
  private roots: readonly string[] | undefined
  private requests = 0
  private said = ''
  private gone: string | undefined

  static async start(command: ServerCommand, terms: ClientTerms): Promise<StdioServer> {
    const server = new StdioServer(command, terms)
    const reply = await server.request('initialize', {
      protocolVersion: terms.protocolVersion,
      capabilities: terms.roots === undefined ? {} : { roots: { listChanged: true } },
      clientInfo: { name: 'drop-in', version: '1' },
    })
    if (reply.kind !== 'result') {
      await server.close()
      throw new Error(reply.kind === 'silent' ? reply.why : reply.message)
    }
    server.about = reply.result
    server.notify('notifications/initialized')
    return server
  }

  private constructor({ argv: [program, ...args], cwd, env }: ServerCommand, terms: ClientTerms) {
    this.roots = terms.roots
    this.child = spawn(program, args, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'] })
    const { stdin, stdout, stderr } = this.child
    if (stdin === null || stdout === null || stderr === null) throw new Error('no pipes')
    readLines(stdout, (message) => this.take(message))
    stderr.on('data', (chunk: Buffer) => {
      this.said = `${this.said}${chunk}`.slice(-KEPT_OF_STDERR)
    })
    // Writing to a server that is gone fails here and with `close`; the latter says more.
    stdin.on('error', () => {})
    closedBy(this.child, (why) => this.end(`${why}\n${this.said}`))
  }

  /** Never rejects: who compares wants to know what came of it, whatever that is. */
  request(method: string, params?: unknown): Promise<Reply> {
    const { gone } = this
    if (gone !== undefined) return Promise.resolve({ kind: 'silent', why: gone })
    const id = ++this.requests
    return new Promise((resolve) => {
      const late = setTimeout(() => {
        this.answered(id, { kind: 'silent', why: `no answer within ${ANSWER_MS} ms` })
      }, ANSWER_MS)
      this.waiting.set(id, (reply) => {
        clearTimeout(late)
        resolve(reply)
      })
      this.send({ id, method, ...(params === undefined ? {} : { params }) })
    })
  }

  /** Other roots from now on; the server is told that they changed, and may ask which they are. */
  changeRoots(roots: readonly string[]): void {
    this.roots = roots
    this.notify('notifications/roots/list_changed')
  }

  /** As clients end: its input ends, and only what does not go by itself is killed. */
  async close(): Promise<void> {
    const { child } = this
    if (child.exitCode !== null || child.signalCode !== null) return
    const closed = once(child, 'close').then(() => true)
    child.stdin?.end()
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      if (await Promise.race([closed, pause(CLOSE_MS, false)])) return
      child.kill(signal)
    }
    await closed
  }

  private notify(method: string): void {
    this.send({ method })
  }

  private send(message: Message): void {
    this.child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
  }

  private take(message: Message | string): void {
    if (typeof message === 'string') return this.end(`not a message on stdout: ${message}`)
    const { id, method, result, error } = message
    if (method !== undefined) return id === undefined ? undefined : this.serve(id, method)
    if (typeof id !== 'number') return
    if (error !== undefined) return this.answered(id, { kind: 'error', ...error })
    this.answered(id, { kind: 'result', result: result ?? {} })
  }

  /** What the server asks its client. */
  private serve(id: number | string, method: string): void {
    const { roots } = this
    if (method === 'ping') return this.send({ id, result: {} })
    if (method === 'roots/list' && roots !== undefined) {
      return this.send({ id, result: { roots: roots.map((uri) => ({ uri })) } })
    }
    this.send({ id, error: { code: -32601, message: 'Method not found' } })
  }

  private answered(id: number, reply: Reply): void {
    this.waiting.get(id)?.(reply)
    this.waiting.delete(id)
  }

  private end(why: string): void {
    this.gone ??= why
    for (const id of [...this.waiting.keys()]) this.answered(id, { kind: 'silent', why })
  }
}
