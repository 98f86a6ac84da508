import type { Output } from '../../src/contract/operations.ts'
import { type Book, excludes, type Held, sha256Of } from './book.ts'

/**
 * Asks a server that has come back whether it kept what was promised. The load goes on meanwhile, so
 * each question is one whose answer cannot have changed: old versions stay, held locks are held.
 */
export class Verifier {
  private readonly url: string
  private readonly token: string
  private readonly book: Book
  private writtenSeen = 0
  private commitsSeen = 0
  checked = 0

  constructor(url: string, token: string, book: Book) {
    this.url = url
    this.token = token
    this.book = book
  }

  /** `whole`: everything since the beginning; else what was promised since the last time. */
  async verify(whole = false): Promise<void> {
    await this.locks()
    if (whole) {
      this.writtenSeen = 0
      this.commitsSeen = 0
    }
    await this.contents()
    await this.commits()
    await this.lines(whole)
    await this.audit()
  }

  private async locks(): Promise<void> {
    const before = this.inState('held')
    const gone = this.inState('released')
    const { locks } = (await this.json('/locks?limit=1000')) as Output<'list_locks'>
    const listed = new Map(locks.map((lock) => [lock.id, lock]))
    for (const held of before) {
      // Given back while we asked: nothing can be said of it.
      if (held.state !== 'held') continue
      const lock = listed.get(held.id)
      this.expect(lock?.session === held.session && lock.owner === held.agent, () => {
        return `I14: ${held.agent} holds ${held.id} on ${held.path}; the server lists ${JSON.stringify(lock)}`
      })
    }
    for (const { id } of gone) {
      this.expect(!listed.has(id), () => `${id} was given back and is listed again`)
      this.book.locks.delete(id)
    }
    this.noTwo(locks)
  }

  private noTwo(locks: Output<'list_locks'>['locks']): void {
    for (const [index, one] of locks.entries()) {
      for (const other of locks.slice(index + 1)) {
        const isSame = one.items[0]?.path === other.items[0]?.path && one.session !== other.session
        this.expect(!isSame || !excludes(one.level, other.level), () => {
          return `I1: ${one.id} and ${other.id} are both held: ${JSON.stringify([one, other])}`
        })
      }
    }
  }

  private inState(state: Held['state']): Held[] {
    return [...this.book.locks.values()].filter((held) => held.state === state)
  }

  private async contents(): Promise<void> {
    const fresh = this.book.written.slice(this.writtenSeen)
    this.writtenSeen += fresh.length
    await inParallel(fresh, async ({ path, version, sha256 }) => {
      if (sha256 === undefined) return this.deleted(path, version)
      const response = await this.ask(`/files${path}?at=${version}`)
      const bytes = new Uint8Array(await response.arrayBuffer())
      this.expect(response.status === 200 && sha256Of(bytes) === sha256, () => {
        return `I14: ${path} version ${version} was acknowledged and reads as ${response.status}`
      })
    })
  }

  private async deleted(path: string, version: number): Promise<void> {
    const history = (await this.json(
      `/history${path}?limit=1&before=${version + 1}`,
    )) as Output<'get_history'>
    const [last] = history.versions
    this.expect(last?.version === version && last.how === 'delete', () => {
      return `I14: the delete of ${path} at ${version} was acknowledged; history says ${JSON.stringify(last)}`
    })
  }

  private async commits(): Promise<void> {
    const fresh = this.book.commits.slice(this.commitsSeen)
    this.commitsSeen += fresh.length
    await inParallel(fresh, async ({ revision, paths, sha256 }) => {
      for (const path of paths) {
        const response = await this.ask(`/files${path}?at=${revision}`)
        const bytes = new Uint8Array(await response.arrayBuffer())
        this.expect(response.status === 200 && sha256Of(bytes) === sha256, () => {
          return `I6: ${path} at ${revision} is not what its commit wrote (${response.status})`
        })
      }
    })
    await this.noHalf(fresh.at(-1)?.paths[0])
  }

  /** Acknowledged or not, a commit is there with all of its files or with none. */
  private async noHalf(path: string | undefined): Promise<void> {
    if (path === undefined) return
    const folder = path.slice(0, path.lastIndexOf('/'))
    const entry = (await this.json(`/entries${folder}`)) as Output<'get_entry'>
    if (entry.kind !== 'folder') return
    const files = entry.entries.filter((one) => one.kind === 'file')
    const kinds = new Set(files.map((file) => `${file.version} ${file.sha256}`))
    this.expect(files.length === 3 && kinds.size === 1, () => {
      return `I6: ${folder} is half of a commit: ${JSON.stringify(files)}`
    })
  }

  private async lines(whole: boolean): Promise<void> {
    const files = [...this.book.lines].slice(whole ? 0 : -3)
    for (const [path, lines] of files) {
      const promised = [...lines].filter(([, isAcknowledged]) => isAcknowledged)
      const response = await this.ask(`/files${path}`)
      if (response.status === 404 && promised.length === 0) continue
      const counts = new Map<string, number>()
      for (const line of (await response.text()).split('\n')) {
        if (line !== '') counts.set(line, (counts.get(line) ?? 0) + 1)
      }
      for (const [line] of promised) {
        this.expect(counts.get(line) === 1, () => {
          return `files §11: ${line} was appended to ${path} once and stands there ${counts.get(line) ?? 0} times`
        })
      }
      for (const [line, count] of counts) {
        this.expect(count === 1 && lines.has(line), () => `${path} has ${line} ${count} times`)
      }
    }
  }

  private async audit(): Promise<void> {
    const verified = (await this.json('/audit/verify')) as Output<'verify_audit'>
    this.expect(verified.ok, () => `the audit does not verify: ${JSON.stringify(verified)}`)
  }

  private expect(isRight: boolean, what: () => string): void {
    this.checked += 1
    if (!isRight) this.book.violate(what())
  }

  private ask(path: string): Promise<Response> {
    const headers = { authorization: `Bearer ${this.token}`, 'sluice-session': 'verifier' }
    return fetch(`${this.url}/v1/workspaces/main${path}`, { headers })
  }

  private async json(path: string): Promise<unknown> {
    return (await this.ask(path)).json()
  }
}

async function inParallel<T>(list: readonly T[], task: (one: T) => Promise<void>): Promise<void> {
  const rest = list.values()
  const lane = async () => {
    for (const one of rest) await task(one)
  }
  await Promise.all([lane(), lane(), lane(), lane()])
}
