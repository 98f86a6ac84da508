/** Locks that many want at once: a service as those who wait see it. */
export interface HotLocks {
  name: string
  /** Version, how its clients wait, and the settings that decide what that costs. */
  facts: string
  /** Worker `index`, as an owner of its own: nobody waits for itself. */
  worker(index: number): Promise<HotWorker>
  /** Tries so far that found the lock taken; absent where a waiter is told and does not try. */
  lostTries?(): number
  /** A fresh one in its place, where a service may get stuck. */
  again?(): Promise<HotLocks>
}

export interface HotWorker {
  /** Resolves when it is this worker's turn, with what gives the lock back. */
  lock(path: string): Promise<Release>
}

/** The service grants nothing any more, to nobody: what it was measured with says nothing. */
export class Stuck extends Error {
  override name = 'Stuck'
}

export type Release = () => Promise<unknown>

/** The first so many workers of a service; later calls go on from those that are there already. */
export class Crew {
  service: HotLocks
  private workers: HotWorker[] = []

  constructor(service: HotLocks) {
    this.service = service
  }

  /** What came of `play` with that many workers; nothing where the service got stuck meanwhile. */
  async perform<T>(
    size: number,
    play: (workers: readonly HotWorker[]) => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await play(await this.ofSize(size))
    } catch (error) {
      if (!(error instanceof Stuck) || this.service.again === undefined) throw error
      this.service = await this.service.again()
      this.workers = []
      return undefined
    }
  }

  private async ofSize(size: number): Promise<readonly HotWorker[]> {
    while (this.workers.length < size) {
      // Not all at once: a thousand connections would overrun what a listener keeps in line.
      const more = Math.min(50, size - this.workers.length)
      const from = this.workers.length
      const made = Array.from({ length: more }, (_, index) => this.service.worker(from + index))
      this.workers.push(...(await Promise.all(made)))
    }
    return this.workers.slice(0, size)
  }
}
