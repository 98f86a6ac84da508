import type { FastifyRequest } from 'fastify'
import { LIMITS } from '../../contract/limits.ts'
import { bodyOf, tooLarge } from './body.ts'

/** The body of a PUT as content: it is read by whoever has let the call in. */
export function contentOf(request: FastifyRequest): AsyncIterable<Uint8Array> {
  if ((declaredBytes(request) ?? 0) > LIMITS.fileBytes) tooLarge(LIMITS.fileBytes)
  return bodyOf(request, LIMITS.fileBytes)
}

/** What a client says of its body before it sends it. */
export function declaredBytes({ headers }: FastifyRequest): number | undefined {
  const declared = headers['content-length']
  return declared === undefined ? undefined : Number(declared)
}
