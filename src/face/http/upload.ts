import type { FastifyRequest } from 'fastify'
import { fail, SluiceError } from '../../contract/errors.ts'
import { LIMITS } from '../../contract/limits.ts'

/**
 * The body of a PUT as content. Small ones are gathered, so that they can ride in memory; others are
 * handed on as they arrive. When the client goes away in the middle, the iteration rejects: what
 * was sent so far is never taken for the whole.
 */
export async function contentOf(
  request: FastifyRequest,
): Promise<Uint8Array | AsyncIterable<Uint8Array>> {
  const length = request.headers['content-length']
  if (length !== undefined && Number(length) > LIMITS.fileBytes) tooLarge()
  if (length === undefined || Number(length) > LIMITS.smallContentBytes) return chunks(request)
  const parts: Uint8Array[] = []
  for await (const chunk of chunks(request)) parts.push(chunk)
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts)
}

async function* chunks(request: FastifyRequest): AsyncGenerator<Uint8Array> {
  const { raw } = request
  let bytes = 0
  try {
    // Left early (the write was refused), the request must stay open for the refusal to be seen.
    for await (const chunk of raw.iterator({ destroyOnReturn: false })) {
      bytes += chunk.byteLength
      if (bytes > LIMITS.fileBytes) tooLarge()
      yield chunk
    }
  } catch (error) {
    if (error instanceof SluiceError) throw error
    leftEarly()
  }
  if (!raw.complete) leftEarly()
}

function leftEarly(): never {
  fail('invalid_request', 'The client left in the middle of the upload; nothing was written.')
}

function tooLarge(): never {
  fail('too_large', `A file may have ${LIMITS.fileBytes} bytes.`)
}
