import type { FastifyReply, FastifyRequest } from 'fastify'

/**
 * Pages of other origins (CORS). Which are allowed is the guard's to say, before this: whoever passed
 * it may read the answers too. Nothing here goes by cookies, so a page still needs a token.
 */
const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE'
/** Of our own headers, a page sees only those that are listed. */
const EXPOSED = [
  'Accept-Ranges',
  'Content-Disposition',
  'Content-Range',
  'ETag',
  'Mcp-Protocol-Version',
  'Mcp-Session-Id',
  'Preference-Applied',
  'Retry-After',
  'Sluice-Lock-Expires',
  'Sluice-Lock-Holder',
  'Sluice-Notices',
  'Sluice-Revision',
  'Sluice-Sha256',
  'WWW-Authenticate',
].join(', ')
const ASKED_HEADERS = /^[A-Za-z0-9!#$%&'*+.^_`|~, -]{1,2000}$/
const REMEMBERED_S = 600

/** Set on the raw answer, so that those of other faces carry them too. */
export function allowOrigin({ headers }: FastifyRequest, { raw }: FastifyReply): void {
  const { origin } = headers
  if (origin === undefined) return
  raw.setHeader('access-control-allow-origin', origin)
  raw.setHeader('access-control-expose-headers', EXPOSED)
  raw.setHeader('vary', 'Origin')
}

/** A browser asks so before it sends what a plain form could not; it carries no token. */
export function isPreflight({ method, headers }: FastifyRequest): boolean {
  const asked = headers['access-control-request-method']
  return method === 'OPTIONS' && headers.origin !== undefined && asked !== undefined
}

export function answerPreflight({ headers }: FastifyRequest, reply: FastifyReply): void {
  const asked = headers['access-control-request-headers']
  reply.headers({
    'access-control-allow-methods': METHODS,
    'access-control-max-age': String(REMEMBERED_S),
    vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
  })
  if (asked !== undefined && ASKED_HEADERS.test(asked)) {
    reply.header('access-control-allow-headers', asked)
  }
  if (headers['access-control-request-private-network'] === 'true') {
    reply.header('access-control-allow-private-network', 'true')
  }
  void reply.code(204).send()
}
