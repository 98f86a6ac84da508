import { fail } from '../../contract/errors.ts'
import type { Parsed } from '../../contract/operations.ts'
import { decodeText, type Encoding, guessEncoding, wideEncoding } from '../../text/encoding.ts'
import { headEnd, type LineEnds, lineEndsOf, wholeCharacters } from '../../text/line-ends.ts'
import type { Content } from '../api.ts'
import { bytesBetween } from './contents.ts'

/**
 * Text out of a file of any size in constant memory: from the start only as far as it is asked for, the
 * last lines from the end backwards. Where that is more than one answer takes, it is cut between lines.
 *
 * Lines are cut to the letter as the official filesystem server cuts them.
 */
export type TextPart =
  | { head: number }
  | { tail: number }
  | { offset: number; limit: number | undefined }

export interface TextRead {
  text: string
  encoding: Encoding
  /** Encoding the text again would not give the bytes that were read. */
  lossy: boolean
  /** More was asked for than `mostBytes`; where to go on, where that can be told. */
  cut: boolean
  nextOffset: number | undefined
}

export async function readText(
  content: Content,
  part: TextPart,
  mostBytes: number,
): Promise<TextRead> {
  const probe = await bytesBetween(content, 0, Math.min(content.size, PROBE_BYTES))
  const wide = wideEncoding(probe)
  if (wide === undefined && guessEncoding(probe) === 'binary') {
    return { text: '', encoding: 'binary', lossy: true, cut: false, nextOffset: undefined }
  }
  const ends = lineEndsOf(wide)
  const taken =
    'tail' in part
      ? await lastLines(content, part.tail, ends, mostBytes)
      : await linesFrom(content, rangeOf(part), ends, mostBytes)
  const { bytes, nextOffset } = taken
  const encoding = wide ?? guessEncoding(bytes)
  const { text, lossy } = decodeText(bytes, encoding)
  return { text: shaped(text, part), encoding, lossy, cut: taken.cut, nextOffset }
}

interface Taken {
  bytes: Buffer
  cut: boolean
  nextOffset: number | undefined
}

function rangeOf(part: Exclude<TextPart, { tail: number }>): { skip: number; count: number } {
  if ('head' in part) return { skip: 0, count: part.head }
  return { skip: part.offset, count: part.limit ?? Number.POSITIVE_INFINITY }
}

function shaped(text: string, part: TextPart): string {
  if ('head' in part) return text.endsWith('\n') ? text.slice(0, -1) : text
  return 'tail' in part ? text.replaceAll('\r\n', '\n') : text
}

/** Which part an input asks for. @throws `invalid_request` when it asks for several */
export function partOf({ head, tail, offset, limit }: Parsed<'read_text'>): TextPart {
  const isRange = offset !== undefined || limit !== undefined
  const ways = [head !== undefined, tail !== undefined, isRange].filter((given) => given).length
  if (ways > 1) {
    const detail =
      head !== undefined && tail !== undefined
        ? 'Cannot specify both head and tail parameters simultaneously'
        : 'Give one of "head", "tail", and "offset" with "limit".'
    fail('invalid_request', detail, {
      fields: [{ field: 'head', fault: 'given with another part' }],
    })
  }
  if (head !== undefined) return { head }
  return tail === undefined ? { offset: offset ?? 0, limit } : { tail }
}

async function linesFrom(
  content: Content,
  { skip, count }: { skip: number; count: number },
  ends: LineEnds,
  mostBytes: number,
): Promise<Taken> {
  const parts: Uint8Array[] = []
  let size = 0
  let skipped = 0
  let lines = 0
  let position = 0
  if (count > 0) {
    for await (const chunk of content.stream()) {
      let from = 0
      while (skipped < skip && from >= 0) {
        from = ends.next(chunk, from, position)
        if (from >= 0) skipped += 1
      }
      position += chunk.length
      if (from < 0) continue
      let to = from
      while (lines < count && to >= 0) {
        const next = ends.next(chunk, to, position - chunk.length)
        if (next < 0) break
        to = next
        lines += 1
      }
      const end = lines < count ? chunk.length : to
      parts.push(chunk.subarray(from, end))
      size += end - from
      if (lines >= count || size > mostBytes) break
    }
  }
  const bytes = Buffer.concat(parts)
  if (size <= mostBytes) return { bytes, cut: false, nextOffset: undefined }
  const { end, lines: whole } = headEnd(bytes, mostBytes, ends)
  // Of a line that fills an answer by itself only the beginning is given.
  return { bytes: bytes.subarray(0, end), cut: true, nextOffset: skip + Math.max(1, whole) }
}

async function lastLines(
  content: Content,
  count: number,
  ends: LineEnds,
  mostBytes: number,
): Promise<Taken> {
  const parts: Buffer[] = []
  let start = content.size
  let size = 0
  let found = 0
  while (count > 0 && start > 0 && size <= mostBytes) {
    const from = Math.max(0, start - BACKWARD_BYTES)
    const chunk = await bytesBetween(content, from, start)
    let to = chunk.length
    while (found < count) {
      const behind = ends.last(chunk, to, from)
      if (behind < 0) break
      found += 1
      if (found === count) {
        parts.unshift(chunk.subarray(behind))
        size += chunk.length - behind
      }
      to = behind - ends.width
    }
    if (found === count) break
    parts.unshift(chunk)
    size += chunk.length
    start = from
  }
  const bytes = Buffer.concat(parts)
  if (size <= mostBytes) return { bytes, cut: false, nextOffset: undefined }
  const least = bytes.length - mostBytes
  const line = ends.next(bytes, least, 0)
  const shown = bytes.subarray(line < 0 || line === bytes.length ? least : line)
  return { bytes: wholeCharacters(shown, ends), cut: true, nextOffset: undefined }
}

const PROBE_BYTES = 8192
/** Even, so that a character of two bytes is not cut at its edge. */
const BACKWARD_BYTES = 64 * 1024
