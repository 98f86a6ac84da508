import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import fastify from 'fastify'
import type { EngineApi } from '../../engine/api.ts'
import { problemFor, sendNoRoute, sendProblem } from '../http-kit/problems.ts'
import { plainPath, searchPlugin } from './docs-script.ts'
import { openapiOf } from './openapi.ts'

/**
 * `/docs`: the reference with search and a try-it, by Swagger UI out of its package. It is a server of
 * its own behind the doors of this one, made when the first visitor comes: nobody else should wait for
 * it. The policy lets the page load and call nothing but this server, and run nothing inline.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const PREFIX = '/docs'

export function addDocsPage(app: FastifyInstance, engine: EngineApi): void {
  let page: Promise<FastifyInstance> | undefined
  for (const url of [PREFIX, `${PREFIX}/*`]) {
    app.route({
      method: ['GET', 'HEAD'],
      url,
      config: { public: true },
      async handler(request, reply) {
        page ??= openPage(engine)
        const { routing } = await page
        reply.hijack()
        routing(request.raw, reply.raw)
      },
    })
  }
  app.addHook('onClose', async () => (await page)?.close())
}

async function openPage(engine: EngineApi): Promise<FastifyInstance> {
  const { fastifySwaggerUi } = await import('@fastify/swagger-ui')
  const app = fastify({ logger: false })
  app.setErrorHandler((error, _request, reply) => sendProblem(reply, problemFor(error, engine)))
  app.setNotFoundHandler(sendNoRoute)
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' })
    done()
  })
  await app.register(bringing(openapiOf(engine.health().version)))
  await app.register(fastifySwaggerUi, {
    routePrefix: PREFIX,
    staticCSP: POLICY,
    theme: { title: 'Sluice reference' },
    uiConfig: {
      // Without the bar in which any document's address can be typed.
      layout: 'BaseLayout',
      filter: true,
      defaultModelsExpandDepth: -1,
      displayRequestDuration: true,
      plugins: [searchPlugin],
      requestInterceptor: plainPath,
    },
  })
  await app.ready()
  return app
}

/**
 * What Swagger UI asks of @fastify/swagger is the document, and ours is made already; so this stands
 * in under its name, as Fastify marks plugins.
 */
function bringing(document: Record<string, unknown>): FastifyPluginAsync {
  // JSON is YAML too.
  const swagger = (options?: { yaml?: boolean }) =>
    options?.yaml === true ? JSON.stringify(document) : document
  const plugin: FastifyPluginAsync = async (app) => {
    app.decorate('swagger', swagger)
  }
  return Object.assign(plugin, {
    [Symbol.for('skip-override')]: true,
    [Symbol.for('plugin-meta')]: { name: '@fastify/swagger' },
  })
}
