import { formatPatch, type StructuredPatchHunk, structuredPatch } from 'diff'
import { decodeText, type Encoding } from './encoding.ts'
import { lineNumberAt, startOfLine } from './find-text.ts'
import { type Span, sharedEnds } from './spans.ts'

/**
 * A unified diff as `git diff` and the official filesystem server print it, made from what is known to
 * have changed: it costs as much as the change and the lines beside it, however long the file.
 *
 * Which lines of a change are the same on both sides is looked for within a budget; past it all of them
 * are shown as removed and added. What is longer than anybody reads is left out, and says so.
 */
export interface Sides {
  before: Buffer
  after: Buffer
  spans: readonly Span[]
  encoding: Encoding
}

export function unifiedDiff(path: string, sides: Sides): string {
  const hunks: StructuredPatchHunk[] = []
  const regions = regionsOf(sides)
  const room = { lines: SHOWN_LINES, length: SHOWN_LENGTH }
  let left = 0
  let places = 0
  for (const region of regions) {
    if (room.lines === 0) break
    places += 1
    for (const hunk of hunksOf(sides, region)) {
      const lines = withinRoom(hunk.lines, room)
      left += hunk.lines.length - lines.length + (hunk.left ?? 0)
      if (lines.length > 0) hunks.push({ ...hunk, lines })
    }
  }
  const patch = patchText(path, hunks)
  const further = regions.length - places
  if (left + further === 0) return patch
  const more = further === 0 ? '' : ` and ${further} more places`
  return `${patch}... ${left} more lines${more} of this diff are not shown; the change itself is whole.\n`
}

/** The name as it is: `formatPatch` would write bytes of it in octal, as git does and nobody else. */
function patchText(path: string, hunks: StructuredPatchHunk[]): string {
  const header = [
    `Index: ${path}`,
    '='.repeat(67),
    `--- ${path}\toriginal`,
    `+++ ${path}\tmodified`,
  ]
  const names = { oldFileName: 'a', newFileName: 'b', oldHeader: '', newHeader: '' }
  const lines = formatPatch({ ...names, hunks }).split('\n')
  return [...header, ...lines.slice(lines.findIndex((line) => line.startsWith('+++')) + 1)].join(
    '\n',
  )
}

/** Byte ranges of whole lines on both sides that differ, with the lines around them. */
interface Region {
  baseStart: number
  baseEnd: number
  start: number
  end: number
  /** Lines before it on either side. */
  baseLines: number
  lines: number
}

function regionsOf({ before, after, spans }: Sides): Region[] {
  const regions: Region[] = []
  for (const span of spans) {
    const baseStart = linesBefore(before, startOfText(before, span.baseStart))
    const baseEnd = linesBehind(before, span.baseEnd)
    // What lies beside a span is the same on both sides.
    const region = {
      baseStart,
      baseEnd,
      start: span.start - (span.baseStart - baseStart),
      end: span.end + (baseEnd - span.baseEnd),
      baseLines: 0,
      lines: 0,
    }
    const last = regions.at(-1)
    if (last === undefined || last.baseEnd < baseStart) {
      regions.push(region)
      continue
    }
    last.baseEnd = Math.max(last.baseEnd, baseEnd)
    last.end = Math.max(last.end, region.end)
  }
  let [baseAt, at, baseLines, lines] = [0, 0, 0, 0]
  for (const region of regions) {
    region.baseLines = baseLines += linesIn(before, baseAt, region.baseStart)
    region.lines = lines += linesIn(after, at, region.start)
    baseAt = region.baseStart
    at = region.start
  }
  return regions
}

function linesIn(bytes: Buffer, from: number, to: number): number {
  return lineNumberAt(bytes.subarray(from, to), to - from) - 1
}

/** The beginning of a line, with a byte order mark that stands before the first. */
function startOfText(bytes: Buffer, at: number): number {
  const start = startOfLine(bytes, at)
  return start === 3 && bytes[2] !== NEWLINE ? 0 : start
}

