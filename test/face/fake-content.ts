import { createHash } from 'node:crypto'
import type { Content } from '../../src/engine/api.ts'

/** Contents of the fake engine: all of them in memory. */
export async function gather(
  content: Uint8Array | AsyncIterable<Uint8Array> | undefined,
): Promise<Buffer> {
  if (content === undefined) return Buffer.alloc(0)
  if (content instanceof Uint8Array) return Buffer.from(content)
  const parts: Uint8Array[] = []
  for await (const part of content) parts.push(part)
  return Buffer.concat(parts)
}

export function contentOf(bytes: Buffer): Content {
  const content: Content = {
    size: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    async *stream(start = 0, end = bytes.length) {
      for (let at = start; at < end; at += 64 * 1024) {
        yield bytes.subarray(at, Math.min(end, at + 64 * 1024))
      }
    },
  }
  if (bytes.length <= 64 * 1024) content.bytes = bytes
  return content
}
