import { hash } from 'node:crypto'
import { fail } from '../../contract/errors.ts'
import { LIMITS } from '../../contract/limits.ts'
import type { ContentFacts } from '../../core/command.ts'
import { type Blobs, ContentTooLarge } from '../../store/blobs.ts'
import type { Attachment } from '../../store/ledger.ts'
import type { Content } from '../api.ts'
import type { Overlay } from '../stream/overlay.ts'
import { DISK_FULL, isNoSpace } from '../stream/storage-refusal.ts'

/**
 * Contents by their SHA-256 (locks §34): bytes are put somewhere safe first, and only the commit
 * makes them visible. Small ones ride with the commit itself; large ones are streamed to the blob
 * store, hashed and synced before the commit is decided.
 */
export interface Staged {
  sha256: string
  size: number
  /** Small contents: to go along with the commit. */
  attachment?: Attachment
}

export function stageBytes(bytes: Uint8Array): Staged & { attachment: Attachment } {
  const sha256 = hash('sha256', bytes, 'hex')
  return { sha256, size: bytes.length, attachment: { sha256, bytes } }
}

/** Streams in constant memory; what ends within 64 KiB stays in memory. */
export async function stage(
  source: Uint8Array | AsyncIterable<Uint8Array>,
  blobs: Blobs,
  limitBytes: number,
): Promise<Staged> {
  if (source instanceof Uint8Array) {
    if (source.length <= LIMITS.smallContentBytes) return stageBytes(source)
    return write(blobs, chunks(source), limitBytes)
  }
  const iterator = source[Symbol.asyncIterator]()
  const head: Uint8Array[] = []
  let size = 0
  for (;;) {
    const next = await iterator.next()
    if (next.done === true) return stageBytes(Buffer.concat(head))
    head.push(next.value)
    size += next.value.length
    if (size > LIMITS.smallContentBytes) break
  }
  return write(blobs, continued(head, iterator), limitBytes)
}

async function write(
  blobs: Blobs,
  source: AsyncIterable<Uint8Array>,
  limitBytes: number,
): Promise<Staged> {
  try {
    return await blobs.write(source, limitBytes)
  } catch (error) {
    if (error instanceof ContentTooLarge) {
      fail('too_large', `The content is larger than the ${limitBytes} bytes a file may have.`, {
        limit: limitBytes,
      })
    }
    if (isNoSpace(error)) fail('server_full', DISK_FULL)
    throw error
  }
}

async function* continued(
  head: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
): AsyncIterable<Uint8Array> {
  let isDone = false
  try {
    yield* head
    for (;;) {
      const next = await rest.next()
      if (next.done === true) {
        isDone = true
        return
      }
      yield next.value
    }
  } finally {
    if (!isDone) await rest.return?.()
  }
}

async function* chunks(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
    yield bytes.subarray(start, start + CHUNK_BYTES)
  }
}

/** What is kept of a version; throws a refusal where only a folder ever had it. */
export function contentOf(overlay: Overlay, blobs: Blobs, { sha256, size }: ContentFacts): Content {
  if (sha256 === '') fail('compacted', NOT_KEPT)
  if (size > LIMITS.smallContentBytes) return contentIn(blobs, { sha256, size })
  const bytes = overlay.get('content', sha256)
  if (!(bytes instanceof Uint8Array)) throw new Error(`Content ${sha256} is missing.`)
  return contentIn(bytes, { sha256, size })
}

/** What was made ready a moment ago, to be read again before it is committed. */
export function contentOfStaged(blobs: Blobs, { sha256, size, attachment }: Staged): Content {
  return contentIn(attachment?.bytes ?? blobs, { sha256, size })
}

function contentIn(place: Uint8Array | Blobs, { sha256, size }: ContentFacts): Content {
  if (!(place instanceof Uint8Array)) {
    return { size, sha256, stream: (start = 0, end = size) => place.read(sha256, start, end) }
  }
  return {
    size,
    sha256,
    bytes: place,
    stream: (start = 0, end = size) => chunks(place.subarray(start, end)),
  }
}

/** The whole content in memory; refuses above `limitBytes`. */
export async function bytesOf(content: Content, limitBytes: number): Promise<Uint8Array> {
  if (content.bytes !== undefined) return content.bytes
  if (content.size > limitBytes) {
    fail('too_large', `The file has ${content.size} bytes; at most ${limitBytes} fit here.`, {
      size: content.size,
      limit: limitBytes,
    })
  }
  return bytesBetween(content, 0, content.size)
}

/** A part that fits into memory. */
export async function bytesBetween(content: Content, start: number, end: number): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of content.stream(start, end)) parts.push(part)
  return Buffer.concat(parts)
}

const NOT_KEPT =
  'The content of that version was only in the folder, and changed before anybody read it here, or was ' +
  'too large to keep. Read the current version, or one that is in the history with a sha256.'
const CHUNK_BYTES = 256 * 1024
