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
    else this.append(key)
    while (this.map.size > this.limit) this.dropOldest()
  }

  /** What is deleted frees its place when the ring comes round to it, or is full. */
  delete(key: K): boolean {
    return this.map.delete(key)
  }

  entries(): MapIterator<[K, V]> {
    return this.map.entries()
  }

  values(): MapIterator<V> {
    return this.map.values()
  }

  private append(key: K): void {
    this.ring[(this.oldest + this.kept) & (this.ring.length - 1)] = key
    this.kept += 1
  }

  private dropOldest(): void {
    this.map.delete(this.ring[this.oldest] as K)
    this.ring[this.oldest] = undefined
    this.oldest = (this.oldest + 1) & (this.ring.length - 1)
    this.kept -= 1
  }

  /**
   * Begins anew with the keys that are there, which a Map keeps in the order they came: what was deleted
   * takes no place any longer. A power of two, so that a place is found by a mask.
   */
  private widen(): void {
    this.ring = [...this.map.keys()]
    this.oldest = 0
    this.kept = this.ring.length
    let size = 16
    while (size < 2 * this.kept) size *= 2
    this.ring.length = size
  }
}
