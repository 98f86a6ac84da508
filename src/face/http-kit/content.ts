import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { fail } from '../../contract/errors.ts'
import type { ContentOut } from '../../contract/operations.ts'
import type { Answer, Content } from '../../engine/api.ts'
import { matchesStrongly, matchesWeakly, parseTags } from './entity-tag.ts'
import { type ByteRange, parseRange } from './range.ts'

export type ContentAnswer = { [N in ContentOut]: Answer<N> }[ContentOut]

/**
 * Answers GET and HEAD of a file or draft: strong ETag, one range, 304. Contents are data of strangers, so
 * whatever they are, a browser may neither render them as a page nor run anything in them.
 */
export async function sendContent(
  request: FastifyRequest,
  reply: FastifyReply,
  answer: ContentAnswer,
): Promise<FastifyReply> {
  const { value, content } = answer
  if (content === undefined) throw new Error('the engine read a file without its content')
  const isFile = 'version' in value
  const etag = isFile ? `"${value.version}"` : `"${value.draft}"`
  reply.headers({
    etag,
    'accept-ranges': 'bytes',
    'cache-control': 'private, no-cache',
    'last-modified': new Date(isFile ? value.modified_at : value.at).toUTCString(),
    'content-security-policy': "sandbox; default-src 'none'",
    'content-disposition': 'attachment',
    ...(content.sha256 === '' ? {} : { 'sluice-sha256': content.sha256 }),
  })
  if (isFile && value.lock !== undefined) {
    reply.header('sluice-lock-holder', value.lock.agent)
    reply.header('sluice-lock-expires', value.lock.expires_at)
  }
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = request.headers
  const tag = etag.slice(1, -1)
  if (ifMatch !== undefined && !matchesStrongly(parseTags(ifMatch) ?? [], tag)) {
    reply.removeHeader('content-disposition')
    fail('stale_version', `If-Match: ${ifMatch} does not match; ${etag} is there.`, { etag })
  }
  if (ifNoneMatch !== undefined && matchesWeakly(parseTags(ifNoneMatch) ?? [], tag)) {
    return reply.code(304).send()
  }
  reply.type(await mediaTypeOf(value.path, content))
  const range = rangeOf(request, reply, etag, content.size)
  const { start, end } = range ?? { start: 0, end: content.size }
  if (range !== undefined) {
    reply.code(206).header('content-range', `bytes ${start}-${end - 1}/${content.size}`)
  }
  reply.header('content-length', String(end - start))
  if (request.method === 'HEAD') return reply.send()
  return reply.send(bodyOf(content, start, end))
}

/** Loaded with the first file: the table of names would hold up the start. */
let mediaTypes: typeof import('../media-type.ts') | undefined

async function mediaTypeOf(path: string, content: Content): Promise<string> {
  mediaTypes ??= await import('../media-type.ts')
  const { HEAD_BYTES, typeByBytes, typeByName } = mediaTypes
  const byName = typeByName(path)
  if (byName !== undefined) return byName
  const type = await typeByBytes(await headOf(content, HEAD_BYTES))
  return type ?? 'application/octet-stream'
}

async function headOf(content: Content, most: number): Promise<Uint8Array> {
  if (content.bytes !== undefined) return content.bytes.subarray(0, most)
  const chunks: Uint8Array[] = []
  const end = Math.min(content.size, most)
  for await (const chunk of content.stream(0, end)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function bodyOf(content: Content, start: number, end: number): Buffer | Readable {
  const { bytes } = content
  if (bytes !== undefined) {
    return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start)
  }
  // Bytes, not objects: the stream's own bound then counts bytes.
  return Readable.from(content.stream(start, end), { objectMode: false })
}

function rangeOf(
  request: FastifyRequest,
  reply: FastifyReply,
  etag: string,
  size: number,
): ByteRange | undefined {
  const header = request.headers.range
  const ifRange = request.headers['if-range']
  if (header === undefined || request.method === 'HEAD') return undefined
  // A date in If-Range is never a strong validator here: the whole content is always right.
  if (ifRange !== undefined && String(ifRange).trim() !== etag) return undefined
  const range = parseRange(header, size)
  if (range !== 'unsatisfiable') return range
  reply.header('content-range', `bytes */${size}`)
  reply.removeHeader('content-disposition')
  fail('range_invalid', `The file has ${size} bytes; the range lies outside of them.`, { size })
}
