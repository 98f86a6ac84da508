import type { FastifyInstance } from 'fastify'

declare module 'fastify' {
  /** What a route says of itself to the doors that all requests pass. */
  interface FastifyContextConfig {
    /** The route holds no data and needs no token. */
    public?: boolean
    /** The route's body may be long and slow: no deadline but the connection's silence. */
    upload?: boolean
    /** The route reads the raw body itself, as it came. */
    ownBody?: boolean
    /** Overrides what a 401 asks for. */
    challenge?: string
    /** Headers of `header-rules.ts` that it acts on; with any other of them it is refused. */
    actsOn?: readonly string[]
  }
}

/**
 * Adds routes that take any content type and read the body themselves: the framework reads none of it
 * into memory.
 */
export function withRawBodies(app: FastifyInstance, add: (scope: FastifyInstance) => void): void {
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null))
    add(scope)
  })
}
