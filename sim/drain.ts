/**
 * Runs every microtask that is ready, and those they make, before it returns.
 *
 * `process._tickCallback` is what Node itself calls between two macrotasks. It is not documented, but
 * nothing else drains the queue from inside a callback, and waiting for a real turn of the event loop
 * costs more than everything a simulated event does. Here a run is one synchronous loop.
 *
 * It works in a macrotask only: inside a microtask the queue is being drained already and V8 does not
 * begin again.
 */
const tick = (process as unknown as { _tickCallback?: () => void })._tickCallback

export const drain: () => void =
  tick ??
  (() => {
    throw new Error(UNUSABLE)
  })

const UNUSABLE =
  'This Node has no process._tickCallback that drains microtasks; the simulator needs it.'

/** Throws unless `drain` does what it says, here and now. */
export function assertDrains(): void {
  let depth = 0
  const deeper = async (): Promise<void> => {
    for (let i = 0; i < 3; i++) {
      await undefined
      depth += 1
    }
  }
  void deeper()
  drain()
  if (depth !== 3) throw new Error(UNUSABLE)
}

/** Rejections that nobody heard, since the last time somebody asked: each is a fault of some code. */
const unheard: unknown[] = []

export function takeUnheard(): unknown[] {
  return unheard.splice(0)
}

/** From here on they do not end the process. */
export function collectUnheard(): void {
  if (isCollecting) return
  isCollecting = true
  process.on('unhandledRejection', (reason) => unheard.push(reason))
}

let isCollecting = false

/** Calls `work` where `drain` works, and gives its result. */
export function inMacrotask<T>(work: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    setImmediate(() => {
      try {
        resolve(work())
      } catch (error) {
        reject(error)
      }
    })
  })
}
