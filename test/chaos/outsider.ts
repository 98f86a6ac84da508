import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sha256Of } from './book.ts'
import type { Random } from './random.ts'

/**
 * Somebody who works in the folder and knows of no server: an editor, a shell. Writes into files that
 * agents write too, and has some for itself.
 */
export class Outsider {
  /** What it last wrote, by path from the root; undefined: it took it away. */
  readonly last = new Map<string, string | undefined>()
  writes = 0
  private readonly root: string
  private readonly random: Random
  private isStopped = false
  private isResting = false

  constructor(root: string, random: Random) {
    this.root = root
    this.random = random
  }

  stop(): void {
    this.isStopped = true
  }

  rest(): void {
    this.isResting = true
  }

  goOn(): void {
    this.isResting = false
  }

  async run(): Promise<void> {
    const things = [
      ...[this.contested, this.contested, this.inPlace, this.renamedOver],
      ...[this.rename, this.remove, this.tree],
    ]
    while (!this.isStopped) {
      if (!this.isResting) {
        this.writes += 1
        this.random.pick(things).call(this)
      }
      await sleep(this.random.int(80))
    }
  }

  private put(path: string, content: string): void {
    const file = join(this.root, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
    this.last.set(path, sha256Of(content))
  }

  private get content(): string {
    return `outside ${this.writes} ${this.random.next()}`
  }

  /** Into the file, as most editors save: a rename right there could come between two calls of ours. */
  private contested(): void {
    this.put(`/contested/${this.random.int(4)}`, this.content)
  }

  private inPlace(): void {
    this.put(`/outside/file-${this.random.int(5)}`, this.content)
  }

  private renamedOver(): void {
    const path = `/outside/file-${this.random.int(5)}`
    const draft = join(this.root, `${path}.tmp`)
    const { content } = this
    mkdirSync(dirname(draft), { recursive: true })
    writeFileSync(draft, content)
    renameSync(draft, join(this.root, path))
    this.last.set(path, sha256Of(content))
  }

  private rename(): void {
    const from = `/outside/file-${this.random.int(5)}`
    const to = `/outside/file-${this.random.int(5)}`
    const content = this.last.get(from)
    if (content === undefined || from === to) return
    renameSync(join(this.root, from), join(this.root, to))
    this.last.set(from, undefined)
    this.last.set(to, content)
  }

  private remove(): void {
    const path = `/outside/file-${this.random.int(5)}`
    rmSync(join(this.root, path), { force: true })
    this.last.set(path, undefined)
  }

  /** A folder that is there and gone again, as builds make them. */
  private tree(): void {
    const folder = `/outside/tree-${this.random.int(2)}`
    if (this.last.get(`${folder}/deep/a`) === undefined) {
      for (const name of ['a', 'b', 'c']) this.put(`${folder}/deep/${name}`, this.content)
      return
    }
    rmSync(join(this.root, folder), { recursive: true })
    for (const name of ['a', 'b', 'c']) this.last.set(`${folder}/deep/${name}`, undefined)
  }
}
