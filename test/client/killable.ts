import { mkdtemp, rm } from 'node:fs/promises'
import { connect as connectTcp, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type ConnectOptions, connect, type Sluice, SluiceError } from '../../src/client/index.ts'
import { systemRuntime } from '../../src/client/runtime.ts'
import { connectOn } from '../../src/client/sluice.ts'
import { freePort, ServerProcess } from '../chaos/server-process.ts'
import { NearServer } from '../server/near.ts'

/** A server inside the test that is only talked to, and clients whose time is its: it can be let pass. */
export class Calm {
  private readonly server: NearServer

  private constructor(server: NearServer) {
    this.server = server
  }

  static async start(): Promise<Calm> {
    const server = await NearServer.open()
    onTestFinished(() => server.close())
    return new Calm(server)
  }

  async connect(options: Partial<ConnectOptions> = {}): Promise<Sluice> {
    const { url, adminToken: token, clock } = this.server
    const { now, after } = clock
    const runtime = { ...systemRuntime, now: now.bind(clock), after: after.bind(clock) }
    const sluice = await connectOn(runtime, { url, token, retryMs: 60_000, ...options })
    onTestFinished(() => sluice.disconnect())
    return sluice
  }

  /** Time goes by in steps, and what is said in each is heard before the next. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= STEP_MS) {
      this.server.clock.leap(Math.min(left, STEP_MS))
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }
}

/** Shorter than anything that anybody waits for. */
const STEP_MS = 100

/** A real server that a test may kill and start again, and clients on it; all gone after the test. */
export class Killable {
  private server: ServerProcess

  private constructor(server: ServerProcess) {
    this.server = server
  }

  static async start(limits?: Record<string, unknown>): Promise<Killable> {
    const data = await mkdtemp(join(tmpdir(), 'sluice-client-'))
    const setUp = { data, port: await freePort(), ...(limits === undefined ? {} : { limits }) }
    const one = new Killable(await ServerProcess.start(setUp))
    onTestFinished(async () => {
      await one.server.kill()
      await rm(data, { recursive: true, force: true })
    })
    return one
  }

  get url(): string {
    return this.server.url
  }

  get token(): string {
    return this.server.adminToken
  }

  kill(): Promise<void> {
    return this.server.kill()
  }

  async startAgain(): Promise<void> {
    this.server = await ServerProcess.start(this.server.setUp)
  }

  async restart(): Promise<void> {
    await this.kill()
    await this.startAgain()
  }

  async connect(options: Partial<ConnectOptions> = {}): Promise<Sluice> {
    const sluice = await connect({ url: this.url, token: this.token, retryMs: 60_000, ...options })
    onTestFinished(() => sluice.disconnect())
    return sluice
  }
}

/** The code of the refusal that a call ends in; `none` when it does not. */
export async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call
    return 'none'
  } catch (error) {
    if (error instanceof SluiceError) return error.code
    throw error
  }
}

export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve())
  })
}

/** A cable between client and server that a test can cut and join. */
export async function cable(to: string): Promise<{ url: string; cut(): void; join(): void }> {
  const port = Number(new URL(to).port)
  const ends = new Set<Socket>()
  let isCut = false
  const server = createServer((near) => {
    if (isCut) return near.destroy()
    const far = connectTcp(port, '127.0.0.1')
    for (const [end, other] of [
      [near, far],
      [far, near],
    ] as const) {
      ends.add(end)
      end.on('error', () => {})
      end.on('close', () => {
        ends.delete(end)
        other.destroy()
      })
      end.pipe(other)
    }
    return undefined
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const cut = () => {
    isCut = true
    for (const end of ends) end.destroy()
  }
  onTestFinished(() => {
    cut()
    server.close()
  })
  const { port: own } = server.address() as { port: number }
  return { url: `http://127.0.0.1:${own}`, cut, join: () => (isCut = false) }
}
