import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { OPERATION_NAMES, type OperationName, operationOf } from '../../contract/operations.ts'
import type { EngineApi } from '../../engine/api.ts'
import type { ContentAnswer } from '../http-kit/content.ts'
import { exchangeOf } from '../http-kit/exchange.ts'
import { prefers } from '../http-kit/prefer.ts'
import { withRawBodies } from '../http-kit/route.ts'
import { inputOf } from './input.ts'

/** Puts every row of the operation table under `/v1`. */
export function addOperationRoutes(app: FastifyInstance, engine: EngineApi): void {
  for (const name of OPERATION_NAMES) {
    if (operationOf(name).content !== 'in') addRoute(app, engine, name)
  }
  withRawBodies(app, (uploads) => {
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

function handlerOf(engine: EngineApi, name: OperationName) {
  const { content } = operationOf(name)
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const exchange = exchangeOf(engine, request, reply)
    const answer = await exchange.call(name, await inputOf(name, request, exchange))
    if (content === 'out') return exchange.sendContent(answer as ContentAnswer)
    return sendValue(reply, name, answer.value, prefers(request, 'return=representation'))
  }
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
