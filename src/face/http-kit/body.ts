import { pipeline, Readable, type Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import type { FastifyRequest } from 'fastify'
import { fail, refuse, SluiceError } from '../../contract/errors.ts'
import { ContentBroken } from '../../engine/api.ts'
import { bodyTermsOf, type Coding, checked } from './body-terms.ts'

/**
 * A request's body as the client meant it: its sums checked, its coding undone. Nothing is gathered,
 * so it takes no memory however long it is, and whoever reads it gets all of it or a refusal.
 */
export function bodyOf(request: FastifyRequest, mostBytes: number): AsyncIterable<Uint8Array> {
  const { coding, digests } = bodyTermsOf(request.headers)
  const received = { bytes: 0 }
  const raw = arriving(request, received, mostBytes)
  const whole = digests.length === 0 ? raw : checked(raw, digests)
  return coding === undefined ? whole : decoded(whole, coding, received, mostBytes)
}

/** When the client goes away in the middle, what was sent so far is never taken for the whole. */
async function* arriving(
  { raw }: FastifyRequest,
  received: { bytes: number },
  mostBytes: number,
): AsyncGenerator<Uint8Array> {
  try {
    // Left early (the write was refused), the request must stay open for the refusal to be seen.
    for await (const chunk of raw.iterator({ destroyOnReturn: false })) {
      received.bytes += chunk.byteLength
      if (received.bytes > mostBytes) tooLarge(mostBytes)
      yield chunk
    }
  } catch (error) {
    if (error instanceof SluiceError) throw error
    leftEarly()
  }
  if (!raw.complete) leftEarly()
}

async function* decoded(
  source: AsyncIterable<Uint8Array>,
  coding: Coding,
  received: { bytes: number },
  mostBytes: number,
): AsyncGenerator<Uint8Array> {
  const decoder = DECODERS[coding]()
  // A fault of the source ends the decoder too, and is then thrown below.
  pipeline(Readable.from(source, { objectMode: false }), decoder, () => {})
  let bytes = 0
  try {
    for await (const chunk of decoder as AsyncIterable<Buffer>) {
      bytes += chunk.byteLength
      if (bytes > mostBytes) tooLarge(mostBytes)
      if (bytes > FREE_BYTES && bytes > received.bytes * GROWTH_MOST) tooDense(coding)
      yield chunk
    }
  } catch (error) {
    if (error instanceof SluiceError) throw error
    broken(`The body is not whole and valid ${coding}; nothing was changed.`)
  }
}

const DECODERS: Record<Coding, () => Transform> = {
  gzip: createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
}

/** Honest data grows to some twenty times its size; more, and much of it, is meant to do harm. */
const GROWTH_MOST = 200
const FREE_BYTES = 64 * 1024 * 1024

function tooDense(coding: Coding): never {
  fail(
    'too_large',
    `The ${coding} body grows to more than ${GROWTH_MOST} times its size; send it uncompressed.`,
  )
}

function leftEarly(): never {
  broken('The client left in the middle of the upload; nothing was written.')
}

function broken(detail: string): never {
  throw ContentBroken.of(refuse('invalid_request', detail))
}

export function tooLarge(mostBytes: number): never {
  fail('too_large', `A body may have ${mostBytes} bytes here.`)
}
