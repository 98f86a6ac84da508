import { LIMITS } from './limits.ts'

/**
 * The one place where a path becomes canonical (locks §4, files §19): NFC, rooted at `/`, no `.` or
 * `..`, no empty names, no trailing slash, case kept. The root is `/`.
 */
export type PathResult = { ok: true; path: string } | { ok: false; fault: string }

// ASCII paths without control characters, dots at the start of a name, or empty names are canonical
// as they stand; nearly all calls take this way.
const plainPath = /^(?:\/(?!\.{1,2}(?:\/|$))[\x20-\x2e\x30-\x7e]{1,255})+$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const controlCharacter = /[\u0000-\u001f\u007f]/

export function canonicalPath(input: string): PathResult {
  if (input.length <= 1024 && plainPath.test(input)) return { ok: true, path: input }
  if (input.length === 0) return { ok: false, fault: 'A path must not be empty; the root is "/".' }
  if (input.length > LIMITS.pathBytes) return { ok: false, fault: tooLong }
  if (!input.isWellFormed()) {
    return { ok: false, fault: 'The path is not well-formed Unicode (a lone surrogate).' }
  }
  if (controlCharacter.test(input)) {
    return { ok: false, fault: 'A path must not contain NUL or other control characters.' }
  }
  const names: string[] = []
  for (const name of input.normalize('NFC').split('/')) {
    if (name === '' || name === '.') continue
    if (name === '..') {
      if (names.length === 0) return { ok: false, fault: 'The path leaves the root with "..".' }
      names.pop()
    } else if (utf8Bytes(name) > LIMITS.nameBytes) {
      return { ok: false, fault: `A name is longer than ${LIMITS.nameBytes} bytes.` }
    } else {
      names.push(name)
    }
  }
  const path = `/${names.join('/')}`
  return utf8Bytes(path) > LIMITS.pathBytes ? { ok: false, fault: tooLong } : { ok: true, path }
}

const tooLong = `The path is longer than ${LIMITS.pathBytes} bytes.`

/** The folder that a canonical path lies in; the root lies in itself. */
export function parentPath(path: string): string {
  const cut = path.lastIndexOf('/')
  return cut <= 0 ? '/' : path.slice(0, cut)
}

/** Whether `path` is `folder` or lies anywhere below it (both canonical). */
export function isWithin(folder: string, path: string): boolean {
  return folder === '/' || path === folder || path.startsWith(`${folder}/`)
}

/** The form in which names are compared where `portable_names` is on. */
export function foldName(name: string): string {
  return name.toLowerCase().normalize('NFC')
}

function utf8Bytes(text: string): number {
  let bytes = 0
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    // Each half of a surrogate pair counts two of the pair's four bytes.
    bytes += unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 2 : 3
  }
  return bytes
}
