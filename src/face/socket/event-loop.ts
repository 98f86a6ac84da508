/** Time and turns of the event loop, as a connection needs them; the simulator brings its own. */
export interface EventLoop {
  /** Milliseconds on a clock that never steps back. */
  now(): number
  /** Calls back once after `delayMs`. Returns the function to cancel. */
  after(delayMs: number, callback: () => void): () => void
  /** Calls back at the end of this turn. */
  soon(callback: () => void): void
}

export const systemEventLoop: EventLoop = {
  now: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  },
  soon: setImmediate,
}
