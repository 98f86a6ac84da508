import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, systemClock } from '../../src/engine/clock.ts'
import { type RunningServer, startServer } from '../../src/server.ts'
import { tokenFile } from '../../src/server-note.ts'

/** Time as it goes, and the test may let any of it go by at once. */
export class LeapingClock implements Clock {
  private readonly system = systemClock()
  private readonly timers = new Set<Timer>()
  private leaptMs = 0

  now(): number {
    return this.system.now() + this.leaptMs
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer: Timer = { at: this.now() + delayMs, cancel: () => {}, fire: () => {} }
    timer.fire = () => {
      timer.cancel()
      this.timers.delete(timer)
      callback()
    }
    timer.cancel = this.system.after(delayMs, timer.fire)
    this.timers.add(timer)
    return () => {
      timer.cancel()
      this.timers.delete(timer)
    }
  }

  soon(callback: () => void): void {
    this.system.soon(callback)
  }

  /** What is due by then is done now, in order; what is not comes so much sooner. */
  leap(ms: number): void {
    this.leaptMs += ms
    for (const timer of [...this.timers].sort((a, b) => a.at - b.at)) {
      if (!this.timers.has(timer)) continue
      timer.cancel()
      const leftMs = timer.at - this.now()
      if (leftMs <= 0) timer.fire()
      else timer.cancel = this.system.after(leftMs, timer.fire)
    }
  }
}

interface Timer {
  at: number
  fire: () => void
  cancel: () => void
}

/**
 * A whole server on a folder, inside the process of the test: for stories that are not about the process.
 * Its time can leap. What is to be killed, frozen or measured is a `ServerProcess` (test/chaos).
 */
export class NearServer {
  readonly clock: LeapingClock
  readonly data: string
  private readonly server: RunningServer
  private readonly isFolderOurs: boolean

  private constructor(
    server: RunningServer,
    clock: LeapingClock,
    data: string,
    isFolderOurs: boolean,
  ) {
    this.server = server
    this.clock = clock
    this.data = data
    this.isFolderOurs = isFolderOurs
  }

  /** @param data where it keeps what it knows; absent: somewhere, and gone with it */
  static async open(data?: string): Promise<NearServer> {
    const folder = data ?? mkdtempSync(join(tmpdir(), 'sluice-near-'))
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const clock = new LeapingClock()
    const server = await startServer({ data: folder, host: '127.0.0.1', port: 0, clock })
    return new NearServer(server, clock, folder, data === undefined)
  }

  get url(): string {
    return this.server.url
  }

  get adminToken(): string {
    return readFileSync(tokenFile(this.data), 'utf8').trim()
  }

  async close(): Promise<void> {
    await this.server.close()
    if (this.isFolderOurs) rmSync(this.data, { recursive: true, force: true })
  }
}
