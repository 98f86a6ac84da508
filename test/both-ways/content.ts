import { createHash } from 'node:crypto'

/**
 * What every writer writes: blocks that say of themselves who made them and whether they are whole. So
 * half a file is known by itself, and what was written is found again in whatever stands around it.
 *
 *   <<< unit=shell-1.7 path=/src/a.ts size=120
 *   …120 bytes…
 *   mark: none -
 *   >>> unit=shell-1.7 sum=0123456789abcdef
 *
 * A file is one block after another. The mark is the one line that others may change in place (`sed -i`,
 * an edit, a formatter); it has a sum of its own.
 */
export interface Reading {
  /** Blocks and marks in it, by the names that their writers gave them. */
  units: ReadonlySet<string>
  /** Why it is not whole; undefined: it is. */
  fault: string | undefined
}

export function block(unit: string, path: string, size: number): string {
  const head = `<<< unit=${unit} path=${path} size=${size}\n`
  const line = `${unit} ${sumOf(unit).repeat(3)}\n`
  const body = line.repeat(Math.ceil(size / line.length)).slice(0, size - 1)
  return `${head}${body}\n${mark('none')}\n>>> unit=${unit} sum=${sumOf(`${head}${body}`)}\n`
}

/** Without its line end. */
export function mark(unit: string): string {
  return `mark: ${unit} ${sumOf(`mark ${unit}`)}`
}

/** The first mark of a text; undefined: it has none. */
export function markIn(text: string): string | undefined {
  return /^mark: .*$/m.exec(text)?.[0]
}

/** Puts a mark in the place of the first one. */
export function remarked(text: string, unit: string): string {
  return text.replace(/^mark: .*$/m, mark(unit))
}

export function readingOf(text: string): Reading {
  const units = new Set<string>()
  const broken = (fault: string): Reading => ({ units, fault })
  if (text === '') return broken('empty')
  for (let at = 0; at < text.length; ) {
    HEAD.lastIndex = at
    const head = HEAD.exec(text)
    if (head === null) return broken(`no block begins at byte ${at} of ${text.length}`)
    const [whole, unit = '', size = ''] = head
    const bodyEnd = at + whole.length + Number(size)
    TAIL.lastIndex = bodyEnd
    const tail = TAIL.exec(text)
    if (tail === null) return broken(`the block ${unit} does not end, at ${at} of ${text.length}`)
    const [end, marked = '', markSum, endUnit, sum] = tail
    if (endUnit !== unit) return broken(`the block ${unit} ends as ${endUnit}`)
    if (sum !== sumOf(text.slice(at, bodyEnd - 1)))
      return broken(`the block ${unit} has a wrong sum`)
    if (markSum !== sumOf(`mark ${marked}`)) return broken(`the mark ${marked} has a wrong sum`)
    units.add(unit)
    if (marked !== 'none') units.add(marked)
    at = bodyEnd + end.length
  }
  return { units, fault: undefined }
}

export function sha256Of(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex')
}

function sumOf(text: string): string {
  return sha256Of(text).slice(0, 16)
}

const HEAD = /<<< unit=(\S+) path=\S+ size=(\d+)\n/y
const TAIL = /mark: (\S+) ([0-9a-f]{16})\n>>> unit=(\S+) sum=([0-9a-f]{16})\n/y
