import type { Reading } from './content.ts'
import type { Version } from './evidence.ts'
import { Replay } from './replay.ts'
import type { ServerView } from './server-view.ts'

/**
 * Follows the events of a workspace and reads the content of each version while it is new. At the end of
 * hours that would take long, and a name that has had more than so many files leads to the last of them.
 */
export class LiveHistory {
  readonly replay = new Replay()
  private readonly server: ServerView
  private readonly readings = new Map<string, Promise<Reading | undefined>>()
  private readonly following: Promise<void>
  private readonly stop = new AbortController()
  private revision = 0
  private reached: { revision: number; resolve: () => void } | undefined

  constructor(server: ServerView) {
    this.server = server
    this.following = this.follow()
  }

  private async follow(): Promise<void> {
    for await (const event of this.server.events(this.stop.signal)) {
      for (const { path, revision, sha256 } of this.replay.add(event))
        await this.read(path, revision, sha256)
      this.revision = event.revision
      if (this.reached !== undefined && this.revision >= this.reached.revision)
        this.reached.resolve()
    }
  }

  /** Resolves when all events up to that revision are taken in. */
  async until(revision: number): Promise<void> {
    if (this.revision >= revision) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.reached = { revision, resolve }
    await Promise.race([promise, this.following])
  }

  /** Each content is read once. */
  contentOf({ path, revision, sha256 }: Version): Promise<Reading | undefined> {
    return this.readings.get(sha256) ?? this.read(path, revision, sha256)
  }

  private read(path: string, revision: number, sha256: string): Promise<Reading | undefined> {
    let reading = this.readings.get(sha256)
    if (reading === undefined && sha256 !== '') {
      reading = this.server.contentAt(path, revision)
      this.readings.set(sha256, reading)
    }
    return reading ?? Promise.resolve(undefined)
  }

  async close(): Promise<void> {
    this.stop.abort()
    await this.following
  }
}
