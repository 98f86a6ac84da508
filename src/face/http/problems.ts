import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
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
import { prefers } from './prefer.ts'

/** Every refusal of this face leaves as an RFC 9457 body; this file is the only one that makes them. */

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8'

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

/** Answers what never became a request: headers that are too long, late or not HTTP. */
export function answerBrokenConnection(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const problem = problemOf(brokenConnectionRefusal(error.code))
  const body = JSON.stringify(problem)
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'X-Content-Type-Options: nosniff',
    'Connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}

function brokenConnectionRefusal(code: string | undefined) {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return refuse('too_large', `The headers of a request may have ${HEADER_BYTES} bytes together.`)
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return refuse('invalid_request', 'The headers of the request took too long to arrive.')
  }
  return refuse('invalid_request', 'This is not an HTTP/1.1 request.')
}

/** Most bytes of one request's headers, URL included (a path may have 4,096 bytes, thrice encoded). */
export const HEADER_BYTES = 32 * 1024
