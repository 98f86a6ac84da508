/**
 * Paths as bytes and back. What is no UTF-8 is a lone surrogate in the text, one for each byte, so that
 * every name a disk has is a text here, and no two are the same.
 */
export function bytesOfPath(path: string): Buffer {
  if (path.isWellFormed()) return Buffer.from(path)
  const parts: Buffer[] = []
  for (const character of path) {
    const code = character.codePointAt(0) ?? 0
    const isByte = code >= FIRST && code <= LAST
    parts.push(isByte ? Buffer.of(code - SHIFT) : Buffer.from(character))
  }
  return Buffer.concat(parts)
}

export function pathOfBytes(bytes: Buffer): string {
  const text = bytes.toString('utf8')
  if (Buffer.from(text).equals(bytes)) return text
  return [...bytes].map((byte) => String.fromCharCode(byte < 0x80 ? byte : byte + SHIFT)).join('')
}

const SHIFT = 0xdc00
const FIRST = 0xdc80
const LAST = 0xdcff
