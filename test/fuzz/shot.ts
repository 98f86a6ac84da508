import fc from 'fast-check'
import { OPERATION_NAMES, type OperationName, operationOf } from '../../src/contract/operations.ts'
import { TOOL_NAMES } from '../../src/face/mcp/tools.ts'
import { fieldValue, HOSTILE_PATHS, junk, PATHS } from './values.ts'

/** One request at one door, as plain data. `principal` is a name of the rig's. */
export type Shot =
  | { door: 'inject' | 'http'; principal: string; request: HttpRequest }
  | { door: 'socket'; principal: string; message: unknown[] }
  | { door: 'frame'; bytes: number[] }
  | { door: 'mcp'; principal: string; tool: string; args: unknown }
  | { door: 'raw'; text: string }

export interface HttpRequest {
  method: string
  url: string
  headers: Record<string, string>
  body?: string
}

const principal = fc.oneof(
  { weight: 12, arbitrary: fc.constant('agent-a') },
  { weight: 6, arbitrary: fc.constant('agent-b') },
  { weight: 2, arbitrary: fc.constant('admin') },
  { weight: 1, arbitrary: fc.constantFrom('nobody', 'wrong') },
)

/** Names that a mutation puts in where none belong. */
const STRANGE_FIELDS = ['__proto__', 'constructor', 'x', 'Path', 'ttl ', 'token']

/** An object with what is needed and a few more fields, mostly right; now and then no object at all. */
function inputOf(needed: readonly string[], others: readonly string[]): fc.Arbitrary<unknown> {
  const few = fc.subarray([...others], { maxLength: Math.min(2, others.length) })
  const whole = few.chain((more) => recordOf([...needed, ...more], []))
  const strange = fc
    .tuple(whole, fc.constantFrom(...STRANGE_FIELDS), junk)
    .map(([input, field, value]) => {
      const more = { ...(input as object) }
      Object.defineProperty(more, field, { value, enumerable: true })
      return more
    })
  return fc.oneof(
    { weight: 25, arbitrary: whole },
    { weight: 2, arbitrary: recordOf([], [...needed, ...others]) },
    { weight: 2, arbitrary: strange },
    { weight: 1, arbitrary: junk },
  )
}

function recordOf(needed: readonly string[], others: readonly string[]): fc.Arbitrary<unknown> {
  const fields = [...needed, ...others].map((field) => [field, fieldValue(field)] as const)
  return fc.record(Object.fromEntries(fields), { requiredKeys: [...needed] as never })
}

/** Of these an operation takes exactly one, which its schema alone does not say. */
const EITHER: Partial<Record<OperationName, readonly string[]>> = {
  acquire_lock: ['path', 'items'],
  patch_file: ['append', 'edits', 'replace'],
}

function operationInput(name: OperationName): fc.Arbitrary<unknown> {
  const { shape } = operationOf(name).input
  const either = EITHER[name] ?? []
  const fields = Object.keys(shape).filter((field) => !either.includes(field))
  const isNeeded = (field: string) =>
    field === 'wait' || !shape[field]?.safeParse(undefined).success
  const needed = fields.filter(isNeeded)
  const others = fields.filter((field) => !isNeeded(field))
  if (either.length === 0) return inputOf(needed, others)
  return fc.constantFrom(...either).chain((one) => inputOf([...needed, one], others))
}

/** What changes files and locks comes more often. */
const OFTEN: readonly OperationName[] = [
  'write_file',
  'patch_file',
  'delete_file',
  'commit',
  'acquire_lock',
  'change_lock',
  'release_lock',
  'read_file',
]

const operation = fc
  .constantFrom(...OPERATION_NAMES, ...OFTEN, ...OFTEN, ...OFTEN)
  .chain((name) => fc.tuple(fc.constant(name), operationInput(name)))

const httpShot = fc
  .tuple(fc.constantFrom('inject' as const, 'http' as const), principal, operation, fc.nat(3000))
  .map(([door, who, [name, input], salt]): Shot => {
    return { door, principal: who, request: requestOf(name, input, salt) }
  })

