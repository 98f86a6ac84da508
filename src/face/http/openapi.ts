import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { ERRORS, type ErrorCode } from '../../contract/errors.ts'
import type { Operation } from '../../contract/operation.ts'
import { OPERATION_NAMES, operationOf } from '../../contract/operations.ts'
import type { EngineApi } from '../../engine/api.ts'
import { eventsQuery } from './events.ts'

/**
 * The OpenAPI 3.1 document, derived row by row from the operation table. OpenAPI 3.1 speaks JSON
 * Schema 2020-12, which is what zod prints, so nothing is translated.
 */
type Json = Record<string, unknown>

export function openapiOf(version: string): Json {
  const paths: Record<string, Json> = {}
  for (const name of OPERATION_NAMES) {
    const row = operationOf(name)
    const path = `/v1${row.http.path.replace('{path+}', '{path}')}`
    paths[path] = { ...paths[path], [row.http.method.toLowerCase()]: describe(name, row) }
  }
  paths['/v1/workspaces/{workspace}/events'] = { get: describeEvents() }
  paths['/health'] = { get: describeHealth() }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Sluice',
      version,
      description:
        'A file server for swarms of AI agents: files, versions, enforced locks, queues.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }, { basic: [] }],
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        basic: { type: 'http', scheme: 'basic', description: 'Name of the agent, and its token' },
      },
      schemas: { Problem: PROBLEM_SCHEMA },
      headers: {
        SluiceRevision: {
          description: 'The last durable revision of the workspace when the answer was given',
          schema: { type: 'integer' },
        },
        SluiceNotices: {
          description:
            'How many messages wait for the session (who waits for its locks, recalls, questions): ' +
            'read them with workspace_status',
          schema: { type: 'integer' },
        },
      },
    },
  }
}

const PROBLEM_SCHEMA: Json = {
  type: 'object',
  description: 'RFC 9457 problem; more fields by code',
  required: ['type', 'title', 'status', 'code', 'detail', 'retry'],
  properties: {
    type: { type: 'string', examples: ['/errors/locked'] },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', enum: Object.keys(ERRORS) },
    detail: { type: 'string', description: 'What happened, and what to do next' },
    retry: { type: 'string', enum: ['no', 'now', 'after', 'new_input'] },
    retry_after_s: { type: 'number' },
  },
}

function describe(name: string, row: Operation): Json {
  const input = schemaOf(row.input, 'input')
  const { properties = {}, required = [] } = input as { properties?: Json; required?: string[] }
  const inPath = [...row.http.path.matchAll(/\{(\w+)\+?\}/g)].map((match) => match[1] ?? '')
  const rest = Object.keys(properties).filter((field) => !inPath.includes(field))
  const inQuery = row.content === 'in' || ['GET', 'DELETE'].includes(row.http.method)
  const operation: Json = {
    operationId: name,
    summary: row.summary,
    description: roleText(row),
    tags: [tagOf(row.http.path)],
    parameters: [
      ...inPath.map((field) => parameter('path', field, properties[field], true)),
      ...(inQuery ? rest : []).map((field) =>
        parameter('query', field, properties[field], required.includes(field)),
      ),
      ...headerParameters(row),
    ],
    responses: responsesOf(row),
  }
  if (row.content === 'in') operation.requestBody = { required: true, content: BYTES }
  else if (!inQuery && rest.length > 0) {
    operation.requestBody = jsonBody(properties, required, rest)
  }
  return operation
}

const BYTES: Json = { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } }

function jsonBody(properties: Json, required: string[], fields: string[]): Json {
  const schema = {
    type: 'object',
    properties: Object.fromEntries(fields.map((field) => [field, properties[field]])),
    required: required.filter((field) => fields.includes(field)),
    additionalProperties: false,
  }
  return { required: schema.required.length > 0, content: { 'application/json': { schema } } }
}

function parameter(place: string, name: string, schema: unknown, required: boolean): Json {
  const { description, ...rest } = (schema ?? { type: 'string' }) as Json
  return { name, in: place, required, ...(description ? { description } : {}), schema: rest }
}

