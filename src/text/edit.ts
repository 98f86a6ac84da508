import { cutText } from '../contract/cut-text.ts'
import { decodeText, type Encoding, encodeText, guessEncoding } from './encoding.ts'
import {
  type Found,
  findExact,
  findLines,
  lineNumberAt,
  startOfLine,
  type TextPlace,
} from './find-text.ts'
import { reindent } from './indentation.ts'
import { isWithinCharacter } from './line-ends.ts'
import { type Span, sharedEnds, shrunk, withChange } from './spans.ts'

/**
 * Replacing text (files §12) without touching a byte beside it. An edit applies where its old text
 * stands exactly once. Line ends of either kind are one for finding it, and what is put there has those
 * of the place. If it stands nowhere as it is, lines are compared without the blanks around them, and
 * the new text gets the indentation of the file. What old and new text share is left as it lies.
 */
export interface Edit {
  oldText: string
  newText: string
}

export type EditResult =
  | { ok: true; bytes: Buffer; spans: Span[]; encoding: Encoding; at: number }
  | EditFault

export interface EditFault {
  ok: false
  index: number
  reason: 'absent' | 'several' | 'indentation' | 'characters' | 'encoding'
  encoding: Encoding
  /** Of `several`: how often it stands there. */
  count: number
  /** In which lines it begins, the first of them. */
  lines: number[]
  /** What stands there now. */
  excerpt: string
}

export function applyEdits(original: Buffer, edits: readonly Edit[]): EditResult {
  const encoding = guessEncoding(original)
  let bytes = original
  let spans: Span[] = []
  let at = 0
  for (const [index, edit] of edits.entries()) {
    const made =
      encoding === 'binary' || isWide(encoding) ? 'encoding' : place(bytes, edit, encoding)
    if (typeof made === 'string') {
      const excerpt = made === 'encoding' ? '' : excerptFor(bytes, edit.oldText, encoding)
      return { ok: false, index, reason: made, encoding, count: 0, lines: [], excerpt }
    }
    const { start, end, text, fault } = made
    if (fault !== undefined) {
      const { reason, found } = fault
      const { count, places } = found
      const lines = places.map((one) => lineNumberAt(bytes, one.start))
      const excerpt = excerptAt(bytes, start, encoding)
      return { ok: false, index, reason, encoding, count, lines, excerpt }
    }
    if (index === 0) at = start
    const part = shrunk(bytes.subarray(start, end), text)
    if (part.start === part.end && part.bytes.length === 0) continue
    const from = start + part.start
    const to = start + part.end
    bytes = Buffer.concat([bytes.subarray(0, from), part.bytes, bytes.subarray(to)])
    spans = withChange(spans, from, to, part.bytes.length)
  }
  const isSame = ({ baseStart, baseEnd, start, end }: Span): boolean =>
    original.subarray(baseStart, baseEnd).equals(bytes.subarray(start, end))
  return { ok: true, bytes, spans: spans.filter((span) => !isSame(span)), encoding, at }
}

function isWide(encoding: Encoding): boolean {
  return encoding === 'utf-16le' || encoding === 'utf-16be'
}

interface Placed {
  start: number
  end: number
  text: Buffer
  /** Where it stands, and why it is not applied there. */
  fault?: { reason: 'several' | 'indentation'; found: Found }
}

/** Where one edit goes, and the bytes that stand there afterwards. */
function place(
  bytes: Buffer,
  { oldText, newText }: Edit,
  encoding: Encoding,
): Placed | 'absent' | 'characters' {
  const wanted = encodeText(oldText, encoding)
  if (wanted === undefined) return 'absent'
  let found = findExact(bytes, wanted)
  const oldLines = linesOf(oldText)
  if (found.count === 0 && oldLines.length > 1) {
    found = findLines(bytes, encoded(oldLines, encoding), false)
  }
  const isTrimmed = found.count === 0
  if (isTrimmed) {
    // The line end of the last line is matched with it; nothing is said of the line behind.
    if (oldLines.length > 1 && oldLines.at(-1) === '') oldLines.pop()
    const bare = oldLines.map((line) => line.replace(BLANKS_AROUND, ''))
    found = findLines(bytes, encoded(bare, encoding), true)
  }
  const [only] = found.places
  if (only === undefined) return 'absent'
  const { start, end } = only
  if (found.count > 1) return { start, end, text: NOTHING, fault: { reason: 'several', found } }
  const lines = isTrimmed
    ? trimmedTokens(bytes, only, { oldText, newText, oldLines }, encoding)
    : { old: tokensOf(oldText), made: tokensOf(newText), end }
  if (lines === undefined)
    return { start, end, text: NOTHING, fault: { reason: 'indentation', found } }
  const text = replacement(bytes, { ...only, end: lines.end }, lines, newText, encoding)
  return text === undefined ? 'characters' : { start, end: lines.end, text }
}

interface Tokens {
  /** The lines that were given for what stands there, with `\n` for their line ends. */
  old: string[]
  made: string[]
  /** Where the last of them ends. */
  end: number
}

