import { setTimeout as sleep } from 'node:timers/promises'
import { SluiceError } from '../../src/contract/errors.ts'
import type { Book } from './book.ts'
import type { Hand, Level } from './hand.ts'
import type { Random } from './random.ts'

/**
 * One agent under load: does one random thing after the other and writes into the book what it was
 * promised. Its own files are written by nobody else, so no refusal is expected there.
 */
export class Worker {
  private readonly hand: Hand
  private readonly book: Book
  private readonly random: Random
  private readonly name: string
  private readonly lane: number
  private isStopped = false
  private turn = 0
  private edits = 0
  private removable: string | undefined

  /** `lane`: workers of one session share no lock, for a session never waits for itself. */
  constructor(hand: Hand, book: Book, random: Random, lane: number) {
    this.name = `${hand.agent}.${lane}`
    this.lane = lane
    this.hand = hand
    this.book = book
    this.random = random
  }

  stop(): void {
    this.isStopped = true
  }

  async run(): Promise<void> {
    while (!this.isStopped) {
      this.turn += 1
      const things = [this.small, this.small, this.large, this.append, this.append, this.append]
      const more = [this.edit, this.commit, this.lock, this.lock, this.lock, this.remove]
      try {
        await this.random.pick([...things, ...more]).call(this)
      } catch (error) {
        if (!(error instanceof SluiceError)) throw error
        // A lock whose grant a kill swallowed is still held, and may close a ring: as it should be said.
        if (error.code === 'deadlock') continue
        this.book.violate(`${this.hand.agent} was refused: ${JSON.stringify(error.problem)}`)
        await sleep(20)
      }
    }
  }

  private get own(): string {
    return `/own/${this.name}`
  }

  private async small(): Promise<void> {
    const path = `${this.own}/small-${this.random.int(5)}`
    const content = `${this.turn} ${this.random.next()}`
    this.book.wrote(path, (await this.hand.write(path, content)).version, content)
  }

  private async large(): Promise<void> {
    const path = `${this.own}/large-${this.random.int(2)}`
    const content = this.random.bytes(200_000)
    this.book.wrote(path, (await this.hand.write(path, content)).version, content)
  }

  private async append(): Promise<void> {
    // Many agents, one file; a new file now and then, so that none becomes large.
    const path = `/logs/log-${Math.floor(this.turn / 50)}`
    const line = `${this.name}-${this.turn}`
    this.book.appending(path, line)
    await this.hand.append(path, `${line}\n`)
    this.book.appended(path, line)
  }

  private async edit(): Promise<void> {
    const path = `${this.own}/counter`
    const text = (count: number) => `count: ${count};`
    if (this.edits === 0) await this.hand.write(path, text(0))
    const { version } = await this.hand.edit(path, text(this.edits), text(this.edits + 1))
    this.edits += 1
    this.book.wrote(path, version, text(this.edits))
  }

  private async remove(): Promise<void> {
    const path = `${this.own}/gone`
    if (this.removable === undefined) {
      await this.hand.write(path, String(this.turn))
      this.removable = path
    } else {
      const { version } = await this.hand.remove(path)
      this.removable = undefined
      // Over HTTP the answer carries a revision that may be later than the delete's own.
      if (!this.hand.session.endsWith(':http')) this.book.wrote(path, version, undefined)
    }
  }

  private async commit(): Promise<void> {
    const paths = ['a', 'b', 'c'].map((name) => `${this.own}/set/${name}`)
    const content = `stamp ${this.turn} ${this.random.next()}`
    this.book.committed((await this.hand.commit(paths, content)).revision, paths, content)
  }

  private async lock(): Promise<void> {
    const path = `/shared/${this.lane}${this.random.int(3)}`
    const level: Level = this.random.pick(['write', 'write', 'exclusive', 'read'])
    const { hand, book } = this
    const granted = await hand.acquire(path, level)
    if (granted === undefined) return
    const { agent, session } = hand
    const held = book.acquired({ id: granted.id, path, level, agent, session })
    if (level !== 'read' && this.random.chance(0.5)) {
      const content = `${this.name} ${this.turn}`
      // A lock is no knowledge: what stands there is named.
      const { version } = await hand.write(path, content, await hand.versionOf(path))
      book.wrote(path, version, content)
    }
    await sleep(this.random.int(150))
    held.state = 'releasing'
    await hand.release(held.id)
    held.state = 'released'
    book.acknowledged += 1
  }
}
