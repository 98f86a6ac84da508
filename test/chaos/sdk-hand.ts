import { connect, type Lock, type Sluice, SluiceError } from '../../src/client/index.ts'
import { type Changes, type Hand, type Level, LOCK_TTL_S, LOCK_WAIT_S } from './hand.ts'

/** The SDK: it comes back by itself and asks again with the same request id. */
export class SdkHand implements Hand {
  readonly agent: string
  private readonly sluice: Sluice
  private readonly locks = new Map<string, Lock>()

  private constructor(agent: string, sluice: Sluice) {
    this.agent = agent
    this.sluice = sluice
  }

  static async open(url: string, token: string, agent: string): Promise<SdkHand> {
    return new SdkHand(agent, await connect({ url, token, retryMs: 300_000 }))
  }

  get session(): string {
    return this.sluice.session
  }

  private get files() {
    return this.sluice.workspace('main')
  }

  write(path: string, content: string | Uint8Array<ArrayBuffer>, ifVersion?: number) {
    return this.files.write(path, content, ifVersion === undefined ? {} : { ifVersion })
  }

  async versionOf(path: string) {
    try {
      return (await this.files.read(path)).version
    } catch (error) {
      if (error instanceof SluiceError && error.code === 'not_found') return 0
      throw error
    }
  }

  append(path: string, text: string) {
    return this.files.append(path, text)
  }

  edit(path: string, oldText: string, newText: string) {
    return this.files.edit(path, [{ oldText, newText }])
  }

  remove(path: string) {
    return this.files.delete(path)
  }

  commit(paths: readonly string[], content: string) {
    return this.files.commit(paths.map((path) => ({ op: 'write', path, text: content })))
  }

  change(changes: Changes) {
    return this.files.commit(changes)
  }

  async acquire(path: string, level: Level) {
    try {
      const lock = await this.files.lock(path, { level, ttl: LOCK_TTL_S, wait: LOCK_WAIT_S })
      this.locks.set(lock.id, lock)
      return { id: lock.id }
    } catch (error) {
      if (error instanceof SluiceError && error.code === 'lock_conflict') return undefined
      throw error
    }
  }

  async release(id: string) {
    await this.locks.get(id)?.release()
    this.locks.delete(id)
  }

  close() {
    return this.sluice.close()
  }
}
