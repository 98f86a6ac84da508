import type { FastifyRequest } from 'fastify'
import { fail } from '../../contract/errors.ts'
import type { Operation } from '../../contract/operation.ts'
import { type OperationName, operationOf } from '../../contract/operations.ts'
import type { Exchange } from '../http-kit/exchange.ts'
import { pathInUrl } from '../http-kit/url-path.ts'

/**
 * Gathers one operation's input from a request: the URL's names, its query, the JSON body and the
 * headers that stand for fields. No field may come from two places, so that none wins silently.
 */
export async function inputOf(
  name: OperationName,
  request: FastifyRequest,
  exchange: Exchange,
): Promise<Record<string, unknown>> {
  const row = operationOf(name)
  const place = pathFields(row, request)
  const raw: Record<string, unknown> = { ...place }
  add(raw, request.query, 'the query')
  add(raw, bodyOf(row, request), 'the body')
  add(raw, await exchange.headerFields(name, place), 'a header')
  return raw
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
  // "v1" comes on top, and the path itself is none of them.
  const namesBefore = row.http.path.split('/').length - 1
  return { ...fields, path: pathInUrl(request.url, namesBefore) }
}
