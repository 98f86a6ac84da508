import { isUtf8 } from 'node:buffer'
import { Readable } from 'node:stream'
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fastify, { LogController } from 'fastify'
import { fail, problemOf, refuse, SluiceError } from '../../contract/errors.ts'
import { LIMITS } from '../../contract/limits.ts'
import type { EngineApi } from '../../engine/api.ts'
import { bodyOf } from '../http-kit/body.ts'
import { bodyTermsOf } from '../http-kit/body-terms.ts'
import { authenticate } from '../http-kit/caller.ts'
import { createFailureLimit, type FailureLimit } from '../http-kit/failure-limit.ts'
import { checkHeaders } from '../http-kit/header-rules.ts'
import { answerError, problemFor, sendNoRoute, sendProblem } from '../http-kit/problems.ts'
import { answerBrokenConnection, HEADER_BYTES } from './broken-connection.ts'
import { allowOrigins } from './cross-origin.ts'
import { addDocsPage } from './docs-page.ts'
import { createDrain } from './drain.ts'
import { addEventRoute } from './events.ts'
import { checkedOrigin, createHostGuard } from './guard.ts'
import { addMetrics } from './metrics.ts'
import { addOpenapiRoute } from './openapi.ts'
import { addOperationRoutes } from './routes.ts'

/**
 * The HTTP face: one Fastify server for `/v1`, the reference, metrics and whatever other faces mount
 * on it. Every route passes the same doors in the same order: Host and Origin, draining, token.
 */
export interface HttpOptions {
  host: string
  /** 0 takes any free port. */
  port: number
  /** Names besides loopback and `host` that clients may use as Host and Origin. */
  extraHosts?: readonly string[]
  /** Origins of pages elsewhere that may call this server and read its answers. */
  origins?: readonly string[]
  logger?: FastifyBaseLogger | false
  /** Shown by `/health`, so that programs on this machine know which server they found. */
  instance?: string
  /** Shared with the doors that do not pass through this one; absent: there are none. */
  failures?: FailureLimit
  /** Mounts other faces. Their routes pass the same doors; `config.public` needs no token. */
  extend?: (app: FastifyInstance) => void
}

export interface HttpServer {
  app: FastifyInstance
  /** Starts to listen and gives the base URL. */
  listen(): Promise<string>
  /** Takes no new requests, ends streams, lets the rest finish for a few seconds. */
  close(): Promise<void>
}

const HEADERS_MS = 15_000
const KEEP_ALIVE_MS = 75_000
const BODY_MS = 30_000
const DRAIN_MS = 5_000

export async function createHttp(engine: EngineApi, options: HttpOptions): Promise<HttpServer> {
  const app = createApp(engine, options)
  const closing = new AbortController()
  const drain = createDrain(app.server)
  app.addHook('preClose', async () => {
    closing.abort()
    drain.end(DRAIN_MS)
  })
  // Before any route: each takes the handlers that are there.
  app.setErrorHandler((error, request, reply) => answerError(engine, error, request, reply))
  app.setNotFoundHandler(sendNoRoute)
  addGuard(app, options)
  await allowOrigins(app, (options.origins ?? []).map(checkedOrigin))
  addDoors(app, engine, options.failures ?? createFailureLimit(), closing.signal)
  readCodedBodies(app)
  addMetrics(app, engine)
  addHealth(app, engine, options.instance)
  addOpenapiRoute(app, engine)
  addDocsPage(app, engine)
  addOperationRoutes(app, engine)
  addEventRoute(app, engine, closing.signal)
  options.extend?.(app)
  await app.ready()
  return {
    app,
    listen: () => app.listen({ host: options.host, port: options.port }),
    close: () => app.close(),
  }
}

function createApp(engine: EngineApi, options: HttpOptions): FastifyInstance {
  const app: FastifyInstance = fastify({
    ...(options.logger ? { loggerInstance: options.logger } : { logger: false }),
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: LIMITS.jsonBodyBytes,
    connectionTimeout: LIMITS.silenceMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // Uploads of gigabytes take long; bodies that must be quick have BODY_MS instead.
    requestTimeout: 0,
    http: {
      maxHeaderSize: HEADER_BYTES,
      headersTimeout: HEADERS_MS,
      connectionsCheckingInterval: 5_000,
    },
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 512 },
    clientErrorHandler: answerBrokenConnection,
    frameworkErrors: (error, _request, reply) => {
      reply.header('x-content-type-options', 'nosniff')
      sendProblem(reply as unknown as FastifyReply, problemFor(error, engine))
    },
  })
  app.server.maxConnections = LIMITS.connections
  app.removeContentTypeParser('text/plain')
  // An empty body is no body: POST …/renew needs none, whatever the content type says.
  const parse = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    if (body.length === 0) done(null, undefined)
    else if (isUtf8(body as Buffer)) void parse(request, body.toString(), done)
    // Decoded all the same, it would be stored as something else than what was sent.
    else done(new SluiceError(problemOf(refuse('invalid_request', 'The body is not UTF-8 text.'))))
  })
  return app
}

function addGuard(app: FastifyInstance, options: HttpOptions): void {
  const { host, extraHosts = [], origins = [] } = options
  const checkHost = createHostGuard(host, extraHosts, origins)
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-content-type-options', 'nosniff')
    checkHost(request)
    done()
  })
}

function addDoors(
  app: FastifyInstance,
  engine: EngineApi,
  failures: FailureLimit,
  closing: AbortSignal,
): void {
  app.decorateRequest('principal', undefined)
  app.decorateRequest('caller', undefined)
  app.addHook('onRequest', (request, reply, done) => {
    if (closing.aborted) {
      reply.header('connection', 'close')
      fail('overloaded', 'The server is shutting down.', { retry_after_s: 5 })
    }
    const { config } = request.routeOptions
    if (!request.is404 && config.public !== true) {
      request.principal = authenticate(engine, failures, request)
    }
    if (config.ownBody !== true) checkHeaders(request.method, request.headers, config.actsOn)
    if (config.upload !== true) limitBodyTime(request)
    done()
  })
}

/** Bodies of JSON that are coded, or come with a sum, are read as those of uploads are. */
function readCodedBodies(app: FastifyInstance): void {
  app.addHook('preParsing', async (request, _reply, payload) => {
    const { upload = false, ownBody = false } = request.routeOptions.config
    const { coding, digests } = bodyTermsOf(request.headers)
    if (upload || (coding === undefined && digests.length === 0)) return payload
    if (ownBody) fail('unsupported', 'A body is sent here as it is, without coding and sums.')
    const body = Readable.from(bodyOf(request, LIMITS.jsonBodyBytes), { objectMode: false })
    // The framework compares the length that was sent, not what comes out of the coding.
    const length = Number(request.headers['content-length'])
    return Object.assign(body, Number.isNaN(length) ? {} : { receivedEncodedLength: length })
  })
}

/** A body that trickles in must not hold a connection for ever. */
function limitBodyTime(request: FastifyRequest): void {
  const { raw } = request
  const hasBody =
    raw.headers['transfer-encoding'] !== undefined || Number(raw.headers['content-length']) > 0
  if (!hasBody) return
  const timer = setTimeout(() => raw.destroy(), BODY_MS)
  raw.once('end', () => clearTimeout(timer))
  raw.once('close', () => clearTimeout(timer))
}

function addHealth(app: FastifyInstance, engine: EngineApi, instance: string | undefined): void {
  app.get('/health', { config: { public: true } }, async (_request, reply) => {
    const { status } = engine.health()
    return reply.code(status === 'ok' ? 200 : 503).send({ status, instance })
  })
}
