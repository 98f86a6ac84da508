import type { FastifyInstance } from 'fastify'
import { fail } from '../../contract/errors.ts'

/**
 * Pages of other origins (CORS, by @fastify/cors): none but those that were configured. Whether a
 * request may come in at all the guard has said before; this lets a browser hand the answer to the
 * page. Nothing here goes by cookies, so a page still needs a token.
 */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']
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
]
const REMEMBERED_S = 600

/** Its hooks come before all that are added later: a preflight carries no token. */
export async function allowOrigins(
  app: FastifyInstance,
  origins: readonly string[],
): Promise<void> {
  if (origins.length === 0) return
  app.addHook('onRequest', ({ method, url, headers }, _reply, done) => {
    const asked = headers['access-control-request-method']
    if (method === 'OPTIONS' && (headers.origin === undefined || asked === undefined)) {
      fail('not_found', `There is no route OPTIONS ${url.split('?', 1)[0]}.`)
    }
    done()
  })
  const { fastifyCors } = await import('@fastify/cors')
  await app.register(fastifyCors, {
    origin: [...origins],
    methods: METHODS,
    exposedHeaders: EXPOSED,
    maxAge: REMEMBERED_S,
  })
  // Streams and other faces answer past the framework, which would leave its headers out.
  app.addHook('onRequest', (_request, reply, done) => {
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      const isOurs = name === 'vary' || name.startsWith('access-control-')
      if (isOurs && value !== undefined) reply.raw.setHeader(name, value)
    }
    done()
  })
}
