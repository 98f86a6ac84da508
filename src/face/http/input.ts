import type { FastifyRequest } from 'fastify'
import { fail, problemOf, SluiceError } from '../../contract/errors.ts'
import type { Operation } from '../../contract/operation.ts'
import { type OperationName, operationOf, type Parsed } from '../../contract/operations.ts'
import { parseInput } from '../../contract/parse.ts'
import { conditionFields, takes } from './preconditions.ts'

/**
 * Gathers one operation's input from a request: the URL's names, its query, the JSON body and the
 * headers that stand for fields. No field may come from two places, so that none wins silently.
 *
 * @param versionAt the version of a file now; 0: none.
 */
export async function inputOf<N extends OperationName>(
  name: N,
  request: FastifyRequest,
  versionAt: (workspace: string, path: string) => Promise<number>,
): Promise<Parsed<N>> {
  const row = operationOf(name)
  const place = pathFields(row, request)
  const raw: Record<string, unknown> = { ...place }
  add(raw, request.query, 'the query')
  add(raw, bodyOf(row, request), 'the body')
  add(raw, headerFields(row, request), 'a header')
  const currentOf = () => versionAt(place.workspace ?? 'main', place.path ?? '/')
  add(raw, await conditionFields(row, request.headers, currentOf), 'a header')
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
  const locks = request.headers['sluice-lock']
  if (locks !== undefined && takes(row, 'locks')) fields.locks = String(locks)
  const requestId = request.headers['idempotency-key']
  if (requestId !== undefined && takes(row, 'request_id')) fields.request_id = String(requestId)
  return fields
}
