/**
 * Keys by the time they are due, in buckets of a second: setting, moving and dropping one costs the
 * same with ten and with a hundred thousand.
 */
export class Wheel<K> {
  private readonly entries = new Map<K, { at: number; second: number }>()
  private readonly buckets = new Map<number, Set<K>>()
  private sweptTo: number

  constructor(now: number) {
    this.sweptTo = secondOf(now)
  }

  get size(): number {
    return this.entries.size
  }

  /** @param at milliseconds since 1970; what is past is due at once. */
  set(key: K, at: number): void {
    this.delete(key)
    const second = Math.max(secondOf(at), this.sweptTo)
    this.entries.set(key, { at, second })
    const bucket = this.buckets.get(second)
    if (bucket === undefined) this.buckets.set(second, new Set([key]))
    else bucket.add(key)
  }

  at(key: K): number | undefined {
    return this.entries.get(key)?.at
  }

  delete(key: K): void {
    const entry = this.entries.get(key)
    if (entry === undefined) return
    this.entries.delete(key)
    const bucket = this.buckets.get(entry.second)
    bucket?.delete(key)
    if (bucket?.size === 0) this.buckets.delete(entry.second)
  }

  /** Takes out what is due by now, at most `limit`; the rest comes with the next call. */
  take(now: number, limit: number): K[] {
    const due: K[] = []
    const end = secondOf(now)
    for (let second = this.sweptTo; second <= end; second++) {
      for (const key of this.buckets.get(second) ?? []) {
        if ((this.entries.get(key)?.at as number) > now) continue
        if (due.length === limit) return due
        due.push(key)
        this.delete(key)
      }
      this.sweptTo = second
    }
    return due
  }
}

function secondOf(at: number): number {
  return Math.floor(at / 1000)
}
