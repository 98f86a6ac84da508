import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { problemOf, refuse } from '../../contract/errors.ts'
import { PROBLEM_TYPE } from '../http-kit/problems.ts'

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
