import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { type Problem, problemOf, refuse, SluiceError } from '../contract/errors.ts'
import type { Operation } from '../contract/operation.ts'
import type { Input, OperationName, Output } from '../contract/operations.ts'
import { operationOf } from '../contract/operations.ts'
import { parseInput } from '../contract/parse.ts'
import { request, textOf } from './http.ts'
import type { Target } from './target.ts'

/**
 * The operations over HTTP, one request each, in a session that is tied to no connection: what a
 * short-lived process takes there is still held when it is gone.
 */
export class HttpDoor {
  private readonly target: Target
  private readonly session: string | undefined

  get url(): string {
    return this.target.url
  }

  /** @param session undefined: nothing says who calls, and only tokens and versions count */
  constructor(target: Target, session: string | undefined) {
    this.target = target
    this.session = session
  }

  /** Rejects with `SluiceError`. `content` is a stream for operations with `content: 'in'`. */
  async call<N extends OperationName>(
    name: N,
    input: Input<N>,
    content?: Readable | Uint8Array,
  ): Promise<Output<N>> {
    const answer = await this.ask(name, input, content)
    const text = await textOf(answer)
    if (text === '') return {} as Output<N>
    return JSON.parse(text) as Output<N>
  }

  /** The answer itself, its body unread; for operations with `content: 'out'`. */
  async ask<N extends OperationName>(
    name: N,
    input: Input<N>,
    content?: Readable | Uint8Array,
  ): Promise<IncomingMessage> {
    // Faults of the input are told before anything is sent, in the words of every other door.
    const parsed = parseInput(name, input)
    if (!parsed.ok) throw new SluiceError(problemOf(parsed.refusal))
    const row = operationOf(name)
    const { path, rest } = routeOf(row, input, parsed.input as Record<string, unknown>)
    const { headers, fields } = headersOf(row, rest)
    const isQuery =
      row.content === 'in' || row.http.method === 'GET' || row.http.method === 'DELETE'
    const query = isQuery ? queryOf(fields) : ''
    const body = isQuery ? content : JSON.stringify(fields)
    const answer = await request(
      `${this.target.url}/v1${path}${query}`,
      {
        method: row.http.method,
        headers: {
          authorization: `Bearer ${this.target.token}`,
          ...(this.session === undefined ? {} : { 'sluice-session': this.session }),
          // Deletions answer with what they did instead of nothing; refusals are told in our words.
          prefer: 'return=representation, wording=operations',
          ...(body === undefined ? {} : { 'content-type': contentType(row) }),
          ...headers,
        },
      },
      body,
    )
    if ((answer.statusCode ?? 500) >= 400) throw await problemIn(answer, this.target.url)
    return answer
  }
}

function contentType(row: Operation): string {
  return row.content === 'in' ? 'application/octet-stream' : 'application/json'
}

/** Fills the names of the route; what is left of the input travels as query or body. */
function routeOf(row: Operation, input: object, parsed: Record<string, unknown>) {
  const rest: Record<string, unknown> = { ...input }
  const path = row.http.path.replaceAll(/\{(\w+)(\+?)\}/g, (_all, field: string, many: string) => {
    const value = String(parsed[field])
    delete rest[field]
    if (many === '') return encodeURIComponent(value)
    return value.split('/').filter(Boolean).map(encodeURIComponent).join('/')
  })
  return { path, rest }
}

/** Tokens of locks are secrets, and secrets are never in a URL. */
function headersOf(row: Operation, rest: Record<string, unknown>) {
  const { locks, request_id, ...fields } = rest
  const headers: Record<string, string> = {}
  const takesLocks = Object.hasOwn(row.input.shape, 'locks')
  if (takesLocks && locks !== undefined) headers['sluice-lock'] = [locks].flat().join(',')
  if (request_id !== undefined) headers['idempotency-key'] = String(request_id)
  return { headers, fields }
}

function queryOf(fields: Record<string, unknown>): string {
  const query = new URLSearchParams()
  for (const [field, value] of Object.entries(fields)) {
    if (value !== undefined && value !== null) query.set(field, String(value))
  }
  return query.size === 0 ? '' : `?${query.toString()}`
}

async function problemIn(answer: IncomingMessage, url: string): Promise<SluiceError> {
  const text = await textOf(answer)
  try {
    const problem = JSON.parse(text) as Problem
    if (typeof problem.code === 'string') return new SluiceError(problem)
  } catch {
    // Not one of ours: something else answers at that address.
  }
  const detail = `${url} answered ${answer.statusCode ?? 0}, and not in the words of Sluice.`
  return new SluiceError(problemOf(refuse('internal', detail)))
}
