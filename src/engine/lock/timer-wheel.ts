import { TransientSet } from '../../contract/transient.ts'

/**
 * Things by the time they are due, in buckets of a second: placing, moving and dropping one costs the
 * same with ten and with a hundred thousand. Each keeps its own place, so that nothing is looked up.
 */
export class Wheel<T extends Placed> {
  private readonly buckets = new Map<number, TransientSet<T>>()
  private sweptTo: number

  constructor(now: number) {
    this.sweptTo = secondOf(now)
  }

  /** @param at milliseconds since 1970; what is past is due at once. */
  place(thing: T, at: number): void {
    this.drop(thing)
    const second = Math.max(secondOf(at), this.sweptTo)
    thing.at = at
    thing.second = second
    let bucket = this.buckets.get(second)
    if (bucket === undefined) {
      bucket = new TransientSet()
      this.buckets.set(second, bucket)
    }
    bucket.add(thing)
  }

  drop(thing: T): void {
    const { second } = thing
    if (second === undefined) return
    thing.second = undefined
    const bucket = this.buckets.get(second)
    bucket?.delete(thing)
    if (bucket?.size === 0) this.buckets.delete(second)
  }

  /** Takes out what is due by now, at most `limit`; the rest comes with the next call. */
  take(now: number, limit: number): T[] {
    const due: T[] = []
    const end = secondOf(now)
    for (let second = this.sweptTo; second <= end; second++) {
      for (const thing of this.buckets.get(second) ?? []) {
        if (thing.at > now) continue
        if (due.length === limit) return due
        due.push(thing)
        this.drop(thing)
      }
      this.sweptTo = second
    }
    return due
  }
}

/** What can stand in one wheel. */
export interface Placed {
  /** Milliseconds since 1970. */
  at: number
  /** Of its bucket; undefined: it stands in none. */
  second: number | undefined
}

function secondOf(at: number): number {
  return Math.floor(at / 1000)
}
