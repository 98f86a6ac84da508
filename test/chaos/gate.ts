/** Where those who work stop while it is closed, so that what they did can be looked at. */
export class Gate {
  private closed: PromiseWithResolvers<void> | undefined
  private allParked: PromiseWithResolvers<void> | undefined
  private parked = 0
  private readonly workers: number

  constructor(workers: number) {
    this.workers = workers
  }

  /** Between two things that a worker does. */
  async pass(): Promise<void> {
    if (this.closed === undefined) return
    this.parked += 1
    if (this.parked === this.workers) this.allParked?.resolve()
    await this.closed.promise
  }

  /** Resolves when nobody is at work: all that was begun is answered. */
  async close(): Promise<void> {
    this.closed ??= Promise.withResolvers<void>()
    this.allParked ??= Promise.withResolvers<void>()
    await this.allParked.promise
  }

  open(): void {
    this.closed?.resolve()
    this.closed = undefined
    this.allParked = undefined
    this.parked = 0
  }
}
