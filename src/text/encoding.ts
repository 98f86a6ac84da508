import { isUtf8 } from 'node:buffer'

/**
 * What text some bytes are. A guess where they do not say it themselves: bytes that are valid UTF-8
 * are UTF-8; others are told apart by a byte order mark, by where their NULs lie, and by whether they
 * hold what no text holds.
 */
export type Encoding = 'utf-8' | 'latin1' | 'windows-1252' | 'utf-16le' | 'utf-16be' | 'binary'

export function guessEncoding(bytes: Uint8Array): Encoding {
  const wide = wideEncoding(bytes)
  if (wide !== undefined) return wide
  // A NUL is valid UTF-8, but no text has one.
  if (bytes.subarray(0, PROBE_BYTES).includes(0)) return 'binary'
  if (isUtf8(bytes)) return 'utf-8'
  return guessOfInvalid(bytes)
}

/** UTF-16, whose line ends are two bytes: by its mark, or because every second byte is a NUL. */
export function wideEncoding(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  const [first, second, third, fourth] = bytes
  // A UTF-32 mark begins like the one of UTF-16; nobody here can read it.
  if (first === 0xff && second === 0xfe) return third === 0 && fourth === 0 ? undefined : 'utf-16le'
  if (first === 0xfe && second === 0xff) return 'utf-16be'
  const probe = bytes.subarray(0, PROBE_BYTES)
  if (!probe.includes(0) || probe.length < 4) return undefined
  const half = probe.length >> 1
  const nuls = [0, 0]
  for (let i = 0; i < 2 * half; i++) if (probe[i] === 0) nuls[i & 1] = (nuls[i & 1] as number) + 1
  const [even, odd] = nuls as [number, number]
  if (even === 0 && odd > half * MOSTLY) return 'utf-16le'
  return odd === 0 && even > half * MOSTLY ? 'utf-16be' : undefined
}

function guessOfInvalid(bytes: Uint8Array): Encoding {
  const probe = bytes.subarray(0, GUESS_BYTES)
  let controls = 0
  let between = 0
  let sequences = 0
  let strays = 0
  for (let i = 0; i < probe.length; i++) {
    const byte = probe[i] as number
    if (byte < 0x20 && !TEXT_CONTROLS.has(byte)) controls += 1
    if (byte < 0x80) continue
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc2 ? 2 : 0
    if (length > 0 && isUtf8(probe.subarray(i, i + length))) {
      sequences += 1
      i += length - 1
      continue
    }
    strays += 1
    if (byte < 0xa0) between += 1
  }
  if (controls > 0) return 'binary'
  // Text in UTF-8 with a few broken bytes in it.
  if (sequences > strays) return 'utf-8'
  return between > 0 ? 'windows-1252' : 'latin1'
}

/** The text as far as it can be shown; `lossy` when encoding it again would not give these bytes. */
export function decodeText(
  bytes: Uint8Array,
  encoding: Encoding,
): { text: string; lossy: boolean } {
  if (encoding === 'binary') return { text: '', lossy: true }
  const label = encoding === 'latin1' ? 'windows-1252' : encoding
  // Written back it would be UTF-8, whatever it was: other bytes, even where no character is lost.
  const lossy = encoding !== 'utf-8' || !isUtf8(bytes)
  // The mark of UTF-8 is a part of the text, so that it is still there when the text is written back.
  return { text: new TextDecoder(label, { ignoreBOM: encoding === 'utf-8' }).decode(bytes), lossy }
}

/** The bytes of a text in an encoding of one byte or of UTF-8; undefined where it lacks a character. */
export function encodeText(text: string, encoding: Encoding): Buffer | undefined {
  if (encoding !== 'latin1' && encoding !== 'windows-1252') return Buffer.from(text, 'utf8')
  const bytes = Buffer.alloc(text.length)
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    const byte =
      code < 0x80 || (code >= 0xa0 && code <= 0xff) ? code : byteOfWindows(code, encoding)
    if (byte === undefined) return undefined
    bytes[i] = byte
  }
  return bytes
}

function byteOfWindows(code: number, encoding: Encoding): number | undefined {
  if (encoding === 'latin1') return undefined
  for (let byte = 0x80; byte < 0xa0; byte++) {
    if (windows.decode(Uint8Array.of(byte)).charCodeAt(0) === code) return byte
  }
  return undefined
}

const windows = new TextDecoder('windows-1252')
/** Tab, line feed, form feed, carriage return, and the escape of terminal colours. */
const TEXT_CONTROLS: ReadonlySet<number> = new Set([8, 9, 10, 12, 13, 27])
const MOSTLY = 0.4
const PROBE_BYTES = 8192
const GUESS_BYTES = 64 * 1024
