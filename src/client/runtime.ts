import { openTransport, type Transport } from './transport.ts'

/** What the SDK takes from the machine it runs on; the simulator brings its own. */
export interface Runtime {
  /** Milliseconds on a clock that never jumps, wherever it began. */
  now(): number
  /** Calls back once after `delayMs`; the result cancels. Only what `keepsAlive` holds a program up. */
  after(delayMs: number, callback: () => void, keepsAlive: boolean): () => void
  /** Calls back once everything that is ready to run has run; browsers have only the next best. */
  soon(callback: () => void): void
  /** In [0, 1). */
  random(): number
  open(url: string): Promise<Transport>
}

export const systemRuntime: Runtime = {
  now: () => performance.now(),
  after(delayMs, callback, keepsAlive) {
    const timer: ReturnType<typeof setTimeout> | number = setTimeout(callback, delayMs)
    if (!keepsAlive && typeof timer === 'object') timer.unref?.()
    return () => clearTimeout(timer)
  },
  soon(callback) {
    if (typeof setImmediate === 'function') setImmediate(callback)
    else queueMicrotask(callback)
  },
  random: () => Math.random(),
  open: openTransport,
}
