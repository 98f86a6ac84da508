import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { problemOf, SluiceError } from '../../contract/errors.ts'
import { OPERATION_NAMES, type OperationName, operationOf } from '../../contract/operations.ts'
import { parseInput } from '../../contract/parse.ts'
import { type Answer, CONNECTION_LOST, type EngineApi, type Request } from '../../engine/api.ts'
import { callerOf } from './authenticate.ts'
import { type ContentAnswer, sendContent } from './content.ts'
import { inputOf } from './input.ts'
import { prefers } from './prefer.ts'
import { contentOf } from './upload.ts'

/** Puts every row of the operation table under `/v1`. */
export function addOperationRoutes(app: FastifyInstance, engine: EngineApi): void {
  const names = OPERATION_NAMES.filter((name) => operationOf(name).content !== 'in')
  for (const name of names) addRoute(app, engine, name)
  app.register(async (uploads) => {
    // Uploads take any content type and are read by the handler, never into memory by the framework.
    uploads.removeAllContentTypeParsers()
    uploads.addContentTypeParser('*', (_request, _payload, done) => done(null))
    for (const name of OPERATION_NAMES) {
      if (operationOf(name).content === 'in') addRoute(uploads, engine, name)
    }
  })
}

function addRoute(app: FastifyInstance, engine: EngineApi, name: OperationName): void {
  const { http, content } = operationOf(name)
  const url = `/v1${http.path.replace('{path+}', '*').replaceAll(/\{(\w+)\}/g, ':$1')}`
  const method = content === 'out' ? [http.method, 'HEAD'] : http.method
  const handler = handlerOf(engine, name)
  const config = content === 'in' ? { upload: true } : {}
  app.route({ method, url, handler, config })
  // "/entries" is the root's listing as "/entries/" is.
  if (url.endsWith('/*')) app.route({ method, url: url.slice(0, -2), handler, config })
}

function handlerOf<N extends OperationName>(engine: EngineApi, name: N) {
  const { content } = operationOf(name)
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const input = await inputOf(name, request, versionReader(engine, request))
    const caller = await callerOf(engine, request)
    const call: Request<N> = { operation: name, input, caller }
    if ('wait' in input) call.signal = departureOf(reply, 'request_id' in input)
    if (content === 'in') {
      call.content = await contentOf(request)
      call.contentBytes = declaredBytes(request)
    }
    const { workspace } = input as { workspace?: string }
    let answer: Answer<N>
    try {
      answer = await engine.call(call)
    } finally {
      // What the session should know is told with whatever it asked, refused or not.
      const untold = workspace === undefined ? 0 : engine.untoldNotices(caller, workspace)
      if (untold > 0) reply.header('sluice-notices', String(untold))
    }
    if (workspace !== undefined) reply.header('sluice-revision', String(answer.revision))
    if (content === 'out') return sendContent(request, reply, answer as ContentAnswer)
    return sendValue(reply, name, answer.value, prefers(request, 'return=representation'))
  }
}

/** What a client says of its body before it sends it. */
function declaredBytes({ headers }: FastifyRequest): number | undefined {
  const declared = headers['content-length']
  return declared === undefined ? undefined : Number(declared)
}

/** The version that the caller would read there; 0 where there is nothing that it may see. */
function versionReader(engine: EngineApi, request: FastifyRequest) {
  return async (workspace: string, path: string): Promise<number> => {
    const parsed = parseInput('get_entry', { workspace, path, depth: 0 })
    if (!parsed.ok) throw new SluiceError(problemOf(parsed.refusal))
    const caller = await callerOf(engine, request)
    try {
      const input = parsed.input
      const { value } = await engine.call({ operation: 'get_entry', input, caller })
      return value.kind === 'file' ? value.version : 0
    } catch (error) {
      if (error instanceof SluiceError && error.code === 'not_found') return 0
      throw error
    }
  }
}

/**
 * Aborts when the client leaves before it has its answer. The framework's own signal also aborts when
 * a request's body has been read to its end, which is no departure. With a request id it may come back
 * for the same answer.
 */
function departureOf(reply: FastifyReply, mayComeBack: boolean): AbortSignal {
  const controller = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort(mayComeBack ? CONNECTION_LOST : undefined)
  })
  return controller.signal
}

function sendValue(
  reply: FastifyReply,
  name: OperationName,
  value: unknown,
  wanted: boolean,
): FastifyReply {
  const status = statusOf(name, value)
  if (hasVersion(value)) reply.header('etag', `"${value.version}"`)
  if (status === 204 && !wanted) return reply.code(204).send()
  if (status === 204) reply.header('preference-applied', 'return=representation')
  return reply
    .code(status === 204 ? 200 : status)
    .type('application/json; charset=utf-8')
    .send(JSON.stringify(value))
}

function hasVersion(value: unknown): value is { version: number } {
  return typeof (value as { version?: unknown }).version === 'number'
}

/** The usual status of the row, unless the outcome says which of its others it is. */
function statusOf(name: OperationName, value: unknown): number {
  const { status } = operationOf(name).http
  const { created, status: outcome } = value as { created?: unknown; status?: unknown }
  if (created === true && status.includes(201)) return 201
  if (outcome === 'queued' && status.includes(202)) return 202
  return status[0] ?? 200
}
