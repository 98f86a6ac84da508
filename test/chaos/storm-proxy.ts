import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from './random.ts'

/** Of each piece that passes, the share that something befalls. */
const RATES = { cut: 0.006, swallow: 0.004, split: 0.04, delay: 0.08 }
/** Of new connections. */
const REFUSED = 0.1

/**
 * A bad network between clients and one server, over TCP: it delays and tears pieces, loses what it
 * was given before it cuts, cuts in the middle of a frame, refuses connections, and is gone for a
 * while. The order of bytes is kept, as TCP does; what it does when is drawn from a seed.
 */
export class StormProxy {
  readonly counts = new Map<string, number>()
  private readonly target: number
  private readonly random: Random
  private readonly links = new Set<{ cut(): void }>()
  private readonly server: Server
  private isStormy = false
  private isGone = false

  private constructor(target: number, random: Random) {
    this.target = target
    this.random = random
    this.server = createServer((near) => this.accept(near))
  }

  static async open(target: number, random: Random): Promise<StormProxy> {
    const proxy = new StormProxy(target, random)
    await new Promise<void>((resolve) => proxy.server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get url(): string {
    const address = this.server.address()
    return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  }

  /** From now on: faults, or none. */
  storm(isStormy: boolean): void {
    this.isStormy = isStormy
  }

  /** Nobody gets through for so long. */
  async outage(ms: number): Promise<void> {
    this.count('outage')
    this.isGone = true
    for (const link of [...this.links]) link.cut()
    await sleep(ms)
    this.isGone = false
  }

  close(): void {
    for (const link of [...this.links]) link.cut()
    this.server.close()
  }

  private count(fault: string): void {
    this.counts.set(fault, (this.counts.get(fault) ?? 0) + 1)
  }

  private accept(near: Socket): void {
    near.on('error', () => {})
    if (this.isGone || (this.isStormy && this.random.chance(REFUSED))) {
      this.count('refused')
      near.destroy()
      return
    }
    const far = connect({ port: this.target, host: '127.0.0.1', noDelay: true })
    far.on('error', () => {})
    near.setNoDelay(true)
    const link = {
      cut: () => {
        this.links.delete(link)
        near.destroy()
        far.destroy()
      },
    }
    this.links.add(link)
    near.on('close', link.cut)
    far.on('close', link.cut)
    this.carry(near, far, link.cut)
    this.carry(far, near, link.cut)
  }

  /** One direction: piece after piece, in order, whatever befalls each. */
  private carry(from: Socket, to: Socket, cut: () => void): void {
    let before = Promise.resolve()
    let isDeaf = false
    from.on('data', (piece: Buffer) => {
      before = before.then(async () => {
        if (!isDeaf && !to.destroyed) isDeaf = await this.pass(piece, to, cut)
      })
    })
  }

  /** Says whether this direction is dead from now on. */
  private async pass(piece: Buffer, to: Socket, cut: () => void): Promise<boolean> {
    const { random } = this
    const draw = this.isStormy ? random.next() : 1
    const { cut: torn, swallow, split, delay } = RATES
    if (draw < torn) {
      this.count('cut within a frame')
      to.write(piece.subarray(0, random.int(piece.length)), () => cut())
      return true
    }
    if (draw < torn + swallow) {
      // What is sent now is lost, and nobody hears of it for a while.
      this.count('swallowed')
      setTimeout(cut, 20 + random.int(800))
      return true
    }
    if (draw < torn + swallow + split) {
      this.count('split')
      const middle = random.int(piece.length)
      to.write(piece.subarray(0, middle))
      await sleep(random.int(15))
      to.write(piece.subarray(middle))
      return false
    }
    if (draw < torn + swallow + split + delay) {
      this.count('delayed')
      await sleep(random.int(60))
    }
    to.write(piece)
    return false
  }
}