const HEADERS: Record<string, { field: string; description: string }> = {
  'If-Match': { field: 'if_version', description: 'Stands for if_version: "1042"' },
  'If-None-Match': { field: 'if_none', description: '"*" stands for if_none' },
  'Sluice-Lock': { field: 'locks', description: 'Stands for locks: tokens, by comma' },
  'Idempotency-Key': { field: 'request_id', description: 'Stands for request_id' },
}

function headerParameters(row: Operation): Json[] {
  const text = { type: 'string' }
  const list = Object.entries(HEADERS)
    .filter(([, { field }]) => row.kind === 'command' && Object.hasOwn(row.input.shape, field))
    .map(([name, { description }]) => parameter('header', name, { ...text, description }, false))
  if (row.content === 'out') {
    for (const name of ['Range', 'If-Range', 'If-None-Match']) {
      list.push(parameter('header', name, text, false))
    }
  }
  const description = 'Name of the session; default: the principal’s own default session'
  list.push(parameter('header', 'Sluice-Session', { ...text, description }, false))
  return list
}

function responsesOf(row: Operation): Json {
  const responses: Json = {}
  const headers = {
    'Sluice-Revision': { $ref: '#/components/headers/SluiceRevision' },
    'Sluice-Notices': { $ref: '#/components/headers/SluiceNotices' },
  }
  for (const status of row.http.status) {
    const body =
      row.content === 'out'
        ? BYTES
        : { 'application/json': { schema: schemaOf(row.output, 'output') } }
    const empty = status === 204 || status === 304
    responses[status] = {
      description: STATUS_TEXTS[status] ?? 'Done',
      headers,
      ...(empty ? {} : { content: body }),
    }
  }
  const usual = ['invalid_request', 'unauthenticated', 'forbidden', 'rate_limited', 'overloaded']
  return {
    ...responses,
    ...problemResponses([...row.errors, ...(usual as ErrorCode[]), 'internal']),
  }
}

const STATUS_TEXTS: Record<number, string> = {
  200: 'Done',
  201: 'Made or granted',
  202: 'Queued',
  204: 'Done, nothing to say',
  206: 'The part that Range asked for',
  304: 'Not changed',
}

function problemResponses(codes: readonly ErrorCode[]): Json {
  const byStatus = Map.groupBy(new Set(codes), (code) => ERRORS[code].status)
  const content = {
    'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
  }
  return Object.fromEntries(
    [...byStatus].map(([status, list]) => [status, { description: list.join(', '), content }]),
  )
}

function describeEvents(): Json {
  const { properties } = schemaOf(eventsQuery, 'input') as { properties: Json }
  return {
    operationId: 'watch_events',
    summary: 'The events of a workspace as server-sent events; the id of each is its revision.',
    tags: ['workspaces'],
    parameters: [
      ...Object.entries(properties).map(([name, schema]) =>
        parameter(name === 'workspace' ? 'path' : 'query', name, schema, name === 'workspace'),
      ),
      parameter('header', 'Last-Event-ID', { type: 'string' }, false),
    ],
    responses: {
      200: { description: 'The stream', content: { 'text/event-stream': {} } },
      ...problemResponses(['invalid_request', 'unauthenticated', 'not_found', 'compacted']),
    },
  }
}

function describeHealth(): Json {
  const schema = { type: 'object', properties: { status: { type: 'string' } } }
  const content = { 'application/json': { schema } }
  return {
    operationId: 'health',
    summary: 'Whether the server takes requests.',
    tags: ['server'],
    security: [],
    responses: {
      200: { description: 'It does', content },
      503: { description: 'It does not', content },
    },
  }
}

function tagOf(path: string): string {
  return /^\/(?:workspaces\/\{workspace\}\/)?([a-z]+)/.exec(path)?.[1] ?? 'server'
}

function roleText(row: Operation): string {
  return `Needs the role ${row.role} or a higher one.`
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return json
}

export function addOpenapiRoute(app: FastifyInstance, engine: EngineApi): void {
  let text: string | undefined
  app.get('/openapi.json', { config: { public: true } }, async (_request, reply) => {
    text ??= JSON.stringify(openapiOf(engine.health().version))
    return reply.type('application/json; charset=utf-8').send(text)
  })
}
