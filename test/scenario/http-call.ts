import { request as httpRequest } from 'node:http'
import { SluiceError } from '../../src/contract/errors.ts'
import { type OperationName, operationOf } from '../../src/contract/operations.ts'
import type { Call } from './seat.ts'

/** Operations as bare HTTP requests, each byte of the URL as it is meant, without a client's tidying. */
export function httpCall(url: string, token: string, session: string): Call {
  return async (name, input, content) => {
    const { method, path, json } = requestOf(name, withWorkspace(name, input))
    const answer = await exactly(url, method, path, content ?? json, {
      authorization: `Bearer ${token}`,
      'sluice-session': session,
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      ...conditions(name, { ...input }),
    })
    if (answer.status >= 400) throw new SluiceError(JSON.parse(answer.body.toString()) as never)
    if (operationOf(name).content === 'out') return { value: {} as never, content: answer.body }
    const text = answer.body.toString()
    return { value: (text === '' ? {} : JSON.parse(text)) as never }
  }
}

function withWorkspace(name: OperationName, input: object): Record<string, unknown> {
  return 'workspace' in operationOf(name).input.shape
    ? { workspace: 'main', ...input }
    : { ...input }
}

function requestOf(name: OperationName, input: Record<string, unknown>) {
  const { http, content } = operationOf(name)
  const rest = { ...input }
  const path = http.path.replaceAll(/\{(\w+)(\+?)\}/g, (_, field: string, isPath: string) => {
    const value = String(rest[field])
    delete rest[field]
    return isPath === '' ? encodeURIComponent(value) : pathInUrl(value)
  })
  if (content === 'in') return { method: http.method, path: `/v1${path}`, json: undefined }
  if (http.method === 'GET' || http.method === 'DELETE') {
    const query = new URLSearchParams(Object.entries(rest).map(([key, value]) => [key, `${value}`]))
    return { method: http.method, path: `/v1${path}?${query}`, json: undefined }
  }
  return { method: http.method, path: `/v1${path}`, json: JSON.stringify(rest) }
}

function conditions(name: OperationName, input: Record<string, unknown>) {
  if (operationOf(name).content !== 'in') return {}
  return {
    ...(input.if_version === undefined ? {} : { 'if-match': `"${String(input.if_version)}"` }),
    ...(input.locks === undefined ? {} : { 'sluice-lock': String(input.locks) }),
    ...(input.request_id === undefined ? {} : { 'idempotency-key': String(input.request_id) }),
  }
}

/** A lone surrogate has no UTF-8; its bytes are sent as if it had. */
function pathInUrl(path: string): string {
  const names = path.replace(/^\//, '').split('/')
  const encode = (name: string) =>
    name.isWellFormed()
      ? encodeURIComponent(name)
      : `${encodeURIComponent(name.replace(/\p{Surrogate}/gu, ''))}%ED%A0%80`
  return names.map(encode).join('/')
}

function exactly(
  url: string,
  method: string,
  path: string,
  body: string | Uint8Array | undefined,
  headers: Record<string, string>,
): Promise<{ status: number; body: Buffer }> {
  const { hostname, port } = new URL(url)
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  return new Promise((resolve, reject) => {
    const options = { hostname, port, method, path, headers: { ...headers, ...length } }
    const request = httpRequest(options, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts) })
      })
    })
    request.on('error', reject)
    request.end(body)
  })
}
