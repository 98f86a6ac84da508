import { LIMITS } from './limits.ts'

/**
 * The one place where a path becomes canonical (locks §4, files §19): NFC, rooted at `/`, no `.` or
 * `..`, no empty names, no trailing slash, case kept. The root is `/`.
 */
export type PathResult = { ok: true; path: string } | { ok: false; fault: string }

// ASCII paths without control characters, dots at the start of a name, or empty names are canonical
// as they stand; nearly all calls take this way.
const plainPath =
  /^(?:\/(?!\.{1,2}(?:\/|$))[\x20-\x24\x26-\x2e\x30-\x39\x3b-\x5b\x5d-\x7d]{1,255})+$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const controlCharacter = /[\u0000-\u001f\u007f]/

export function canonicalPath(input: string): PathResult {
  if (input.length <= 1024 && plainPath.test(input)) return { ok: true, path: input }
  const elsewhere = meantElsewhere(input)
  return elsewhere === undefined ? writtenPath(input) : { ok: false, fault: elsewhere }
}

/**
 * As `canonicalPath`, for a name that may have been made before its form was refused: what is there
 * can still be read, moved and deleted.
 */
export function knownPath(input: string): PathResult {
  return writtenPath(input)
}

/**
 * Forms that mean something to a shell, a browser or another system, and here would only make an odd
 * name: says what to write instead. Undefined for all others.
 */
function meantElsewhere(input: string): string | undefined {
  const instead = (path: string) => {
    const written = path.length > SHOWN_MOST ? 'it so that it starts there' : `"${path}"`
    return `Files live in this workspace, under "/": write ${written}.`
  }
  if (/^(?:\/?~|~[\w.-]+(?=[/\\]))(?:[/\\]|$)/.test(input)) {
    const rest = slashed(input.replace(/^\/?~[^/\\]*/, ''))
    return `"~" is a home folder of a shell, and there is none here. ${instead(rest)}`
  }
  if (/^\/?[a-z][a-z0-9+.-]+:\/\//i.test(input)) {
    const rest = slashed(input.replace(/^\/?[a-z][a-z0-9+.-]+:\/\/[^/]*/i, ''))
    return `A URL is not a path here. ${instead(rest)}`
  }
  if (/^\/?[a-z]:(?:[/\\]|$)/i.test(input)) {
    const rest = slashed(input.replace(/^\/?[a-z]:/i, ''))
    return `A drive letter means a disk of your machine. ${instead(rest)}`
  }
  if (input.includes('\\')) {
    return `Names are separated by "/", not by a backslash. ${instead(slashed(input))}`
  }
  if (/%(?:2f|5c)/i.test(input)) {
    const decoded = input.replaceAll(/%2f|%5c/gi, '/')
    return `The path is percent-encoded. ${instead(slashed(decoded))}`
  }
  return undefined
}

/** What is no path may be anything, so it is not told back at any length. */
const SHOWN_MOST = 300

function slashed(path: string): string {
  const names = path.replaceAll('\\', '/').split('/')
  return `/${names.filter((name) => name !== '').join('/')}`
}

function writtenPath(input: string): PathResult {
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

/** The path of what has that name in a folder. */
export function childPath(folder: string, name: string): string {
  return folder === '/' ? `/${name}` : `${folder}/${name}`
}

/** Whether `path` is `folder` or lies anywhere below it (both canonical). */
export function isWithin(folder: string, path: string): boolean {
  return folder === '/' || path === folder || path.startsWith(`${folder}/`)
}

/** As `isWithin`, whatever the case where names that differ in nothing else are one. */
export function isUnder(folder: string, path: string, portable: boolean): boolean {
  return isWithin(foldPath(folder, portable), foldPath(path, portable))
}

/**
 * The one form in which names are compared where `portable_names` is on: by files, locks, rights,
 * listings and watches alike. Names of the same form are one name.
 */
export function foldName(name: string): string {
  return isFolded.test(name) ? name : name.toLowerCase().normalize('NFC')
}

/** The form of a canonical path; `portable` is the workspace's `portable_names`. */
export function foldPath(path: string, portable: boolean): string {
  return portable ? foldName(path) : path
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII but capitals
const isFolded = /^[\x00-@[-\x7f]*$/

function utf8Bytes(text: string): number {
  let bytes = 0
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    // Each half of a surrogate pair counts two of the pair's four bytes.
    bytes += unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 2 : 3
  }
  return bytes
}
