import { setTimeout as sleep } from 'node:timers/promises'
import { type Lock, type Sluice, SluiceError, type Workspace } from '../../src/client/index.ts'
import type { Random } from './random.ts'
import { connectRecorded, type Record, type Who } from './recorded.ts'

export const COUNTERS = ['/count/a', '/count/b']
export const SETS = ['/set/x', '/set/y', '/set/z']

/** What the storm may make of a call; anything else is a fault of the server. */
const EXPECTED = new Set([
  ...['lock_conflict', 'locked', 'lock_lost', 'ticket_gone', 'stale_version', 'unseen_version'],
  ...['deadlock', 'overloaded', 'unauthenticated'],
])

/** What all clients of a run share. */
export interface Ledgerbook {
  record: Record
  url: string
  violations: string[]
  /** Increments by path. */
  acknowledged: Map<string, number>
  unknown: Map<string, number>
  refusals: Map<string, number>
  clients: Set<StormClient>
}

/** An agent behind the bad network: counts under locks, and now and then dies and comes back anew. */
export class StormClient {
  private readonly book: Ledgerbook
  private readonly who: Omit<Who, 'session'>
  private readonly random: Random
  private readonly locks = new Set<Lock>()
  private sluice: Sluice | undefined
  private starts = 0
  private isStopped = false

  constructor(book: Ledgerbook, who: Omit<Who, 'session'>, random: Random) {
    this.book = book
    this.who = who
    this.random = random
    book.clients.add(this)
  }

  stop(): void {
    this.isStopped = true
  }

  /** Would say that it holds this path, were it asked now. */
  believes(path: string): Lock | undefined {
    for (const lock of this.locks) {
      if (lock.state === 'held' && lock.items.some((item) => item.path === path)) return lock
    }
    return undefined
  }

  async run(): Promise<void> {
    while (!this.isStopped) {
      try {
        const workspace = await this.connected()
        const draw = this.random.next()
        if (draw < 0.04) this.die()
        else if (draw < 0.08) await this.comeLate(workspace)
        else if (draw < 0.6) await this.count(workspace)
        else await this.commit(workspace)
      } catch (error) {
        this.refused(error)
        await sleep(this.random.int(50))
      }
    }
    await this.sluice?.close()
  }

  private async connected(): Promise<Workspace> {
    if (this.sluice === undefined || this.sluice.isClosed) {
      this.locks.clear()
      const session = `s${this.starts}`
      this.starts += 1
      const { record, url } = this.book
      this.sluice = await connectRecorded(record, url, { ...this.who, session })
    }
    return this.sluice.workspace('main')
  }

  /** Without a goodbye, at any moment of the next thing it does. */
  private die(): void {
    const { sluice } = this
    setTimeout(() => sluice?.disconnect(), this.random.int(60))
  }

  private refused(error: unknown): void {
    if (!(error instanceof SluiceError)) throw error
    const { refusals, violations } = this.book
    refusals.set(error.code, (refusals.get(error.code) ?? 0) + 1)
    if (!EXPECTED.has(error.code)) violations.push(`${this.who.agent}: ${error.message}`)
  }

  private async count(workspace: Workspace): Promise<void> {
    const path = this.random.pick(COUNTERS)
    await this.under(workspace, [path], async (lock) => {
      const before = Number((await workspace.read(path)).text())
      await sleep(this.dwell())
      await this.increment([path], () => workspace.write(path, String(before + 1), { lock }))
    })
  }

  /** As a client does that hung: its lock is over when it writes, mostly. */
  private async comeLate(workspace: Workspace): Promise<void> {
    const path = this.random.pick(COUNTERS)
    const lock = await workspace.lock(path, { level: 'write', ttl: 1, renew: 'explicit', wait: 2 })
    this.alone(path, lock)
    const before = Number((await workspace.read(path)).text())
    // Nobody keeps it alive from here on.
    workspace.stop()
    await sleep(800 + this.random.int(2500))
    await this.increment([path], () => workspace.write(path, String(before + 1), { lock }))
  }

  /** Two or three of the set, in any order: all of them one more, or none. */
  private async commit(workspace: Workspace): Promise<void> {
    const left = this.random.int(SETS.length + 1)
    const paths = SETS.filter((_, index) => index !== left)
    if (this.random.chance(0.5)) paths.reverse()
    await this.under(workspace, paths, async (lock) => {
      const reads = await Promise.all(paths.map((path) => workspace.read(path)))
      const changes = paths.map((path, index) => ({
        op: 'write' as const,
        path,
        text: String(Number(reads[index]?.text()) + 1),
      }))
      await sleep(this.dwell())
      await this.increment(paths, () => workspace.commit(changes, { lock }))
    })
  }

  /** Mostly short; now and then so long that an outage in the middle of it costs the lock. */
  private dwell(): number {
    return this.random.int(this.random.chance(0.15) ? 1200 : 40)
  }

  private async under(
    workspace: Workspace,
    paths: readonly string[],
    work: (lock: Lock) => Promise<void>,
  ): Promise<void> {
    const targets = paths.map((path) => ({ path, level: 'write' as const }))
    const ttl = 1 + this.random.int(3)
    const lock = await workspace.lock(targets, { ttl, wait: 2 })
    for (const path of paths) this.alone(path, lock)
    this.locks.add(lock)
    try {
      await work(lock)
    } finally {
      // Some forget it: it ends by its time, or with the session.
      if (this.random.chance(0.95)) await this.release(lock)
      this.locks.delete(lock)
    }
  }

  private async release(lock: Lock): Promise<void> {
    try {
      await lock.release()
    } catch (error) {
      this.refused(error)
    }
  }

  /** I12 at the moment of a grant: nobody else believes that it holds the path. */
  private alone(path: string, lock: Lock): void {
    if (lock.state !== 'held') return
    for (const other of this.book.clients) {
      const held = other === this ? undefined : other.believes(path)
      if (held === undefined) continue
      const names = `${this.who.agent} was granted ${lock.id} on ${path}`
      this.book.violations.push(`I12: ${names}; ${other.who.agent} believes it holds ${held.id}`)
    }
  }

  private async increment(paths: readonly string[], write: () => Promise<unknown>): Promise<void> {
    const { acknowledged, unknown } = this.book
    const more = (counts: Map<string, number>): void => {
      for (const path of paths) counts.set(path, (counts.get(path) ?? 0) + 1)
    }
    try {
      await write()
      more(acknowledged)
    } catch (error) {
      if (this.sluice?.isClosed !== false) more(unknown)
      throw error
    }
  }
}
