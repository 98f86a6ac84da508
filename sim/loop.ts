import { drain } from './drain.ts'

/**
 * A program that runs in the simulation: a client's or the server's. One that has ended gets no call
 * any more; one that is stopped (SIGSTOP) gets its calls, in order, when it goes on.
 */
export class Program {
  readonly name: string
  isAlive = true
  stoppedUntil = 0

  constructor(name: string) {
    this.name = name
  }

  /** Never shortens a stop: what waits for its end would be overtaken by what comes after. */
  stop(until: number): void {
    this.stoppedUntil = Math.max(this.stoppedUntil, until)
  }
}

interface Entry {
  time: number
  sequence: number
  program: Program
  callback: (() => void) | undefined
}

/**
 * The one source of everything that happens: a heap of events ordered by (time, sequence). An event is
 * a callback; after it every microtask it made ready is run, then comes the next. Nothing waits for a
 * turn of the real event loop, so a run is as quick as its code, and the same each time.
 */
export class Loop {
  /** Milliseconds since the run began. */
  now = 0
  /** Events so far: a finer clock than time, on which no two things are at once. */
  step = 0
  private sequence = 0
  private readonly heap: Entry[] = []

  /** Calls back at `time`, within `program`. Returns the function to cancel. */
  at(time: number, program: Program, callback: () => void): () => void {
    const entry: Entry = {
      time: Math.max(time, this.now),
      sequence: this.sequence++,
      program,
      callback,
    }
    this.push(entry)
    return () => {
      entry.callback = undefined
    }
  }

  after(delayMs: number, program: Program, callback: () => void): () => void {
    return this.at(this.now + delayMs, program, callback)
  }

  /** Runs events until `isOver`, or none is left. */
  run(isOver: () => boolean): void {
    while (!isOver()) {
      const entry = this.pop()
      if (entry === undefined) return
      const { callback, program } = entry
      if (callback === undefined || !program.isAlive) continue
      if (program.stoppedUntil > entry.time) {
        entry.time = program.stoppedUntil
        this.push(entry)
        continue
      }
      this.now = entry.time
      this.step += 1
      callback()
      drain()
    }
  }

  private push(entry: Entry): void {
    const { heap } = this
    let index = heap.length
    heap.push(entry)
    while (index > 0) {
      const above = (index - 1) >>> 1
      const parent = heap[above] as Entry
      if (!isBefore(entry, parent)) break
      heap[index] = parent
      index = above
    }
    heap[index] = entry
  }

  private pop(): Entry | undefined {
    const { heap } = this
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    let index = 0
    for (;;) {
      let below = 2 * index + 1
      if (below >= heap.length) break
      const right = below + 1
      if (right < heap.length && isBefore(heap[right] as Entry, heap[below] as Entry)) below = right
      const child = heap[below] as Entry
      if (!isBefore(child, last)) break
      heap[index] = child
      index = below
    }
    heap[index] = last
    return first
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.time < b.time || (a.time === b.time && a.sequence < b.sequence)
}