const ODD_URLS = [
  '/',
  '/v1',
  '/v1/nothing',
  '/v1/workspaces/main/files/%2e%2e/x',
  '/v1/workspaces/main/files/%2e%2e%2fx',
  '/v1/workspaces/main/files/..%5cx',
  '/v1/workspaces/main/files/%00',
  '/v1/workspaces/main/files/%zz',
  '/v1/workspaces/main/files/%c0%ae%c0%ae/x',
  '/v1/workspaces/main/files/%ed%a0%80',
  '/v1/workspaces/main/files/a?at=1&at=2',
  '/v1/workspaces/main/files/a?__proto__=1',
  '/v1/workspaces/%2e%2e/files/a',
  `/v1/workspaces/${'w'.repeat(600)}/files/a`,
  '/v1/workspaces/main/locks/L1/renew/x',
  '/v1/workspaces/main/tickets/T1?wait=-1',
  '/v1/workspaces/main/events?since=x',
  '/v1/workspaces/main/events?since=999999',
  '/v1/workspaces/main/entries/?depth=64&limit=1',
  '/v1/socket',
  '/mcp',
  '/mcp/none',
]

const oddShot = fc
  .record({
    door: fc.constantFrom('inject' as const, 'http' as const),
    principal,
    method: fc.constantFrom('GET', 'PUT', 'POST', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'),
    url: fc.constantFrom(...ODD_URLS),
    type: fc.constantFrom('application/json', 'text/plain', 'text/xml', 'multipart/form-data', ';'),
    body: fc.constantFrom(undefined, '', '{', '[]', 'null', '"x"', '{"a":1}', '{"__proto__":{}}'),
    extra: fc.constantFrom(
      {},
      { 'if-match': '*' },
      { 'if-match': 'W/"1"' },
      { 'if-none-match': '"1"' },
      { range: 'bytes=5-1' },
      { range: 'bytes=99-' },
      { 'sluice-session': 'a b' },
      { 'sluice-session': 'admin:default' },
      { 'sluice-lock': ',,x' },
      { 'idempotency-key': 'k'.repeat(200) },
      { 'last-event-id': '-1' },
      { accept: 'text/html' },
    ),
  })
  .map(({ door, principal: who, method, url, type, body, extra }): Shot => {
    const headers = { ...extra, ...(body === undefined ? {} : { 'content-type': type }) }
    const request = { method, url, headers: headers as Record<string, string> }
    return { door, principal: who, request: body === undefined ? request : { ...request, body } }
  })

const socketShot = fc
  .tuple(principal, operation, fc.nat(20))
  .map(([who, [name, input], salt]): Shot => {
    const content = salt % 3 === 0 ? 'text, not bytes' : Buffer.from(`content ${salt}`)
    const withContent = operationOf(name).content === 'in' ? [content] : []
    return { door: 'socket', principal: who, message: ['call', name, input, ...withContent] }
  })

const oddMessage = fc
  .tuple(principal, fc.constantFrom('call', 'watch', 'cancel', 'shout', 7, null), junk, junk)
  .map(([who, what, first, second]): Shot => {
    return { door: 'socket', principal: who, message: [what, first, second] }
  })

const frameShot = fc
  .uint8Array({ maxLength: 60 })
  .map((bytes): Shot => ({ door: 'frame', bytes: [...bytes] }))

const TOOL_FIELDS = [
  'path',
  'paths',
  'source',
  'destination',
  'content',
  'text',
  'edits',
  'type',
  'ttl',
  'intent',
  'scope',
  'priority',
  'lock_id',
  'all',
  'ticket',
  'recursive',
  'dryRun',
  'head',
  'tail',
  'offset',
  'limit',
  'pattern',
  'lock_token',
  'if_version',
  'sortBy',
  'excludePatterns',
] as const

const mcpShot = fc
  .tuple(principal, fc.constantFrom(...TOOL_NAMES, 'no_such_tool'))
  .chain(([who, tool]) => fc.tuple(fc.constant(who), fc.constant(tool), toolArgs(tool)))
  .map(([who, tool, args]): Shot => ({ door: 'mcp', principal: who, tool, args }))

/** Tools differ little in their fields, and those that wait must not. */
function toolArgs(tool: string): fc.Arbitrary<unknown> {
  const mayWait = tool === 'acquire_lock' || tool === 'wait_for_lock'
  const usual = [...(USUAL[tool] ?? ['path']), ...(mayWait ? ['wait'] : [])]
  const others = TOOL_FIELDS.filter((field) => !usual.includes(field))
  const few = fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 2, arbitrary: fc.subarray(others, { maxLength: 2 }) },
  )
  const args = few.chain((more) => recordOf([...usual, ...more], []))
  return mayWait ? args.map(unwaiting) : args
}

