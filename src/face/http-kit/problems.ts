import type { FastifyReply, FastifyRequest } from 'fastify'
import {
  type ErrorCode,
  type Problem,
  problemOf,
  refuse,
  SluiceError,
} from '../../contract/errors.ts'
import { LIMITS } from '../../contract/limits.ts'
import { operationOf } from '../../contract/operations.ts'
import { detailIn, type Wording } from '../../contract/wording.ts'
import type { EngineApi } from '../../engine/api.ts'
import { CODINGS } from './body-terms.ts'
import { prefers } from './prefer.ts'

/** Every refusal over HTTP leaves as an RFC 9457 body; this file is the only one that makes them. */

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8'

/** A refused upload's rest is read away up to here, so that its client sees the refusal. */
const DISCARD_BYTES = 64 * 1024 * 1024

/** What Fastify's own refusals are in our catalog. Anything else of its is a plain bad request. */
const FRAMEWORK_CODES: Record<string, { code: ErrorCode; detail: string }> = {
  FST_ERR_CTP_BODY_TOO_LARGE: {
    code: 'too_large',
    detail: `A JSON body may have ${LIMITS.jsonBodyBytes} bytes; send file contents by PUT, which streams them.`,
  },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: 'invalid_request',
    detail: 'The body must be JSON: send it with "Content-Type: application/json".',
  },
  FST_ERR_CTP_INVALID_JSON_BODY: {
    code: 'invalid_request',
    detail: 'The body is not valid JSON.',
  },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    code: 'invalid_request',
    detail: 'The body is not as long as its Content-Length says.',
  },
  FST_ERR_BAD_URL: {
    code: 'invalid_path',
    detail: 'The URL has a bad percent-encoding: a "%" needs two hexadecimal digits, in UTF-8.',
  },
  FST_ERR_MAX_PARAM_LENGTH: { code: 'invalid_request', detail: 'A name in the URL is too long.' },
}

/**
 * The problem of anything thrown. What nobody foresaw goes to the engine's log under an id, and only
 * that id is told.
 */
export function problemFor(error: unknown, engine: EngineApi): Problem {
  if (error instanceof SluiceError) return error.problem
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown }
  const known = typeof code === 'string' ? FRAMEWORK_CODES[code] : undefined
  if (known) return problemOf(refuse(known.code, known.detail))
  if (error instanceof SyntaxError && statusCode === 400) {
    return problemOf(refuse('invalid_request', `The body is not valid JSON: ${error.message}`))
  }
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    const message = error instanceof Error ? error.message : 'The request is not valid.'
    return problemOf(refuse('invalid_request', message))
  }
  return engine.failed(error)
}

/** The answer of a request that was refused or failed, wherever in it: for `setErrorHandler`. */
export function answerError(
  engine: EngineApi,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const problem = problemFor(error, engine)
  const { workspace } = request.params as { workspace?: string }
  if (request.caller !== undefined && workspace !== undefined) {
    const revision = engine.revision(workspace)
    if (revision !== undefined) reply.header('sluice-revision', String(revision))
  }
  if (problem.status === 401) {
    const { challenge } = request.routeOptions.config
    reply.header('www-authenticate', challenge ?? 'Bearer realm="sluice"')
  }
  if (problem.header === 'content-encoding') reply.header('accept-encoding', CODINGS.join(', '))
  if (!request.raw.complete) {
    // A client sees the answer only when it could send the rest; a body half read would hold it.
    if (restBytes(request) > DISCARD_BYTES) reply.header('connection', 'close')
    else request.raw.resume()
  }
  return sendProblem(reply, problem)
}

function restBytes(request: FastifyRequest): number {
  if (request.headers['transfer-encoding'] !== undefined) return Number.POSITIVE_INFINITY
  return Number(request.headers['content-length'] ?? 0)
}

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  if (problem.retry_after_s !== undefined) {
    reply.header('retry-after', String(Math.max(1, Math.ceil(problem.retry_after_s))))
  }
  const detail = prefers(reply.request, 'wording=operations')
    ? problem.detail
    : detailIn(WORDING, problem)
  return reply
    .code(problem.status)
    .type(PROBLEM_TYPE)
    .send(JSON.stringify({ ...problem, detail }))
}

export function sendNoRoute({ method, url }: FastifyRequest, reply: FastifyReply): FastifyReply {
  const detail = `There is no route ${method} ${url.split('?', 1)[0]}.`
  return sendProblem(reply, problemOf(refuse('not_found', detail)))
}

/** Here an operation is a route; what stands before it is the same for all of a workspace. */
const WORDING: Wording = {
  operation(name) {
    const { method, path } = operationOf(name).http
    return `${method} ${path.replace('/workspaces/{workspace}/', '…/').replace('{path+}', '{path}')}`
  },
  argument: (name) => (HEADERS[name] === undefined ? `"${name}"` : `the header ${HEADERS[name]}`),
  takeBack: 'POST …/locks/{id}/handover without "to"',
}

/** Arguments that travel as headers. */
const HEADERS: Record<string, string> = {
  if_version: 'If-Match',
  locks: 'Sluice-Lock',
  request_id: 'Idempotency-Key',
  as: 'Sluice-Session',
}
