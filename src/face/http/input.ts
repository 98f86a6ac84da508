import type { FastifyRequest } from 'fastify'
import { fail, problemOf, SluiceError } from '../../contract/errors.ts'
import type { Operation } from '../../contract/operation.ts'
import { type OperationName, operationOf, type Parsed } from '../../contract/operations.ts'
import { parseInput } from '../../contract/parse.ts'

/**
 * Gathers one operation's input from a request: the URL's names, its query, the JSON body and the
 * headers that stand for fields. No field may come from two places, so that none wins silently.
 */
export function inputOf<N extends OperationName>(name: N, request: FastifyRequest): Parsed<N> {
  const row = operationOf(name)
  const raw: Record<string, unknown> = { ...pathFields(row, request) }
  add(raw, request.query, 'the query')
  add(raw, bodyOf(row, request), 'the body')
  add(raw, headerFields(row, request), 'a header')
  const result = parseInput(name, raw)
  if (!result.ok) throw new SluiceError(problemOf(result.refusal))
  return result.input
}

function add(raw: Record<string, unknown>, more: unknown, from: string): void {
  for (const [field, value] of Object.entries(more as Record<string, unknown>)) {
    if (Object.hasOwn(raw, field)) {
      fail('invalid_request', `${field}: given twice, the second time in ${from}.`, {
        fields: [{ field, fault: `given twice, the second time in ${from}` }],
      })
    }
    // Defining, not assigning: a field named "__proto__" stays a field, and the schema refuses it.
    Object.defineProperty(raw, field, { value, enumerable: true, configurable: true })
  }
}

function bodyOf(row: Operation, request: FastifyRequest): object {
  if (row.content === 'in' || request.body === undefined || request.body === null) return {}
  if (typeof request.body !== 'object' || Array.isArray(request.body)) {
    fail('invalid_request', 'The JSON body must be an object.')
  }
  return request.body
}

function pathFields(row: Operation, request: FastifyRequest): Record<string, string> {
  const { '*': _, ...fields } = request.params as Record<string, string>
  if (!row.http.path.endsWith('{path+}')) return fields
  return { ...fields, path: pathInUrl(row.http.path, request.url) }
}

/**
 * The rest of the URL, decoded name by name, so that an encoded slash cannot pass for a separator.
 * The router's own wildcard is decoded as a whole and is not used.
 */
function pathInUrl(template: string, url: string): string {
  const before = template.split('/').length
  const tail = (url.split(/[?#]/, 1)[0] ?? '').split('/').slice(before)
  const names = tail.map((encoded) => {
    const name = decodeName(encoded)
    if (name.includes('/')) fail('invalid_path', 'A name in a path must not contain a slash.')
    return name
  })
  return `/${names.join('/')}`
}

function decodeName(encoded: string): string {
  try {
    return decodeURIComponent(encoded)
  } catch {
    fail(
      'invalid_path',
      'The URL has a bad percent-encoding: "%" needs two hexadecimal digits, in UTF-8.',
    )
  }
}

function headerFields(row: Operation, request: FastifyRequest): Record<string, unknown> {
  const fields: Record<string, unknown> = {}
  if (row.kind === 'command') Object.assign(fields, conditionFields(row, request.headers))
  const locks = request.headers['sluice-lock']
  if (locks !== undefined && takes(row, 'locks')) fields.locks = String(locks)
  const requestId = request.headers['idempotency-key']
  if (requestId !== undefined && takes(row, 'request_id')) fields.request_id = String(requestId)
  return fields
}

/** A precondition that cannot be kept must not be passed over. */
function conditionFields(row: Operation, headers: FastifyRequest['headers']) {
  const fields: Record<string, unknown> = {}
  const ifMatch = headers['if-match']
  if (ifMatch !== undefined) {
    const version = /^(?:"(\d{1,16})"|(\d{1,16}))$/.exec(ifMatch.trim())
    if (version === null || !takes(row, 'if_version')) {
      fail('invalid_request', 'If-Match takes one version here, for example If-Match: "1042".')
    }
    fields.if_version = version[1] ?? version[2]
  }
  const ifNoneMatch = headers['if-none-match']
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch.trim() !== '*' || !takes(row, 'if_none')) {
      fail(
        'invalid_request',
        'Of If-None-Match, writes of files take "*" (nothing there yet) only.',
      )
    }
    fields.if_none = true
  }
  return fields
}

function takes(row: Operation, field: string): boolean {
  return Object.hasOwn(row.input.shape, field)
}