/** The given lines as they have to look in the indentation of the file. */
function trimmedTokens(
  bytes: Buffer,
  { lines, end }: TextPlace,
  { oldText, newText, oldLines }: Edit & { oldLines: string[] },
  encoding: Encoding,
): Tokens | undefined {
  const standing = lines.map(
    (line) => decodeText(bytes.subarray(line.start, line.end), encoding).text,
  )
  const pairs = oldLines.map((given, i) => ({ given, found: standing[i] as string }))
  const newLines = linesOf(newText)
  const moved = reindent(pairs, newLines)
  if (moved === undefined) return undefined
  // A line that is given unchanged stays as it stands there, blanks at its end and all.
  const same = (line: string, i: number): string => {
    const at = line === oldLines[i] ? i : oldLines.indexOf(line)
    return at < 0 || line.trim() === '' ? (moved[i] as string) : (standing[at] as string)
  }
  const made = newText === '' ? [] : newLines.map(same)
  const last = lines.at(-1) as TextPlace['lines'][number]
  const withEnd = oldText.endsWith('\n')
  const behind = withEnd ? end : last.end
  const old = withFeeds(standing)
  if (withEnd && last.next > last.end) old.push(`${old.pop() as string}\n`)
  const joined = withFeeds(made)
  if (joined.at(-1) === '') joined.pop()
  // At the end of a file without a last line end there is none to be kept.
  if (withEnd && last.next === last.end && joined.at(-1)?.endsWith('\n') === true) {
    joined.push((joined.pop() as string).slice(0, -1))
  }
  return { old, made: joined, end: behind }
}

/** What the lines have in common at both ends stays, byte for byte; the rest gets the line ends of
 * the place. */
function replacement(
  bytes: Buffer,
  { start, end, lines }: TextPlace,
  { old, made }: Tokens,
  newText: string,
  encoding: Encoding,
): Buffer | undefined {
  const { head, tail } = sharedEnds(old, made)
  const from = lines[head]?.start ?? end
  const to = tail === 0 ? end : (lines[old.length - tail] as TextPlace['lines'][number]).start
  const lineEnd =
    lineEndOf(bytes, from, to, start, end) ?? (newText.includes('\r\n') ? '\r\n' : '\n')
  const text = made
    .slice(head, made.length - tail)
    .join('')
    .replaceAll('\n', lineEnd)
  const middle = encodeText(text, encoding)
  if (middle === undefined) return undefined
  const kept = head === old.length ? end : from
  return Buffer.concat([
    bytes.subarray(start, kept),
    middle,
    bytes.subarray(Math.max(kept, to), end),
  ])
}

/** The line end that is used in a place: within what is replaced, else the nearest. */
function lineEndOf(
  bytes: Buffer,
  from: number,
  to: number,
  start: number,
  end: number,
): '\r\n' | '\n' | undefined {
  const within = (low: number, high: number): number => {
    const feed = bytes.indexOf(NEWLINE, low)
    return feed >= 0 && feed < high ? feed : -1
  }
  let feed = within(from, to)
  if (feed < 0) feed = within(start, end)
  if (feed < 0) feed = bytes.indexOf(NEWLINE, end)
  if (feed < 0 && start > 0) feed = bytes.lastIndexOf(NEWLINE, start - 1)
  if (feed < 0) return undefined
  return feed > 0 && bytes[feed - 1] === RETURN ? '\r\n' : '\n'
}

function linesOf(text: string): string[] {
  return text.replaceAll('\r\n', '\n').split('\n')
}

/** Lines with their line ends; what stands behind the last one is a line too, if it is anything. */
function tokensOf(text: string): string[] {
  return withFeeds(linesOf(text))
}

/** A line end behind each line but the last. */
function withFeeds(lines: readonly string[]): string[] {
  return lines.map((line, i) => (i < lines.length - 1 ? `${line}\n` : line))
}

function encoded(lines: readonly string[], encoding: Encoding): Buffer[] {
  return lines.map((line) => encodeText(line, encoding) ?? NOTHING)
}

/** The text near where an edit failed: what stands there now. */
function excerptFor(bytes: Buffer, oldText: string, encoding: Encoding): string {
  const probes = linesOf(oldText)
    .map((line) => cutText(line.trim(), PROBE_LENGTH))
    .filter((line) => line !== '')
    .slice(0, PROBES)
  for (const probe of probes) {
    const wanted = encodeText(probe, encoding)
    const at = wanted === undefined ? -1 : bytes.indexOf(wanted)
    if (at >= 0) return excerptAt(bytes, at, encoding)
  }
  return excerptAt(bytes, 0, encoding)
}

/** Two lines before a place and the lines from there on. */
function excerptAt(bytes: Buffer, at: number, encoding: Encoding): string {
  let start = startOfLine(bytes, at)
  for (let i = 0; i < EXCERPT_BEFORE && start > 0; i++) start = startOfLine(bytes, start - 1)
  start = Math.max(start, at - EXCERPT_BYTES / 2)
  let end = start
  for (let i = 0; i < EXCERPT_LINES && end < bytes.length; i++) {
    const feed = bytes.indexOf(NEWLINE, end)
    end = feed < 0 ? bytes.length : feed + 1
  }
  const shown = wholeCharacters(bytes, start, Math.min(end, start + EXCERPT_BYTES))
  return cutText(decodeText(shown, encoding).text.replace(/\r?\n$/, ''), EXCERPT_LENGTH)
}

/** A part of UTF-8 text that begins and ends between characters. */
function wholeCharacters(bytes: Buffer, start: number, end: number): Buffer {
  let from = start
  while (from < end && isWithinCharacter(bytes, from)) from += 1
  let to = end
  while (to > from && isWithinCharacter(bytes, to)) to -= 1
  return bytes.subarray(from, to)
}

const BLANKS_AROUND = /^[ \t\r\v\f]+|[ \t\r\v\f]+$/g
const NOTHING = Buffer.alloc(0)
const NEWLINE = 10
const RETURN = 13
const PROBE_LENGTH = 24
const PROBES = 10
const EXCERPT_LINES = 8
const EXCERPT_BEFORE = 2
const EXCERPT_LENGTH = 800
const EXCERPT_BYTES = 4096
