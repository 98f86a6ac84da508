/**
 * A map that keeps its newest `limit` keys. The order is kept in a ring beside the map: asking a
 * JavaScript Map for its oldest key again and again walks over all that were deleted before it.
 */
export class BoundedMap<K, V> {
  limit: number
  private readonly map = new Map<K, V>()
  private ring: (K | undefined)[] = []
  private start = 0

  constructor(limit: number) {
    this.limit = limit
  }

  get(key: K): V | undefined {
    return this.map.get(key)
  }

  has(key: K): boolean {
    return this.map.has(key)
  }

  get size(): number {
    return this.map.size
  }

  /** A key that is there already keeps its age. */
  set(key: K, value: V): void {
    const { size } = this.map
    this.map.set(key, value)
    if (this.map.size === size) return
    this.ring.push(key)
    while (this.map.size > this.limit) this.dropOldest()
  }

  /** What is deleted frees its place only when the ring comes round to it. */
  delete(key: K): boolean {
    return this.map.delete(key)
  }

  entries(): MapIterator<[K, V]> {
    return this.map.entries()
  }

  values(): MapIterator<V> {
    return this.map.values()
  }

  private dropOldest(): void {
    this.map.delete(this.ring[this.start] as K)
    this.ring[this.start] = undefined
    this.start += 1
    if (this.start < 64 || this.start * 2 < this.ring.length) return
    this.ring = this.ring.slice(this.start)
    this.start = 0
  }
}
