import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Output } from '../../src/contract/operations.ts'
import { type Book, sha256Of } from './book.ts'
import { factsIn } from './examine.ts'
import type { FolderWorker } from './folder-worker.ts'
import type { Outsider } from './outsider.ts'

/** What holds of a folder once its server has been started and nobody is at work (folder §6, §7, §9). */
export class FolderVerifier {
  private readonly url: string
  private readonly token: string
  private readonly root: string
  private readonly book: Book
  checked = 0

  constructor(url: string, token: string, root: string, book: Book) {
    this.url = url
    this.token = token
    this.root = root
    this.book = book
  }

  async verify(workers: readonly FolderWorker[], outsider: Outsider): Promise<void> {
    const disk = filesIn(this.root)
    for (const worker of workers) this.acknowledged(worker, disk)
    await this.outside(outsider, disk)
    await this.heads()
  }

  /** In its own part of the folder stands what an agent was last told, to the byte. */
  private acknowledged({ standing }: FolderWorker, disk: ReadonlyMap<string, string>): void {
    for (const [path, sha256] of standing) {
      this.expect(disk.get(path) === sha256, () => {
        return `folder §6: ${path} should be ${sha256 ?? 'gone'}, and is ${disk.get(path) ?? 'gone'}`
      })
    }
  }

  /** What somebody outside wrote last stands in the folder, or in the history. */
  private async outside({ last }: Outsider, disk: ReadonlyMap<string, string>): Promise<void> {
    for (const [path, sha256] of last) {
      const isContested = path.startsWith('/contested/')
      if (disk.get(path) === sha256) continue
      this.expect(isContested, () => {
        return `${path} was left as ${sha256 ?? 'gone'} outside, and is ${disk.get(path) ?? 'gone'}`
      })
      if (!isContested) continue
      const { versions } = (await this.json(`/history${path}?limit=1000`)) as Output<'get_history'>
      this.expect(
        versions.some((one) => one.sha256 === sha256),
        () => {
          return `folder §7: what was written to ${path} outside is neither there nor in its history`
        },
      )
    }
  }

  /** What a listing says without looking into any file is what the disk has. */
  private async heads(): Promise<void> {
    let differences: string[] = []
    for (const deadline = Date.now() + 10_000; Date.now() < deadline; await sleep(25)) {
      differences = await this.differences()
      if (differences.length === 0) break
    }
    this.expect(differences.length === 0, () => {
      return `folder §9: folder and heads differ: ${differences.slice(0, 5).join('; ')}`
    })
  }

  private async differences(): Promise<string[]> {
    const disk = filesIn(this.root)
    const found: string[] = []
    for (const one of await this.listed()) {
      if (one.kind !== 'file') continue
      const { path, version, sha256 } = one
      const there = disk.get(path)
      disk.delete(path)
      const isSame = version > 0 && (sha256 === undefined || sha256 === '' || sha256 === there)
      if (!isSame) found.push(`${path} version ${version} is ${sha256}, the disk has ${there}`)
    }
    return [...found, ...[...disk.keys()].map((path) => `${path} is not listed`)]
  }

  private async listed() {
    const all: Extract<Output<'get_entry'>, { kind: 'folder' }>['entries'] = []
    for (let from = ''; ; ) {
      const entry = (await this.json(`/entries/?depth=64${from}`)) as Output<'get_entry'>
      if (entry.kind !== 'folder') throw new Error(`no listing: ${JSON.stringify(entry)}`)
      all.push(...entry.entries)
      if (entry.cursor === undefined) return all
      from = `&cursor=${encodeURIComponent(entry.cursor)}`
    }
  }

  /** After a clean stop: nothing of ours is left, and nothing of ours was ever taken for theirs. */
  async afterStop(data: string): Promise<void> {
    for (const name of ['new', 'held']) {
      const left = readdirSync(join(this.root, '.sluice', name))
      this.expect(left.length === 0, () => `folder §15: .sluice/${name} has ${left.join(', ')}`)
    }
    for (const event of await factsIn(data)) {
      if (event.kind !== 'files-committed' || event.agent !== 'outside') continue
      const ours = event.changes.filter(({ op, path }) => {
        return op !== 'make-folder' && (path.startsWith('/agents/') || path.startsWith('/logs/'))
      })
      this.expect(ours.length === 0, () => {
        return `folder §13: revision ${event.revision} takes ours for theirs: ${JSON.stringify(ours)}`
      })
    }
  }

  private expect(isRight: boolean, what: () => string): void {
    this.checked += 1
    if (!isRight) this.book.violate(what())
  }

  private async json(path: string): Promise<unknown> {
    const headers = { authorization: `Bearer ${this.token}`, 'sluice-session': 'verifier' }
    return (await fetch(`${this.url}/v1/workspaces/main${path}`, { headers })).json()
  }
}

/** Hashes of all files outside of our own folder, by path from the root. */
export function filesIn(root: string): Map<string, string> {
  const found = new Map<string, string>()
  const walk = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name)
      if (entry.name === '.sluice') continue
      if (entry.isDirectory()) walk(path)
      else found.set(`/${relative(root, path)}`, sha256Of(readFileSync(path)))
    }
  }
  walk(root)
  return found
}