function linesBefore(bytes: Buffer, at: number): number {
  let start = at
  for (let i = 0; i < CONTEXT && start > 0; i++) start = startOfText(bytes, start - 1)
  return start
}

function linesBehind(bytes: Buffer, at: number): number {
  let end = at
  for (let i = 0; i <= CONTEXT && end < bytes.length; i++) {
    const feed = bytes.indexOf(NEWLINE, end)
    end = feed < 0 ? bytes.length : feed + 1
  }
  return end
}

function hunksOf({ before, after, encoding }: Sides, region: Region): Hunk[] {
  const old = before.subarray(region.baseStart, region.baseEnd)
  const made = after.subarray(region.start, region.end)
  const [oldText, newText] = shown(old, made, encoding)
  const hunks =
    old.length + made.length <= COMPARED_BYTES
      ? structuredPatch('', '', oldText, newText, '', '', COMPARING)?.hunks
      : undefined
  return (hunks ?? [wholeHunk(oldText, newText)]).map((hunk: Hunk) => ({
    ...hunk,
    oldStart: hunk.oldStart + region.baseLines,
    newStart: hunk.newStart + region.lines,
  }))
}

/** Line ends are shown only where they are not all alike: then they may be what changed. */
function shown(old: Buffer, made: Buffer, encoding: Encoding): [string, string] {
  const texts: [string, string] = [decodeText(old, encoding).text, decodeText(made, encoding).text]
  if (texts.some((text) => /(?:^|[^\r])\n/.test(text))) return texts
  return texts.map((text) => text.replaceAll('\r\n', '\n')) as [string, string]
}

interface Hunk extends StructuredPatchHunk {
  /** Lines of it that are left out. */
  left?: number
}

/** All lines of one side as removed, all of the other as added, but for what they share at the ends. */
function wholeHunk(oldText: string, newText: string): Hunk {
  const old = linesOf(oldText)
  const made = linesOf(newText)
  const { head, tail } = sharedEnds(old, made)
  const from = Math.max(0, head - CONTEXT)
  const keptTail = Math.min(tail, CONTEXT)
  const oldTo = old.length - tail + keptTail
  const newTo = made.length - tail + keptTail
  const removed = old.slice(head, old.length - tail)
  const added = made.slice(head, made.length - tail)
  return {
    oldStart: from + 1,
    oldLines: oldTo - from,
    newStart: from + 1,
    newLines: newTo - from,
    left: Math.max(0, removed.length - SIDE_LINES) + Math.max(0, added.length - SIDE_LINES),
    lines: [
      ...marked(' ', old.slice(from, head)),
      // Of many, the first of either side: more of one alone would say less.
      ...marked('-', removed.slice(0, SIDE_LINES)),
      ...marked('+', added.slice(0, SIDE_LINES)),
      ...marked(' ', old.slice(old.length - tail, oldTo)),
    ],
  }
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.split(/(?<=\n)/)
}

function marked(mark: string, lines: readonly string[]): string[] {
  return lines.flatMap((line) =>
    line.endsWith('\n')
      ? [mark + line.slice(0, -1)]
      : [mark + line, '\\ No newline at end of file'],
  )
}

/** As many of the lines as there is room for; none when one did not fit before. */
function withinRoom(lines: string[], room: { lines: number; length: number }): string[] {
  let count = 0
  while (count < lines.length && count < room.lines && room.length >= 0) {
    room.length -= (lines[count] as string).length + 1
    count += 1
  }
  if (room.length < 0) count -= 1
  room.lines = count < lines.length ? 0 : room.lines - count
  return lines.slice(0, count)
}

const CONTEXT = 4
const NEWLINE = 10
/** Differences that are looked for before the lines of a change count as all different. */
const COMPARING = { context: CONTEXT, maxEditLength: 300 }
const COMPARED_BYTES = 256 * 1024
const SHOWN_LINES = 1000
const SIDE_LINES = 400
const SHOWN_LENGTH = 64 * 1024
