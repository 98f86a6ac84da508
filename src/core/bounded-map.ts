/**
 * A map that keeps its newest `limit` keys. The order is kept in a ring beside the map: asking a
 * JavaScript Map for its oldest key again and again walks over all that were deleted before it.
 */
export class BoundedMap<K, V> {
  limit: number
  private readonly map = new Map<K, V>()
  private ring: (K | undefined)[] = []
  private oldest = 0
  private kept = 0

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
    if (this.kept === this.ring.length) this.widen()
    this.ring[(this.oldest + this.kept) & (this.ring.length - 1)] = key
    this.kept += 1
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
    this.map.delete(this.ring[this.oldest] as K)
    this.ring[this.oldest] = undefined
    this.oldest = (this.oldest + 1) & (this.ring.length - 1)
    this.kept -= 1
  }

  /** A power of two, so that a place is found by a mask. */
  private widen(): void {
    const { ring, oldest } = this
    const size = Math.max(16, ring.length * 2)
    this.ring = [...ring.slice(oldest), ...ring.slice(0, oldest)]
    this.ring.length = size
    this.oldest = 0
  }
}
