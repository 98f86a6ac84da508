import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const CHILD = fileURLToPath(new URL('./server-child.ts', import.meta.url))

export interface ServerSetUp {
  data: string
  port: number
  limits?: Record<string, unknown>
  /** Is the workspace `main`. */
  folder?: string
  /** Another user than that of the test: permissions bind it. */
  uid?: number
}

/** One run of the server as a real process on a real folder. */
export class ServerProcess {
  readonly setUp: ServerSetUp
  readonly url: string
  /** Resolves when the server says that it is ready; rejects when it ends before. */
  readonly ready: Promise<void>
  readonly exited: Promise<number | null>
  private readonly child: ChildProcess
  private errors = ''

  constructor(setUp: ServerSetUp) {
    this.setUp = setUp
    this.url = `http://127.0.0.1:${setUp.port}`
    const limits =
      setUp.limits === undefined ? {} : { SLUICE_TEST_LIMITS: JSON.stringify(setUp.limits) }
    const { child } = this.spawned(limits)
    this.child = child
    this.exited = new Promise((resolve) => child.once('exit', resolve))
    this.ready = this.whenReady()
    this.ready.catch(() => {})
  }

  private spawned(limits: Record<string, string>) {
    const { data, port, folder, uid } = this.setUp
    const args = [CHILD, data, String(port), ...(folder === undefined ? [] : [folder])]
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
      env: { ...process.env, ...limits },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(uid === undefined ? {} : { uid, gid: uid }),
    })
    return { child }
  }

  private whenReady(): Promise<void> {
    return new Promise((resolve, reject) => {
      let text = ''
      this.child.stdout?.on('data', (chunk: Buffer) => {
        text += chunk.toString()
        if (text.includes('sluice ready ')) resolve()
      })
      this.child.stderr?.on('data', (chunk: Buffer) => {
        this.errors = (this.errors + chunk.toString()).slice(-20_000)
      })
      void this.exited.then((code) => reject(new Error(`server ended (${code}): ${this.errors}`)))
    })
  }

  static async start(setUp: ServerSetUp): Promise<ServerProcess> {
    const server = new ServerProcess(setUp)
    await server.ready
    return server
  }

  get pid(): number {
    return this.child.pid ?? 0
  }

  /** What the server said on stderr so far: it says nothing unless something is wrong. */
  get complaints(): string {
    return this.errors
  }

  get adminToken(): string {
    return readFileSync(join(this.setUp.data, 'admin.token'), 'utf8').trim()
  }

  /** `kill -9`: no handler runs, nothing is flushed. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL')
    await this.exited
  }

  /** Hangs, wherever it is, and knows nothing of it. */
  freeze(): void {
    this.child.kill('SIGSTOP')
  }

  thaw(): void {
    this.child.kill('SIGCONT')
  }

  async stop(): Promise<number | null> {
    this.child.kill('SIGTERM')
    return this.exited
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
