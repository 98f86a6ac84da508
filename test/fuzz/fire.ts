import { Agent, request as httpRequest } from 'node:http'
import { ERRORS, type ErrorCode } from '../../src/contract/errors.ts'
import type { Rig } from './rig.ts'
import type { HttpRequest, Shot } from './shot.ts'

export interface Outcome {
  isRefused: boolean
  /** What is wrong with the answer; empty when it is as promised. */
  faults: string[]
}

const done: Outcome = { isRefused: false, faults: [] }
const agent = new Agent({ keepAlive: true, maxSockets: 4 })
const ANSWER_MS = 10_000
const QUIET_MS = 25

/** Sends one request and judges its answer. */
export async function fire(rig: Rig, shot: Shot): Promise<Outcome> {
  switch (shot.door) {
    case 'inject':
    case 'http':
      return judgeHttp(await inTime(overHttp(rig, shot.door, shot.principal, shot.request)))
    case 'socket': {
      const socket = await rig.socket(shot.principal)
      return judgeSocket(await inTime(socket.ask(shot.message)))
    }
    case 'frame': {
      const socket = await rig.socket('agent-a')
      await inTime(socket.frame(Uint8Array.from(shot.bytes)))
      return done
    }
    case 'mcp':
      return judgeMcp(await inTime(overMcp(rig, shot)))
    case 'raw': {
      const answer = await inTime(rig.raw(shot.text, QUIET_MS))
      const status = Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 400)
      return { isRefused: status >= 400, faults: badStatus(status) }
    }
  }
}

interface HttpAnswer {
  status: number
  type: string
  text: string
  isHead: boolean
}

async function overHttp(
  rig: Rig,
  door: 'inject' | 'http',
  principal: string,
  { method, url, headers, body }: HttpRequest,
): Promise<HttpAnswer> {
  const token = rig.tokens[principal]
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const all = { host: `127.0.0.1:${rig.port}`, ...authorization, ...headers }
  const isHead = method === 'HEAD'
  // An event stream does not end by itself, and inject gives only whole answers.
  if (door === 'http' || url.includes('/events') || url.includes('/mcp')) {
    return {
      ...(await exactly(rig, {
        method,
        url,
        headers: all,
        ...(body === undefined ? {} : { body }),
      })),
      isHead,
    }
  }
  const answer = await rig.http.app.inject({
    method: method as 'GET',
    url,
    headers: all,
    ...(body === undefined ? {} : { payload: body }),
  })
  const type = String(answer.headers['content-type'] ?? '')
  return { status: answer.statusCode, type, text: answer.body, isHead }
}

function exactly(rig: Rig, request: HttpRequest): Promise<Omit<HttpAnswer, 'isHead'>> {
  return new Promise((resolve, reject) => {
    const { method, url, headers, body } = request
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const sent = httpRequest(
      {
        host: '127.0.0.1',
        port: rig.port,
        method,
        path: url,
        headers: { ...headers, ...length },
        agent,
      },
      (response) => {
        const status = response.statusCode ?? 0
        const type = String(response.headers['content-type'] ?? '')
        let text = ''
        if (type.startsWith('text/event-stream') && status === 200 && method === 'GET') {
          response.destroy()
          return resolve({ status, type, text })
        }
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => {
          text += chunk
        })
        response.on('end', () => resolve({ status, type, text }))
        return response.on('error', reject)
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}

function judgeHttp({ status, type, text, isHead }: HttpAnswer): Outcome {
  const faults = badStatus(status)
  if (status < 400) return { isRefused: false, faults }
  // The protocol of MCP has words of its own for what is not even a message of it.
  const isRpc = type.startsWith('application/json') && text.includes('"jsonrpc"')
  if (!isHead && !isRpc) {
    if (!type.startsWith('application/problem+json')) faults.push(`${status} as ${type}: ${text}`)
    else faults.push(...badProblem(JSON.parse(text), status))
  }
  return { isRefused: true, faults }
}

function judgeSocket(message: unknown[] | undefined): Outcome {
  // Closed: what was said was no message.
  if (message === undefined) return { isRefused: true, faults: [] }
  const [what, , problem] = message
  if (what !== 'refused') return done
  return { isRefused: true, faults: badProblem(problem, undefined) }
}

async function overMcp(rig: Rig, { principal, tool, args }: Extract<Shot, { door: 'mcp' }>) {
  const call = { name: tool, arguments: args }
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: call })
  return exactly(rig, {
    method: 'POST',
    url: '/mcp',
    headers: {
      authorization: `Bearer ${rig.tokens[principal] ?? 'none'}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2025-11-25',
    },
    body,
  })
}

function judgeMcp({ status, type, text }: Omit<HttpAnswer, 'isHead'>): Outcome {
  if (status >= 400) return judgeHttp({ status, type, text, isHead: false })
  const json = type.startsWith('text/event-stream') ? (/^data: (.+)$/m.exec(text)?.[1] ?? '') : text
  const { result, error } = JSON.parse(json) as {
    result?: { isError?: boolean; structuredContent?: unknown; content?: { text: string }[] }
    error?: { code: number }
  }
  if (error !== undefined) {
    return { isRefused: true, faults: error.code === -32603 ? [`MCP: ${json}`] : [] }
  }
  if (result?.isError !== true) return done
  // A tool that does not exist is refused by the protocol, in its own words.
  if (result.structuredContent === undefined) return { isRefused: true, faults: [] }
  return { isRefused: true, faults: badProblem(result.structuredContent, undefined) }
}

function badStatus(status: number): string[] {
  const isTyped = status === 503 || status === 507
  return status >= 500 && !isTyped ? [`status ${status}`] : []
}

function badProblem(raw: unknown, status: number | undefined): string[] {
  const problem = raw as { code?: ErrorCode; status?: unknown; detail?: unknown }
  const row = problem?.code === undefined ? undefined : ERRORS[problem.code]
  if (row === undefined) return [`no code of the catalog: ${JSON.stringify(raw)}`]
  if (problem.code === 'internal') return [`internal: ${JSON.stringify(raw)}`]
  if (status !== undefined && status !== row.status) return [`${problem.code} as ${status}`]
  if (typeof problem.detail !== 'string' || problem.detail === '')
    return [`${problem.code} says nothing`]
  return []
}

function inTime<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ANSWER_MS} ms`)), ANSWER_MS)
  })
  return Promise.race([answer, late]).finally(() => clearTimeout(timer))
}
