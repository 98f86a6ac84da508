import { SluiceError } from '../../src/contract/errors.ts'
import type { Settings } from '../../src/contract/events.ts'
import type { Input, OperationName, Output } from '../../src/contract/operations.ts'
import { parseInput } from '../../src/contract/parse.ts'
import type { Answer, Caller } from '../../src/engine/api.ts'
import type { Clock } from '../../src/engine/clock.ts'
import { Engine, type Extensions } from '../../src/engine/engine.ts'
import { MemoryBlobs, MemoryBlobsDisk } from '../../src/store/blobs/memory.ts'
import { MemoryLedger, MemoryLedgerDisk } from '../../src/store/ledger/memory.ts'
import type { Ledger } from '../../src/store/ledger.ts'
import { MemoryTables, MemoryTablesDisk } from '../../src/store/tables/memory.ts'
import type { Tables } from '../../src/store/tables.ts'

/** A clock that only the test moves. Timers that are due run in order of their time. */
export class FakeClock implements Clock {
  /** How far the machine's own clock was set since. */
  skewMs = 0
  private time = 1_800_000_000_000
  private next = 1
  private readonly timers = new Map<number, { at: number; callback: () => void }>()

  now(): number {
    return this.time
  }

  skew(): number {
    return this.skewMs
  }

  after(delayMs: number, callback: () => void): () => void {
    const id = this.next++
    this.timers.set(id, { at: this.time + delayMs, callback })
    return () => this.timers.delete(id)
  }

  soon(callback: () => void): void {
    setImmediate(callback)
  }

  /** Time goes by and nothing is done; then all timers that are due find themselves late at once. */
  async stall(ms: number): Promise<void> {
    this.time += ms
    const due = [...this.timers].filter(([, timer]) => timer.at <= this.time)
    for (const [id] of due) this.timers.delete(id)
    for (const [, { callback }] of due) callback()
    await settle()
  }

  /** Moves on in steps, letting what was woken do its work in between. */
  async advance(ms: number): Promise<void> {
    const end = this.time + ms
    for (;;) {
      const due = [...this.timers].filter(([, timer]) => timer.at <= end)
      const [first] = due.sort(([, a], [, b]) => a.at - b.at)
      if (first === undefined) break
      this.timers.delete(first[0])
      this.time = Math.max(this.time, first[1].at)
      first[1].callback()
      await settle()
    }
    this.time = end
    await settle()
  }
}

/** Lets everything that can run without time passing run. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
}

/** In place of a session: nothing says who calls. */
export const UNNAMED = '-'

/** A disk that survives the engine, and the engine that is started on it. */
export class EngineWorld {
  readonly clock = new FakeClock()
  /** What the engine goes by. */
  protected engineClock: Clock = this.clock
  readonly ledgers = new Map<string, MemoryLedgerDisk>()
  readonly tables = new Map<string, MemoryTablesDisk>()
  readonly blobs = new MemoryBlobsDisk()
  engine!: Engine
  extensions: Extensions = {}
  /** What nobody's refusal was. */
  readonly logged: string[] = []
  /** Wraps each ledger, to make it slow or faulty. */
  wrap: (ledger: Ledger, workspace: string | undefined) => Ledger = (ledger) => ledger

  wrapTables: (tables: Tables) => Tables = (tables) => tables

  static async start(settings: Partial<Settings> = {}): Promise<EngineWorld> {
    const world = new EngineWorld()
    await world.start()
    if (Object.keys(settings).length > 0) {
      await world.call('admin', 'put_workspace', { workspace: 'main', settings })
    }
    return world
  }

  async start(): Promise<void> {
    const kept = <T>(map: Map<string, T>, key: string, make: () => T): T => {
      const found = map.get(key) ?? make()
      map.set(key, found)
      return found
    }
    this.engine = new Engine(
      {
        blobs: new MemoryBlobs(this.blobs),
        secret: new Uint8Array(32).fill(7),
        streamOf: (workspace) => {
          const key = workspace ?? '(server)'
          const disk = kept(this.ledgers, key, () => new MemoryLedgerDisk())
          return {
            ledger: this.wrap(new MemoryLedger(disk), workspace),
            tables: this.wrapTables(
              new MemoryTables(kept(this.tables, key, () => new MemoryTablesDisk())),
            ),
          }
        },
      },
      this.engineClock,
      (message, error) => this.logged.push(`${message}: ${String(error)}`),
      this.extensions,
    )
    await this.engine.open()
    for (const name of ['ann', 'bob', 'cyd']) {
      if (!this.engine.registry.agents.has(name)) await this.addAgent(name)
    }
  }

  /** A new engine on the same disks, as after a crash: the old one is just left. */
  async crash(): Promise<void> {
    await this.start()
  }

  async restart(): Promise<void> {
    await this.engine.close()
    await this.start()
  }

  async addAgent(name: string, input: Partial<Input<'put_agent'>> = {}): Promise<void> {
    await this.call('admin', 'put_agent', { name, ...input })
  }

  caller(who: string, session = 'default'): Promise<Caller> {
    const role = this.engine.registry.agents.get(who)?.role ?? 'admin'
    if (session === UNNAMED) return this.engine.callerOf({ name: who, role })
    // One of those who share a session goes by its full id.
    const id = session.includes('/') ? `${who}:${session}` : session
    return this.engine.callerOf({ name: who, role }, { session: id })
  }

  /** `who` is an agent, or `agent:session`. */
  async answer<N extends OperationName>(
    who: string,
    operation: N,
    input: Input<N>,
    content?: string | Uint8Array,
    signal?: AbortSignal,
  ): Promise<Answer<N>> {
    const [agent = who, session] = who.split(':')
    const caller = await this.caller(agent, session)
    const parsed = parseInput(operation, input)
    if (!parsed.ok) throw new Error(`bad input in a test: ${parsed.refusal.detail}`)
    const bytes = typeof content === 'string' ? Buffer.from(content) : content
    return this.engine.call({
      operation,
      input: parsed.input,
      caller,
      ...(bytes === undefined ? {} : { content: bytes }),
      ...(signal === undefined ? {} : { signal }),
    })
  }

  async call<N extends OperationName>(
    who: string,
    operation: N,
    input: Input<N>,
    content?: string | Uint8Array,
    signal?: AbortSignal,
  ): Promise<Output<N>> {
    return (await this.answer(who, operation, input, content, signal)).value
  }

  async text(who: string, path: string, at?: number): Promise<string> {
    const { content } = await this.answer(who, 'read_file', {
      path,
      ...(at === undefined ? {} : { at }),
    })
    const parts: Uint8Array[] = []
    for await (const part of content?.stream() ?? []) parts.push(part)
    return Buffer.concat(parts).toString()
  }

  /** The code of the refusal that a call ends in. */
  async code(call: Promise<unknown>): Promise<string> {
    try {
      await call
      return 'none'
    } catch (error) {
      if (error instanceof SluiceError) return error.code
      throw error
    }
  }

  async lock(who: string, path: string, input: Partial<Input<'acquire_lock'>> = {}) {
    const answer = await this.call(who, 'acquire_lock', { path, ...input })
    if (answer.status !== 'granted') throw new Error(`queued: ${JSON.stringify(answer)}`)
    return answer
  }
}
