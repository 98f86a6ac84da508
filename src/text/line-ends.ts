/** Where lines end in bytes of text: `\n` is one byte, or two of UTF-16 that begin at an even place. */
export interface LineEnds {
  /** Bytes of a line end, and of the least character. */
  width: 1 | 2
  /** Behind the first line end at or after `from`, or -1. `position`: where in the file `bytes` begin. */
  next(bytes: Uint8Array, from: number, position: number): number
  /** Behind the last line end that ends at or before `to`, or -1. */
  last(bytes: Uint8Array, to: number, position: number): number
}

export function lineEndsOf(wide: 'utf-16le' | 'utf-16be' | undefined): LineEnds {
  if (wide === undefined) return NARROW
  return wide === 'utf-16le' ? LITTLE : BIG
}

const NARROW: LineEnds = {
  width: 1,
  next(bytes, from) {
    const at = bytes.indexOf(NEWLINE, from)
    return at < 0 ? -1 : at + 1
  },
  last(bytes, to) {
    const at = to < 1 ? -1 : bytes.lastIndexOf(NEWLINE, to - 1)
    return at < 0 ? -1 : at + 1
  },
}

const LITTLE = wideEnds(0)
const BIG = wideEnds(1)

/** @param low which of the two bytes is the one that is not 0 */
function wideEnds(low: 0 | 1): LineEnds {
  const isEnd = (bytes: Uint8Array, at: number, position: number): boolean =>
    ((position + at) & 1) === low && bytes[low === 0 ? at + 1 : at - 1] === 0
  return {
    width: 2,
    next(bytes, from, position) {
      let at = bytes.indexOf(NEWLINE, from)
      while (at >= 0 && !isEnd(bytes, at, position)) at = bytes.indexOf(NEWLINE, at + 1)
      return at < 0 ? -1 : at - low + 2
    },
    last(bytes, to, position) {
      const before = (index: number): number => (index < 0 ? -1 : bytes.lastIndexOf(NEWLINE, index))
      let at = before(to - 2 + low)
      while (at >= 0 && !isEnd(bytes, at, position)) at = before(at - 1)
      return at < 0 ? -1 : at - low + 2
    },
  }
}

/** The first lines that are at most `mostBytes` long; of a longer one as many whole characters. */
export function headEnd(
  bytes: Buffer,
  mostBytes: number,
  ends: LineEnds,
): { end: number; lines: number } {
  const end = ends.last(bytes, mostBytes, 0)
  if (end > 0) {
    let lines = 0
    for (let at = ends.next(bytes, 0, 0); at > 0 && at <= end; at = ends.next(bytes, at, 0)) {
      lines += 1
    }
    return { end, lines }
  }
  let cut = mostBytes - (mostBytes % ends.width)
  if (ends.width === 1) while (cut > 0 && isWithinCharacter(bytes, cut)) cut -= 1
  return { end: cut, lines: 0 }
}

/** Without the end of a character that began before. */
export function wholeCharacters(bytes: Buffer, ends: LineEnds): Buffer {
  let start = 0
  if (ends.width === 1) while (start < 3 && isWithinCharacter(bytes, start)) start += 1
  return bytes.subarray(start)
}

/** Whether a byte of UTF-8 goes on with a character that began before it. */
export function isWithinCharacter(bytes: Buffer, at: number): boolean {
  return at < bytes.length && ((bytes[at] as number) & 0xc0) === 0x80
}

const NEWLINE = 10
