import { createTwoFilesPatch } from 'diff'

/**
 * Replacing text (files §12). An edit applies where its old text stands exactly once. If it stands
 * nowhere as it is, lines are compared without the white space around them, and the new text takes
 * over the indentation found (as the official filesystem server does), again only if that is unique.
 */
export interface Edit {
  oldText: string
  newText: string
}

export type EditResult =
  | { ok: true; text: string; touched: Touched | undefined }
  | { ok: false; index: number; fault: string }

/** Where edits changed a text: all before `start` and the last `tail` characters are as they were.
 * Unknown where line ends were made alike for comparing. */
interface Touched {
  start: number
  tail: number
}

export function applyEdits(original: string, edits: readonly Edit[]): EditResult {
  const isPlain = !original.includes('\r\n')
  let text = isPlain ? original : original.replaceAll('\r\n', '\n')
  let start = text.length
  let tail = text.length
  for (const [index, edit] of edits.entries()) {
    const oldText = edit.oldText.replaceAll('\r\n', '\n')
    const newText = edit.newText.replaceAll('\r\n', '\n')
    const at = text.indexOf(oldText)
    if (at >= 0) {
      const second = text.indexOf(oldText, at + 1)
      if (second >= 0) {
        return { ok: false, index, fault: 'its old text stands there more than once; add context' }
      }
      start = Math.min(start, at)
      tail = Math.min(tail, text.length - at - oldText.length)
      text = text.slice(0, at) + newText + text.slice(at + oldText.length)
      continue
    }
    const found = findLines(text, oldText, newText)
    if (found === undefined) {
      return { ok: false, index, fault: 'its old text does not stand there (any more)' }
    }
    start = Math.min(start, found.start)
    tail = Math.min(tail, text.length - found.end)
    text = text.slice(0, found.start) + found.text + text.slice(found.end)
  }
  if (isPlain) return { ok: true, text, touched: { start, tail } }
  // A file keeps the line ends it came with.
  return { ok: true, text: text.replaceAll('\n', '\r\n'), touched: undefined }
}

/** Lines that are the same but for the white space around them, and what takes their place. */
function findLines(
  text: string,
  oldText: string,
  newText: string,
): { start: number; end: number; text: string } | undefined {
  const wanted = oldText.split('\n')
  const lines = text.split('\n')
  const places: number[] = []
  for (let i = 0; i + wanted.length <= lines.length; i++) {
    if (wanted.every((line, j) => line.trim() === (lines[i + j] as string).trim())) places.push(i)
  }
  const [place] = places
  if (place === undefined || places.length > 1) return undefined
  const indentation = /^\s*/.exec(lines[place] as string)?.[0] ?? ''
  const given = /^\s*/.exec(wanted[0] as string)?.[0] ?? ''
  const moved = newText
    .split('\n')
    .map((line) => (line.startsWith(given) ? indentation + line.slice(given.length) : line))
  const before = lines.slice(0, place)
  const start = before.join('\n').length + (place > 0 ? 1 : 0)
  const found = lines.slice(place, place + wanted.length).join('\n')
  return { start, end: start + found.length, text: moved.join('\n') }
}

/** A unified diff as `git diff` and the official filesystem server print it. */
export function unifiedDiff(path: string, before: string, after: string): string {
  const lf = (text: string): string => text.replaceAll('\r\n', '\n')
  return createTwoFilesPatch(path, path, lf(before), lf(after), 'original', 'modified')
}

/** The text near where an edit failed, for the refusal: what stands there now. */
export function excerptFor(text: string, oldText: string): string {
  const probe =
    oldText
      .split('\n')
      .find((line) => line.trim() !== '')
      ?.trim() ?? ''
  const lines = text.split('\n')
  const near = lines.findIndex((line) => probe !== '' && line.includes(probe.slice(0, 24)))
  const start = near < 0 ? 0 : Math.max(0, near - 2)
  return lines
    .slice(start, start + 8)
    .join('\n')
    .slice(0, 800)
}
