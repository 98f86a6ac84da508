/** Where time and timers come from. The simulator and tests bring their own. */
export interface Clock {
  /** Milliseconds since 1970; never steps back, whatever the wall clock does. */
  now(): number
  /** How far the wall clock has been set since, in ms; 0 where that cannot be. */
  skew?(): number
  /** Calls back once after `delayMs`; never keeps the process alive. Returns the function to cancel. */
  after(delayMs: number, callback: () => void): () => void
  /** Calls back once all that has arrived by now has run: the end of this turn of the event loop. */
  soon(callback: () => void): void
}

/** Less is drift, and shown times do not jump for it. */
const STEP_MS = 1000

/** The wall clock at start, carried on by the monotonic one. */
export function systemClock(): Clock {
  const base = Date.now() - performance.now()
  return {
    now: () => Math.floor(base + performance.now()),
    skew() {
      const ms = Math.round(Date.now() - (base + performance.now()))
      return Math.abs(ms) < STEP_MS ? 0 : ms
    },
    after(delayMs, callback) {
      const timer = setTimeout(callback, delayMs)
      timer.unref()
      return () => clearTimeout(timer)
    },
    soon: setImmediate,
  }
}
