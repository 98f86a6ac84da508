/**
 * Where a text stands in a file, by bytes. Line ends of either kind are one; with `trimmed`, lines are
 * also the same when they differ only in the blanks around them.
 */
export interface TextPlace {
  start: number
  end: number
  lines: PlacedLine[]
}

/** A line, or the part of it that was found; `next` is behind its line end. */
export interface PlacedLine {
  start: number
  end: number
  next: number
}

export interface Found {
  count: number
  /** The first of them. */
  places: TextPlace[]
}

/** Exactly as given. */
export function findExact(bytes: Buffer, wanted: Buffer): Found {
  const found: Found = { count: 0, places: [] }
  for (let at = bytes.indexOf(wanted); at >= 0; at = bytes.indexOf(wanted, at + 1)) {
    add(found, () => resolvePath(bytes, at, at + wanted.length))
  }
  return found
}

function resolvePath(bytes: Buffer, start: number, end: number): TextPlace {
  const lines: PlacedLine[] = []
  let line = lineFrom(bytes, start)
  while (line.next > line.end && line.next <= end) {
    lines.push(line)
    line = lineFrom(bytes, line.next)
  }
  lines.push({ start: line.start, end, next: end })
  return { start, end, lines }
}

/** Line by line: the longest line is looked for, and those around it are compared. */
export function findLines(bytes: Buffer, wanted: readonly Buffer[], trimmed: boolean): Found {
  const found: Found = { count: 0, places: [] }
  const lengths = wanted.map((line) => line.length)
  const anchor = lengths.indexOf(Math.max(...lengths))
  const line = wanted[anchor] as Buffer
  if (line.length === 0 && (trimmed || wanted.length === 1)) return found
  const isAnchoredOnEnds = line.length === 0
  const probe = isAnchoredOnEnds ? FEED : line
  for (let at = bytes.indexOf(probe); at >= 0; at = bytes.indexOf(probe, at + 1)) {
    const begin = isAnchoredOnEnds && bytes[at - 1] === RETURN ? at - 1 : at
    const lines = trimmed
      ? wholeLines(bytes, wanted, anchor, begin)
      : givenLines(bytes, wanted, anchor, begin)
    if (lines === undefined) continue
    const start = (lines[0] as PlacedLine).start
    add(found, () => ({ start, end: (lines.at(-1) as PlacedLine).next, lines }))
  }
  return found
}

function add(found: Found, place: () => TextPlace): void {
  found.count += 1
  if (found.places.length < PLACES_KEPT) found.places.push(place())
}

/** The lines as given, whatever their line ends: the first and the last may be parts of lines. */
function givenLines(
  bytes: Buffer,
  wanted: readonly Buffer[],
  anchor: number,
  at: number,
): PlacedLine[] | undefined {
  const lines: PlacedLine[] = []
  let next = at
  for (let i = anchor - 1; i >= 0; i--) {
    const end = endBefore(bytes, next)
    if (end === undefined) return undefined
    const start = end - (wanted[i] as Buffer).length
    if (start < 0 || !bytes.subarray(start, end).equals(wanted[i] as Buffer)) return undefined
    lines.unshift({ start, end, next })
    next = start
  }
  let start = at
  for (let i = anchor; i < wanted.length; i++) {
    const end = start + (wanted[i] as Buffer).length
    if (!bytes.subarray(start, end).equals(wanted[i] as Buffer)) return undefined
    if (i === wanted.length - 1) {
      lines.push({ start, end, next: end })
      break
    }
    const after = behindEnd(bytes, end)
    if (after === undefined) return undefined
    lines.push({ start, end, next: after })
    start = after
  }
  return lines
}

/** Whole lines of the file whose text between the blanks is what is wanted. */
function wholeLines(
  bytes: Buffer,
  wanted: readonly Buffer[],
  anchor: number,
  at: number,
): PlacedLine[] | undefined {
  const middle = lineAround(bytes, at, at + (wanted[anchor] as Buffer).length)
  if (middle === undefined) return undefined
  const lines = [middle]
  for (let i = anchor - 1; i >= 0; i--) {
    const { start } = lines[0] as PlacedLine
    if (start === textStart(bytes)) return undefined
    const before = lineFrom(bytes, startOfLine(bytes, start - 1))
    if (!sameText(bytes, before, wanted[i] as Buffer)) return undefined
    lines.unshift(before)
  }
  for (let i = anchor + 1; i < wanted.length; i++) {
    const { end, next } = lines.at(-1) as PlacedLine
    if (next === end) return undefined
    const after = lineFrom(bytes, next)
    if (!sameText(bytes, after, wanted[i] as Buffer)) return undefined
    lines.push(after)
  }
  return lines
}

/** The line that holds `[start, end)` and nothing but blanks beside it. */
function lineAround(bytes: Buffer, start: number, end: number): PlacedLine | undefined {
  const least = textStart(bytes)
  let begin = start
  while (begin > least && isBlank(bytes[begin - 1])) begin -= 1
  if (begin > least && bytes[begin - 1] !== NEWLINE) return undefined
  let behind = end
  while (behind < bytes.length && isBlank(bytes[behind])) behind += 1
  if (behind < bytes.length && bytes[behind] !== NEWLINE) return undefined
  return lineFrom(bytes, begin)
}

function lineFrom(bytes: Buffer, start: number): PlacedLine {
  const feed = bytes.indexOf(NEWLINE, start)
  if (feed < 0) return { start, end: bytes.length, next: bytes.length }
  const isPair = feed > start && bytes[feed - 1] === RETURN
  return { start, end: isPair ? feed - 1 : feed, next: feed + 1 }
}

function sameText(bytes: Buffer, { start, end }: PlacedLine, wanted: Buffer): boolean {
  let from = start
  while (from < end && isBlank(bytes[from])) from += 1
  let to = end
  while (to > from && isBlank(bytes[to - 1])) to -= 1
  return to - from === wanted.length && bytes.subarray(from, to).equals(wanted)
}

/** Where the line begins in which the byte before `at` lies. */
export function startOfLine(bytes: Buffer, at: number): number {
  const feed = at <= 0 ? -1 : bytes.lastIndexOf(NEWLINE, at - 1)
  return Math.max(feed + 1, Math.min(at, textStart(bytes)))
}

/** Behind a byte order mark, which belongs to no line. */
function textStart(bytes: Buffer): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
}

/** Where the content of a line ends whose line end lies right before `at`. */
function endBefore(bytes: Buffer, at: number): number | undefined {
  if (at < 1 || bytes[at - 1] !== NEWLINE) return undefined
  return at >= 2 && bytes[at - 2] === RETURN ? at - 2 : at - 1
}

function behindEnd(bytes: Buffer, at: number): number | undefined {
  if (bytes[at] === NEWLINE) return at + 1
  return bytes[at] === RETURN && bytes[at + 1] === NEWLINE ? at + 2 : undefined
}

/** Blanks within a line; the bytes of other spaces are left to be compared. */
function isBlank(byte: number | undefined): boolean {
  return byte === 32 || byte === 9 || byte === RETURN || byte === 11 || byte === 12
}

/** The number of the line that a byte lies in; the first is 1. */
export function lineNumberAt(bytes: Buffer, at: number): number {
  let line = 1
  for (let feed = bytes.indexOf(NEWLINE); feed >= 0 && feed < at; line++) {
    feed = bytes.indexOf(NEWLINE, feed + 1)
  }
  return line
}

const NEWLINE = 10
const RETURN = 13
const FEED = Buffer.from('\n')
const PLACES_KEPT = 10