/** A wait that is null or not given is the tool's own, of seconds, and a round's clock stands. */
function unwaiting(args: unknown): unknown {
  if (typeof args !== 'object' || args === null || Array.isArray(args)) return args
  const { wait } = args as { readonly wait?: unknown }
  return wait === undefined || wait === null ? { ...args, wait: 0 } : args
}

const USUAL: Record<string, string[]> = {
  write_file: ['path', 'content'],
  append_file: ['path', 'content'],
  edit_file: ['path', 'edits'],
  move_file: ['source', 'destination'],
  copy_file: ['source', 'destination'],
  read_multiple_files: ['paths'],
  search_files: ['path', 'pattern'],
  acquire_lock: ['path', 'type'],
  wait_for_lock: ['ticket'],
  workspace_status: [],
  list_allowed_directories: [],
}

const rawShot = fc
  .oneof(
    fc.string({ unit: 'binary', maxLength: 80 }),
    fc.constantFrom(
      'GET',
      'GET / HTTP/1.1\r\n',
      'GET /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc',
      'PUT /v1/workspaces/main/files/half HTTP/1.1\r\nHost: localhost\r\nAuthorization: TOKEN\r\nContent-Length: 100\r\n\r\nhalf of it',
      'PUT /v1/workspaces/main/files/half HTTP/1.1\r\nHost: localhost\r\nAuthorization: TOKEN\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nhe',
      'PUT /v1/workspaces/main/files/half HTTP/1.1\r\nHost: localhost\r\nAuthorization: TOKEN\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n',
      'PATCH /v1/workspaces/main/files/a HTTP/1.1\r\nHost: localhost\r\nAuthorization: TOKEN\r\nContent-Type: application/json\r\nContent-Length: 40\r\n\r\n{"append":',
      `GET /health HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`,
      'GET /health HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
      'GET /health HTTP/1.1\r\nConnection: close\r\n\r\n',
      'GET /v1/socket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
      'GET /v1/socket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n\r\n',
      'GET http:// HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
      'GET // HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
      'POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: TOKEN\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"jsonrpc"',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    ),
  )
  .map((text): Shot => ({ door: 'raw', text }))

export const shot: fc.Arbitrary<Shot> = fc.oneof(
  { weight: 40, arbitrary: httpShot },
  { weight: 10, arbitrary: oddShot },
  { weight: 25, arbitrary: socketShot },
  { weight: 3, arbitrary: oddMessage },
  { weight: 2, arbitrary: frameShot },
  { weight: 25, arbitrary: mcpShot },
  { weight: 3, arbitrary: rawShot },
)

function requestOf(name: OperationName, raw: unknown, salt: number): HttpRequest {
  const { http, content } = operationOf(name)
  const isObject = typeof raw === 'object' && raw !== null && !Array.isArray(raw)
  const fields: Record<string, unknown> = isObject ? { ...raw } : {}
  const inUrl = http.path.replaceAll(/\{(\w+)\+?\}/g, (_, field: string) => {
    const value = fields[field]
    delete fields[field]
    return field === 'path' ? pathInUrl(value, salt) : encoded(value ?? 'main')
  })
  const headers: Record<string, string> = {}
  let url = `/v1${inUrl}`
  const isQuery = http.method === 'GET' || http.method === 'DELETE' || content === 'in'
  if (isQuery) {
    const pairs = Object.entries(fields).map(([key, value]) => `${encoded(key)}=${encoded(value)}`)
    if (pairs.length > 0) url += `?${pairs.join('&')}`
    const request = { method: http.method, url, headers }
    return content === 'in' ? { ...request, body: `body ${salt}` } : request
  }
  headers['content-type'] = 'application/json'
  return { method: http.method, url, headers, body: JSON.stringify(isObject ? fields : raw) }
}

function encoded(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
  return encodeURIComponent(text.toWellFormed()).slice(0, 8000)
}

function pathInUrl(value: unknown, salt: number): string {
  const all = [...PATHS, ...HOSTILE_PATHS]
  const text = typeof value === 'string' ? value : (all[salt % all.length] as string)
  const names = text
    .toWellFormed()
    .split('/')
    .filter((name) => name !== '')
  return names
    .map((name) => encodeURIComponent(name))
    .join('/')
    .slice(0, 20_000)
}
