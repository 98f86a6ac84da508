import { lookup } from 'mime-types'

/**
 * What a file is, by its name (mime-types) and by its first bytes (file-type). Over MCP the bytes alone
 * say it, because a model chokes on an image that is none; over HTTP the name does, and the bytes of
 * what has no telling name.
 */
const PLAIN = 'text/plain; charset=utf-8'

const SOURCES = 'bash cs cts diff go kt mts patch py rb rs ts tsx vue'.split(' ')

/** Where the registry's type is not what those who write programs mean by the name, or is outdated. */
const MEANT: Record<string, string> = {
  ...Object.fromEntries(SOURCES.map((extension) => [extension, PLAIN])),
  flac: 'audio/flac',
  jsonl: 'application/x-ndjson',
  ndjson: 'application/x-ndjson',
  yaml: 'application/yaml',
  yml: 'application/yaml',
}

/** Text that a browser shows as text. Any other text, and whatever it could render or run, is plain. */
const READ_ONLY = /^text\/(?:plain|markdown|csv|tab-separated-values)$/
const RENDERED =
  /^(?:text|message|multipart)\/|[/+]xml$|script$|[-/](?:node|perl|php|sh|csh|sql|flash)$/

/** @returns undefined where the name says nothing. */
export function typeByName(path: string): string | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const extension = name.slice(name.lastIndexOf('.') + 1).toLowerCase()
  if (!name.includes('.')) return undefined
  if (Object.hasOwn(MEANT, extension)) return MEANT[extension]
  const type = lookup(`.${extension}`)
  return type === false ? undefined : shown(type)
}

function shown(type: string): string {
  if (READ_ONLY.test(type)) return `${type}; charset=utf-8`
  return RENDERED.test(type) ? PLAIN : type
}

/** So much of a file is looked at: what `file-type` itself takes for enough. */
export const HEAD_BYTES = 4100
/** Two or three bytes may be anything. */
const LEAST_BYTES = 4
/** The library gives up where a short file ends within a header that it reads whole. */
const PADDED_BYTES = 64

/** @returns undefined for text, and for what nobody knows. */
export async function typeByBytes(bytes: Uint8Array): Promise<string | undefined> {
  const head = bytes.subarray(0, HEAD_BYTES)
  if (head.length < LEAST_BYTES || isText(head)) return undefined
  const { fileTypeFromBuffer } = await import('file-type')
  const padded = new Uint8Array(Math.max(head.length, PADDED_BYTES))
  padded.set(head)
  const found = await fileTypeFromBuffer(padded)
  const type = found?.mime.split(';', 1)[0] ?? (hasTag(head) ? 'audio/mpeg' : undefined)
  return type === undefined ? undefined : shown(SAME[type] ?? type)
}

/** Many signatures are two or three letters, so words pass for them: "BM is a name", "GIFT". */
function isText(head: Uint8Array): boolean {
  if ((head[0] as number) >= 0x80) return false
  for (const byte of head.subarray(0, TOLD_BY_BYTES)) {
    if (byte < 0x20 && (byte < 0x08 || byte > 0x0d)) return false
  }
  const start = String.fromCharCode(...head.subarray(0, 6))
  return !WRITTEN_IN_LETTERS.some((signature) => start.startsWith(signature))
}

/** No format of sound or images has so many bytes without one that no text has. */
const TOLD_BY_BYTES = 512

/** Signatures of letters that are long or odd enough: no text begins so. */
const WRITTEN_IN_LETTERS = ['%PDF-', '{\\rtf', 'GIF87a', 'GIF89a', 'fLaC']

/** Names for the same, of which clients know one better. */
const SAME: Record<string, string> = {
  'audio/x-m4a': 'audio/mp4',
  'image/apng': 'image/png',
  // Of sound and film together, as RFC 5334 has it.
  'video/ogg': 'application/ogg',
}

/** Sound may come only long after the tag in front of it. */
function hasTag(head: Uint8Array): boolean {
  const [i, d, three, version = 0] = head
  return i === 0x49 && d === 0x44 && three === 0x33 && version >= 2 && version <= 4
}
