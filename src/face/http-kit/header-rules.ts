import type { IncomingHttpHeaders } from 'node:http'
import { type ErrorCode, fail } from '../../contract/errors.ts'

/**
 * Request headers that change what a request means. One that is not acted on may not be passed over:
 * a part would be taken for the whole, or a write be done that its client made conditional. Codings
 * and digests of a body are read by `body-terms.ts`, tags by `preconditions.ts`.
 */
interface Rule {
  /** A name, or with a star at its end all that begin so. */
  header: string
  /** Methods that it means something with; absent: all. */
  methods?: readonly string[]
  /** Whether this value is harmless. */
  isFine?: (value: string, headers: IncomingHttpHeaders, method: string) => boolean
  code?: ErrorCode
  detail: string
}

const WRITES = ['PUT', 'PATCH', 'POST', 'DELETE']
const PARTS =
  'To change a part of a file, use PATCH with "replace" and a range; to add to its end, PATCH with "append".'

export const HEADER_RULES: readonly Rule[] = [
  { header: 'content-range', detail: `A body is always whole here. ${PARTS}` },
  { header: 'range', methods: WRITES, detail: `A range is for reading. ${PARTS}` },
  { header: 'x-update-range', detail: `Partial updates of that kind are not known here. ${PARTS}` },
  {
    header: 'upload-*',
    detail: 'Resumable uploads are not known here: send the whole file by PUT.',
  },
  {
    header: 'tus-resumable',
    detail: 'Resumable uploads are not known here: send the whole file by PUT.',
  },
  ...['x-http-method-override', 'x-http-method', 'x-method-override'].map((header) => ({
    header,
    isFine: (value: string, _: IncomingHttpHeaders, method: string) =>
      value.trim().toUpperCase() === method,
    detail: 'The method of a request is the one it is sent with.',
  })),
  ...['x-amz-copy-source', 'x-ms-copy-source', 'x-goog-copy-source'].map((header) => ({
    header,
    detail: 'A copy is made by POST …/commits with {"op": "copy"}.',
  })),
  {
    header: 'transfer-encoding',
    isFine: (value) => value.trim().toLowerCase() === 'chunked',
    code: 'unsupported',
    detail: 'Of transfer codings only "chunked" is known here; compress with Content-Encoding.',
  },
  {
    header: 'if-unmodified-since',
    methods: WRITES,
    // RFC 9110 §13.1.4: not looked at beside If-Match.
    isFine: (_, headers) => headers['if-match'] !== undefined,
    detail: 'Times are too coarse to write by: use If-Match with the ETag.',
  },
  {
    header: 'if',
    methods: WRITES,
    detail: 'Conditions of that kind are for WebDAV: use If-Match.',
  },
  {
    header: 'content-type',
    methods: ['PUT'],
    isFine: (value) => !/^multipart\/form-data/i.test(value.trim()),
    code: 'unsupported',
    detail: 'A form is not a file: send the bytes themselves as the body.',
  },
]

/**
 * Refuses a request with a header that would have to change what is done, and is not acted on.
 *
 * @param actsOn headers that the route itself acts on.
 */
export function checkHeaders(
  method: string,
  headers: IncomingHttpHeaders,
  actsOn: readonly string[] = [],
): void {
  for (const { header, methods, isFine, code = 'invalid_request', detail } of HEADER_RULES) {
    if (methods !== undefined && !methods.includes(method)) continue
    const name = nameIn(headers, header)
    if (name === undefined || actsOn.includes(name)) continue
    const value = String(headers[name])
    if (isFine?.(value, headers, method) === true) continue
    fail(code, `${titled(name)}: ${detail}`, { header: name })
  }
}

function nameIn(headers: IncomingHttpHeaders, header: string): string | undefined {
  if (!header.endsWith('*')) return headers[header] === undefined ? undefined : header
  const start = header.slice(0, -1)
  return Object.keys(headers).find((name) => name.startsWith(start))
}

/** `content-range` as people write it. */
export function titled(header: string): string {
  return header.replaceAll(/(^|-)([a-z])/g, (_, dash: string, letter: string) => {
    return dash + letter.toUpperCase()
  })
}
