import { LIMITS } from '../../contract/limits.ts'
import type { Content } from '../api.ts'

/** Bytes, or some of those that a content has. */
export type Part = Uint8Array | { content: Content; start: number; end: number }

/** Parts put together: in memory where they are small, else one after the other as they are read. */
export function joined(parts: readonly Part[]): Uint8Array | AsyncIterable<Uint8Array> {
  const filled = parts.filter((part) => sizeOf(part) > 0)
  const bytes = filled.map(bytesIn)
  const size = filled.reduce((sum, part) => sum + sizeOf(part), 0)
  const isSmall = size <= LIMITS.smallContentBytes && bytes.every((one) => one !== undefined)
  return isSmall ? Buffer.concat(bytes as Uint8Array[]) : streamed(filled)
}

function sizeOf(part: Part): number {
  return part instanceof Uint8Array ? part.length : part.end - part.start
}

function bytesIn(part: Part): Uint8Array | undefined {
  return part instanceof Uint8Array ? part : part.content.bytes?.subarray(part.start, part.end)
}

async function* streamed(parts: readonly Part[]): AsyncIterable<Uint8Array> {
  for (const part of parts) {
    if (part instanceof Uint8Array) yield part
    else yield* part.content.stream(part.start, part.end)
  }
}
