import { StreamFailed } from './stream-failed.ts'

/**
 * Whoever waits for facts to be durable. All that gathers for one batch shares one promise, so that a
 * batch wakes a handful, however many wait.
 */
export class Settlement {
  /** By their last revision. */
  private waiters: Waiter[] = []
  /** What is decided now may go with the same batch as what the last waiter waits for. */
  private isOpen = false

  /** @param newest the last revision that is decided */
  until(revision: number, newest: number): Promise<void> {
    for (const waiter of this.waiters) {
      if (waiter.from <= revision && revision <= waiter.revision) return waiter.promise
    }
    const last = this.waiters.at(-1)
    if (last !== undefined && this.isOpen && last.from <= revision) {
      last.revision = newest
      return last.promise
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    // Nobody may be left who waits when it fails.
    promise.catch(() => {})
    this.waiters.push({ from: revision, revision: newest, promise, resolve, reject })
    this.isOpen = true
    return promise
  }

  /** What is decided from now on is waited for apart. */
  seal(): void {
    this.isOpen = false
  }

  /** Everything up to `durable` is. */
  settle(durable: number): void {
    let count = 0
    while (count < this.waiters.length && (this.waiters[count] as Waiter).revision <= durable) {
      count += 1
    }
    for (const waiter of this.waiters.splice(0, count)) waiter.resolve()
  }

  /** Of an append that failed: what is to come of them is known later. */
  takeAll(): Unsettled {
    return new Unsettled(this.waiters.splice(0))
  }
}

/** Those whose facts may be stored or lost. Each is told once. */
export class Unsettled {
  private waiters: Waiter[]

  constructor(waiters: Waiter[]) {
    this.waiters = waiters
  }

  /** It is known again what is stored. */
  tell(durable: number, cause: Error): void {
    for (const waiter of this.waiters.splice(0)) {
      if (waiter.revision <= durable) waiter.resolve()
      else waiter.reject(new StreamFailed(cause, waiter.from <= durable))
    }
  }

  /** Nothing of it is stored. */
  lost(cause: Error): void {
    for (const waiter of this.waiters.splice(0)) waiter.reject(new StreamFailed(cause))
  }

  /** Nobody can say now. */
  unknown(cause: Error): void {
    for (const waiter of this.waiters.splice(0)) waiter.reject(new StreamFailed(cause, true))
  }
}

interface Waiter {
  /** Serves whoever waits for one of the revisions `from` to `revision`. */
  from: number
  revision: number
  promise: Promise<void>
  resolve: () => void
  reject: (error: Error) => void
}
