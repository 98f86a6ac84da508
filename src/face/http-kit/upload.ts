import type { FastifyRequest } from 'fastify'
import { LIMITS } from '../../contract/limits.ts'
import { bodyOf, tooLarge } from './body.ts'

/**
 * The body of a PUT as content. Small ones are gathered, so that they can ride in memory; others are
 * handed on as they arrive.
 */
export async function contentOf(
  request: FastifyRequest,
): Promise<Uint8Array | AsyncIterable<Uint8Array>> {
  const length = request.headers['content-length']
  if (length !== undefined && Number(length) > LIMITS.fileBytes) tooLarge(LIMITS.fileBytes)
  const content = bodyOf(request, LIMITS.fileBytes)
  // The length is that of the coded body, which says little of what comes out.
  const isSmall = Number(length ?? Number.POSITIVE_INFINITY) <= LIMITS.smallContentBytes
  if (!isSmall || request.headers['content-encoding'] !== undefined) return content
  const parts: Uint8Array[] = []
  for await (const chunk of content) parts.push(chunk)
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts)
}

/** What a client says of its body before it sends it. */
export function declaredBytes({ headers }: FastifyRequest): number | undefined {
  const declared = headers['content-length']
  return declared === undefined ? undefined : Number(declared)
}
