/**
 * Byte ranges of one file (locks §5). Bytes `[start, end)`; `end` infinite: to the end of the file
 * and whatever is appended. An empty range is a point between two bytes: where an insertion goes, or
 * what is left of a range whose bytes its holder deleted.
 */
export interface Range {
  start: number
  end: number
}

export interface Splice {
  start: number
  end: number
  /** Bytes that stand there now instead of `[start, end)`. */
  size: number
}

/** A point overlaps what it lies strictly inside of: at the edge of a range it leaves it alone. */
export function overlaps(a: Range, b: Range): boolean {
  return a.start < b.end && b.start < a.end
}

export function contains(outer: Range, inner: Range): boolean {
  return outer.start <= inner.start && inner.end <= outer.end
}

/**
 * Where a range lies after a change of the file. Every place in the file has one place afterwards, in
 * the same order, so ranges that were apart stay apart.
 *
 * @param own the change was made by the holder: what it inserts at the end is its own
 */
export function reanchored(range: Range, splice: Splice, own: boolean): Range {
  const isInsertion = splice.start === splice.end
  const edge = (at: number, grows: boolean): number =>
    isInsertion && at === splice.start ? at + (grows ? splice.size : 0) : placeAfter(at, splice)
  // What its holder deleted to nothing grows again where it was.
  const start = edge(range.start, !own || range.start < range.end)
  return { start, end: Math.max(start, edge(range.end, own)) }
}

/** What lay inside the bytes that were replaced lies as far into those that replace them, or at
 * their end. */
function placeAfter(at: number, { start, end, size }: Splice): number {
  if (at <= start) return at
  return at >= end ? at + size - (end - start) : Math.min(at, start + size)
}

/**
 * Ranges of one file with whatever lies on them, sorted by start, with the running maximum of their
 * ends: an interval tree laid out in an array. A query skips all that end before it by a binary
 * search on the maxima. Adding one moves the tail, which every change of the file has to touch anyway.
 */
export class RangeList<T extends { range: Range }> {
  private readonly list: T[] = []
  private readonly maxEnd: number[] = []

  get size(): number {
    return this.list.length
  }

  add(one: T): void {
    let index = this.list.length
    while (index > 0 && (this.list[index - 1] as T).range.start > one.range.start) index -= 1
    this.list.splice(index, 0, one)
    this.measureFrom(index)
  }

  delete(one: T): void {
    const index = this.list.indexOf(one)
    if (index < 0) return
    this.list.splice(index, 1)
    this.maxEnd.pop()
    this.measureFrom(index)
  }

  /** All that overlap a range, by start. */
  *overlapping(range: Range): Generator<T> {
    let low = 0
    let high = this.list.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.maxEnd[middle] as number) < range.start) low = middle + 1
      else high = middle
    }
    for (let index = low; index < this.list.length; index++) {
      const one = this.list[index] as T
      if (one.range.start > range.end) return
      if (overlaps(one.range, range)) yield one
    }
  }

  /** Moves every range along with a change of the file. */
  reanchor(splice: Splice, isOwn: (one: T) => boolean): void {
    for (const one of this.list) one.range = reanchored(one.range, splice, isOwn(one))
    // Two that began together may have come apart at an insertion.
    this.list.sort((a, b) => a.range.start - b.range.start)
    this.measureFrom(0)
  }

  [Symbol.iterator](): ArrayIterator<T> {
    return this.list.values()
  }

  private measureFrom(index: number): void {
    let most = index === 0 ? Number.NEGATIVE_INFINITY : (this.maxEnd[index - 1] as number)
    for (let i = index; i < this.list.length; i++) {
      most = Math.max(most, (this.list[i] as T).range.end)
      this.maxEnd[i] = most
    }
  }
}
