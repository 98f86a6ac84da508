/**
 * A map that keeps at least its newest `limit` keys, and fewer than twice as many. There are two maps:
 * what is set goes to the newer, and when that is full, the older is forgotten whole. To forget keys one
 * by one would mean to look up each of them once more, long after it has left the processor's cache.
 */
export class BoundedMap<K, V extends object | string | number | null> {
  limit: number
  private newer = new Map<K, V>()
  private older = new Map<K, V>()

  constructor(limit: number) {
    this.limit = limit
  }

  get(key: K): V | undefined {
    const value = this.newer.get(key)
    return value === undefined ? this.older.get(key) : value
  }

  has(key: K): boolean {
    return this.newer.has(key) || this.older.has(key)
  }

  get isEmpty(): boolean {
    return this.newer.size === 0 && this.older.size === 0
  }

  /** A key that is set again is as new as any. */
  set(key: K, value: V): void {
    this.newer.set(key, value)
    if (this.newer.size < this.limit) return
    this.older = this.newer
    this.newer = new Map()
  }

  delete(key: K): void {
    this.newer.delete(key)
    this.older.delete(key)
  }

  /** The oldest first. */
  *entries(): Generator<[K, V]> {
    for (const entry of this.older) if (!this.newer.has(entry[0])) yield entry
    yield* this.newer
  }

  /** Calls with the newest, `limit` at most, the oldest of them first. */
  forEachNewest(callback: (value: V, key: K) => void): void {
    let passed = this.newer.size + this.older.size - this.limit
    this.older.forEach((value, key) => {
      passed -= 1
      if (passed < 0 && !this.newer.has(key)) callback(value, key)
    })
    this.newer.forEach(callback)
  }

  *values(): Generator<V> {
    for (const [, value] of this.entries()) yield value
  }
}
