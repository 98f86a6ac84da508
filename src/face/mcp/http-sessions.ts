import {
  type McpServer,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server'
import type { CallerName, EngineApi, Principal } from '../../engine/api.ts'
import { CrossedCancels } from './crossed.ts'

/** Who asks, and for which workspace: travels with the request through the SDK. */
export interface McpCall {
  principal: Principal
  workspace: string
  named: CallerName
}

/**
 * Sessions of MCP 2025-11-25 over HTTP. Each is one transport with one server, and one Sluice session
 * of the same name. A session belongs to the principal and workspace it was opened for; for anybody
 * else there is none of that id.
 */
export interface Sessions {
  answer(request: Request, call: McpCall, body: unknown): Promise<Response>
  close(): Promise<void>
}

interface Session {
  id: string
  call: McpCall
  transport: WebStandardStreamableHTTPServerTransport
  server: McpServer
  leave: () => void
  crossed: CrossedCancels
  lastUsed: number
  /** Requests and streams under way; such a session is not idle. */
  underWay: number
}

const SESSIONS_MOST = 2_000
const IDLE_MS = 60 * 60_000
const SWEEP_MS = 60_000

export function createSessions(
  engine: EngineApi,
  serverFor: (call: McpCall, crossed: CrossedCancels) => Promise<McpServer>,
): Sessions {
  const sessions = new Map<string, Session>()
  const end = async (session: Session): Promise<void> => {
    if (!sessions.delete(session.id)) return
    session.leave()
    await session.transport.close()
    await session.server.close()
  }
  const sweep = setInterval(() => {
    const oldest = performance.now() - IDLE_MS
    for (const session of sessions.values()) {
      if (session.underWay === 0 && session.lastUsed < oldest) void end(session)
    }
  }, SWEEP_MS)
  sweep.unref()
  return {
    async answer(request, call, body) {
      const id = request.headers.get('mcp-session-id')
      const session = id === null ? undefined : sessions.get(id)
      if (id !== null && (session === undefined || !belongsTo(session, call)))
        return unknownSession()
      if (session !== undefined) return pass(session, request, body)
      if (sessions.size >= SESSIONS_MOST) return tooMany()
      const opened = await open(serverFor, call)
      opened.transport.onclose = () => void end(opened)
      sessions.set(opened.id, opened)
      const answer = await pass(opened, request, body)
      if (!answer.ok) await end(opened)
      return answer
    },
    async close() {
      clearInterval(sweep)
      await Promise.all([...sessions.values()].map(end))
    },
  }

  async function open(
    factory: (call: McpCall, crossed: CrossedCancels) => Promise<McpServer>,
    call: McpCall,
  ): Promise<Session> {
    const id = crypto.randomUUID()
    const own = { ...call, named: { session: id, tied: true } }
    const crossed = new CrossedCancels()
    const server = await factory(own, crossed)
    // The session lives as long as this one: after a restart it is known to be gone.
    const leave = engine.connect(await engine.callerOf(call.principal, own.named))
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => id,
      onsessionclosed: () => endSluiceSession(engine, own),
    })
    await server.connect(transport)
    return {
      id,
      call: own,
      transport,
      server,
      leave,
      crossed,
      lastUsed: performance.now(),
      underWay: 0,
    }
  }
}

function belongsTo(session: Session, call: McpCall): boolean {
  const { principal, workspace } = session.call
  return principal.name === call.principal.name && workspace === call.workspace
}

async function pass(session: Session, request: Request, body: unknown): Promise<Response> {
  session.underWay += 1
  session.lastUsed = performance.now()
  const done = () => {
    session.underWay -= 1
    session.lastUsed = performance.now()
  }
  try {
    for (const message of [body].flat()) await session.crossed.follow(message)
    const parsed = body === undefined ? {} : { parsedBody: body }
    const answer = await newestStream(session, request, () =>
      session.transport.handleRequest(request, parsed),
    )
    if (answer.body === null) return finished(answer, done)
    // Node sends the head with the first bytes, and a stream of news may have none for long.
    const first = request.method === 'GET' ? ': open\n\n' : ''
    return followed(answer, answer.body, first, done)
  } catch (error) {
    done()
    throw error
  }
}

/**
 * A session has one stream of news. A client that asks for it again has lost the one before, whatever
 * its connection looks like from here: the newer one takes its place.
 */
async function newestStream(
  { transport }: Session,
  { method }: Request,
  handle: () => Promise<Response>,
): Promise<Response> {
  const answer = await handle()
  if (method !== 'GET' || answer.status !== 409) return answer
  transport.closeStandaloneSSEStream()
  return handle()
}

function finished(answer: Response, done: () => void): Response {
  done()
  return answer
}

/** The answer may be a stream: the session is in use until it ends or its client leaves. */
function followed(
  answer: Response,
  body: ReadableStream,
  first: string,
  done: () => void,
): Response {
  const reader = body.getReader()
  const stream = new ReadableStream({
    start(controller) {
      if (first !== '') controller.enqueue(new TextEncoder().encode(first))
    },
    async pull(controller) {
      const turn = await reader.read().catch((error: unknown) => {
        done()
        throw error
      })
      if (!turn.done) return controller.enqueue(turn.value)
      done()
      controller.close()
    },
    async cancel(reason) {
      done()
      await reader.cancel(reason)
    },
  })
  const { status, headers } = answer
  return new Response(stream, { status, headers })
}

/** The client has ended it: its locks go back at once. */
async function endSluiceSession(engine: EngineApi, call: McpCall): Promise<void> {
  const caller = await engine.callerOf(call.principal, call.named)
  await engine.call({ operation: 'end_session', input: { id: caller.session }, caller })
}

function unknownSession(): Response {
  return refusal(404, -32001, 'Session not found: send initialize for a new one.')
}

function tooMany(): Response {
  return refusal(429, -32000, 'Too many MCP sessions are open; try again later.', {
    'retry-after': '60',
  })
}

function refusal(
  status: number,
  code: number,
  message: string,
  headers: Record<string, string> = {},
): Response {
  const error = { jsonrpc: '2.0', error: { code, message }, id: null }
  return Response.json(error, { status, headers })
}
