import { SluiceError } from '../../src/contract/errors.ts'
import { type Book, sha256Of } from './book.ts'
import type { Gate } from './gate.ts'
import type { Hand } from './hand.ts'
import type { Random } from './random.ts'

/**
 * One agent at work in a folder. What lies in its own part is written by nobody else, so that what has to
 * stand there is known to the byte; in `/contested` somebody outside writes as well.
 */
export class FolderWorker {
  /** What was last acknowledged, by path; undefined: that nothing is there. */
  readonly standing = new Map<string, string | undefined>()
  private readonly hand: Hand
  private readonly book: Book
  private readonly random: Random
  private readonly gate: Gate
  private isStopped = false
  private turn = 0
  private edits = 0

  constructor(hand: Hand, book: Book, random: Random, gate: Gate) {
    this.hand = hand
    this.book = book
    this.random = random
    this.gate = gate
  }

  stop(): void {
    this.isStopped = true
  }

  async run(): Promise<void> {
    const things = [
      ...[this.small, this.small, this.large, this.append, this.append, this.edit],
      ...[this.commit, this.commit, this.move, this.moveFolder, this.remove],
      ...[this.contested, this.contested],
    ]
    while (!this.isStopped) {
      this.turn += 1
      try {
        await this.random.pick(things).call(this)
      } catch (error) {
        if (!(error instanceof SluiceError)) throw error
        this.book.violate(`${this.hand.agent} was refused: ${JSON.stringify(error.problem)}`)
      }
      await this.gate.pass()
    }
  }

  private get own(): string {
    return `/agents/${this.hand.agent}`
  }

  /** A name remembers its last 64 former occupants (files §16), so others are used in time. */
  private get part(): string {
    return `${this.own}/part-${Math.floor(this.turn / 200)}`
  }

  private stands(path: string, content: string | Uint8Array | undefined): void {
    this.standing.set(path, content === undefined ? undefined : sha256Of(content))
  }

  private wrote(path: string, version: number, content: string | Uint8Array): void {
    this.book.wrote(path, version, content)
    this.stands(path, content)
  }

  private async small(): Promise<void> {
    const path = `${this.own}/small-${this.random.int(5)}`
    const content = `${this.turn} ${this.random.next()}`
    this.wrote(path, (await this.hand.write(path, content)).version, content)
  }

  private async large(): Promise<void> {
    const path = `${this.own}/large-${this.random.int(2)}`
    const content = this.random.bytes(150_000)
    this.wrote(path, (await this.hand.write(path, content)).version, content)
  }

  private async append(): Promise<void> {
    // Many agents, one file; a new file now and then, so that none becomes large.
    const path = `/logs/log-${Math.floor(this.turn / 50)}`
    const line = `${this.hand.agent}-${this.turn}`
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
    this.wrote(path, version, text(this.edits))
  }

  private async commit(): Promise<void> {
    const paths = ['a', 'b', 'c'].map((name) => `${this.own}/set/${name}`)
    const content = `stamp ${this.turn} ${this.random.next()}`
    this.book.committed((await this.hand.commit(paths, content)).revision, paths, content)
    for (const path of paths) this.stands(path, content)
  }

  /** What lies there has a new name, and the old name a new file, by one commit. */
  private async move(): Promise<void> {
    const path = `${this.part}/moving`
    const to = `${this.part}/moved-${this.random.int(3)}`
    const before = this.standing.get(path)
    const content = `${this.turn} ${this.random.next()}`
    const move = { op: 'move', path, to, overwrite: true } as const
    const { revision } = await this.hand.change([
      ...(before === undefined ? [] : [move]),
      { op: 'write', path, text: content },
    ])
    if (before !== undefined) this.standing.set(to, before)
    this.wrote(path, revision, content)
  }

  private async moveFolder(): Promise<void> {
    const [from, to] =
      this.standing.get(`${this.part}/left/file`) === undefined
        ? ['right', 'left']
        : ['left', 'right']
    const path = `${this.part}/${from}`
    const into = `${this.part}/${to}`
    const content = `${this.turn} ${this.random.next()}`
    const isThere = this.standing.get(`${path}/file`) !== undefined
    const { revision } = await this.hand.change([
      ...(isThere ? [{ op: 'move', path, to: into } as const] : []),
      { op: 'write', path: `${into}/file`, text: content },
    ])
    this.stands(`${path}/file`, undefined)
    this.wrote(`${into}/file`, revision, content)
  }

  private async remove(): Promise<void> {
    const path = `${this.part}/gone`
    if (this.standing.get(path) === undefined) {
      const content = String(this.turn)
      this.wrote(path, (await this.hand.write(path, content)).version, content)
      return
    }
    await this.hand.remove(path)
    this.stands(path, undefined)
    this.book.acknowledged += 1
  }

  /** Whoever is outside may come first: then this agent does not write. */
  private async contested(): Promise<void> {
    const path = `/contested/${this.random.int(4)}`
    const content = `${this.hand.agent} ${this.turn} ${this.random.next()}`
    try {
      const version = await this.hand.versionOf(path)
      this.book.wrote(path, (await this.hand.write(path, content, version)).version, content)
    } catch (error) {
      if (!(error instanceof SluiceError) || error.code !== 'stale_version') throw error
    }
  }
}
