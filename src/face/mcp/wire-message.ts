/**
 * One message of JSON-RPC as clients really send it. The SDK drops what does not fit its schema to the
 * letter, and a request that is never answered holds its client for ever; so messages are read here
 * first. What means one thing only is put right (`null` for what is left out, arguments as text);
 * whatever else has an id is answered with what is wrong.
 */
export type WireReading =
  | { kind: 'message'; message: object; isAsCame: boolean }
  | { kind: 'refused'; answer: RpcError }

export interface RpcError {
  jsonrpc: '2.0'
  id: RpcId | null
  error: { code: number; message: string }
}

export type RpcId = string | number

const PARSE_ERROR = -32700
const INVALID_REQUEST = -32600
const INVALID_PARAMS = -32602

export function readWireMessage(raw: unknown): WireReading {
  if (!isRecord(raw)) {
    const what = Array.isArray(raw) ? 'Batches are not part of this protocol' : 'That is no message'
    return refused(null, INVALID_REQUEST, `${what}: send one JSON object at a time.`)
  }
  // An answer to something the server asked: the SDK knows what it asked.
  if (!('method' in raw) && ('result' in raw || 'error' in raw)) return asCame(raw)
  const { jsonrpc, id, method } = raw
  const known = isId(id) ? id : null
  if (jsonrpc !== '2.0') {
    return refused(known, INVALID_REQUEST, 'A message has "jsonrpc": "2.0".')
  }
  if (typeof method !== 'string') {
    return refused(known, INVALID_REQUEST, 'A message has a method, which is a text.')
  }
  if (id !== undefined && known === null) {
    return refused(null, INVALID_REQUEST, 'The id of a request is a text or a whole number.')
  }
  return withParams(raw, known)
}

/** What is not even JSON. */
export function unreadable(line: string, why: string): RpcError {
  return refusal(idIn(line), PARSE_ERROR, why)
}

function withParams(raw: Record<string, unknown>, id: RpcId | null): WireReading {
  const { jsonrpc, method, params } = raw
  const message: Record<string, unknown> = { jsonrpc, method }
  if (id !== null) message.id = id
  const isTool = method === 'tools/call'
  if ((params === undefined || params === null) && !isTool) return changed(message)
  const given = params ?? {}
  if (!isRecord(given)) {
    return refused(id, INVALID_PARAMS, 'params is an object, or left out.')
  }
  const read = withoutNulls(given)
  if (isTool) {
    if (typeof read.name !== 'string') {
      return refused(id, INVALID_PARAMS, 'name is the name of a tool; tools/list has them.')
    }
    if ('arguments' in read) read.arguments = objectIn(read.arguments)
    if (read.arguments !== undefined && !isRecord(read.arguments)) {
      return refused(id, INVALID_PARAMS, 'arguments is an object, or left out.')
    }
  }
  const isAsCame =
    Object.keys(raw).every((name) => FIELDS.has(name)) &&
    Object.keys(read).length === Object.keys(given).length &&
    read.arguments === given.arguments
  return isAsCame ? asCame(raw) : changed({ ...message, params: read })
}

const FIELDS: ReadonlySet<string> = new Set(['jsonrpc', 'id', 'method', 'params'])

function withoutNulls(params: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(params).filter(([, value]) => value !== null))
}

/** Some clients send an object as the text of its JSON. */
function objectIn(given: unknown): unknown {
  if (typeof given !== 'string') return given
  if (given.trim() === '') return {}
  try {
    return JSON.parse(given) ?? {}
  } catch {
    return given
  }
}

/** The id of a request that could not be read whole, where it stands before anything nested. */
function idIn(line: string): RpcId | null {
  const found = /^\s*\{[^{}[\]]*?"id"\s*:\s*(?:"((?:[^"\\]){0,256})"|(-?\d{1,15})(?=\s*[,}]))/.exec(
    line,
  )
  if (found === null) return null
  return found[1] ?? Number(found[2])
}

function isId(id: unknown): id is RpcId {
  return typeof id === 'string' || Number.isSafeInteger(id)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function asCame(message: object): WireReading {
  return { kind: 'message', message, isAsCame: true }
}

function changed(message: object): WireReading {
  return { kind: 'message', message, isAsCame: false }
}

function refused(id: RpcId | null, code: number, message: string): WireReading {
  return { kind: 'refused', answer: refusal(id, code, message) }
}

function refusal(id: RpcId | null, code: number, message: string): RpcError {
  return { jsonrpc: '2.0', id, error: { code, message } }
}
