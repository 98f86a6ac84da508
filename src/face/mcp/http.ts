import { type NodeIncomingMessageLike, toNodeHandler } from '@modelcontextprotocol/node'
import {
  type AuthInfo,
  createMcpHandler,
  isInitializeRequest,
  isLegacyRequest,
  legacyStatelessFallback,
  type McpRequestContext,
  type McpServer,
  type ServerNotifier,
} from '@modelcontextprotocol/server'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { fail } from '../../contract/errors.ts'
import { LIMITS } from '../../contract/limits.ts'
import type { EngineApi } from '../../engine/api.ts'
import { callerNameOf } from '../http-kit/caller.ts'
import { withRawBodies } from '../http-kit/route.ts'
import type { CrossedCancels } from './crossed.ts'
import { engineDoor } from './door.ts'
import { createSessions, type McpCall } from './http-sessions.ts'
import { createMcpServer, type McpFixtures } from './server.ts'
import type { ToolChoice } from './tools.ts'
import { readWireMessage, type WireReading } from './wire-message.ts'

/**
 * MCP over HTTP at `/mcp` (workspace `main`) and `/mcp/{workspace}`, behind the doors of the HTTP
 * face. One address serves both revisions: 2026-07-28 is stateless, 2025-11-25 has sessions whose
 * `Mcp-Session-Id` is also the name of the Sluice session; without one it is served statelessly.
 */
export interface MountMcpOptions {
  /** Default `core`. */
  tools?: ToolChoice
  /** Real folders of a `folder` workspace. */
  rootsOf?: (workspace: string) => readonly string[] | undefined
  /** For tests of the protocol only. */
  fixtures?: McpFixtures
}

export interface McpMount {
  /** Tells the listeners of the stateless revision what changed. */
  notify: ServerNotifier
}

type Answer = (request: Request, call: McpCall, body: unknown) => Promise<Response>

export function mountMcp(
  app: FastifyInstance,
  engine: EngineApi,
  options: MountMcpOptions = {},
): McpMount {
  const serverFor = createFactory(engine, options)
  const sessions = createSessions(engine, serverFor)
  const fromContext = (context: McpRequestContext) => serverFor(callIn(context.authInfo))
  const onerror = (error: Error) => app.log.debug({ err: error }, 'MCP request refused')
  const modern = createMcpHandler(fromContext, { legacy: 'reject', onerror })
  const stateless = legacyStatelessFallback(fromContext, onerror)
  const legacy: Answer = async (request, call, body) => {
    const isSession = request.headers.has('mcp-session-id') || isInitializeRequest(body)
    if (isSession) return sessions.answer(request, call, body)
    return stateless(request, { authInfo: authOf(call), parsedBody: body })
  }
  const handle = toNodeHandler(
    {
      async fetch(request, { authInfo } = {}) {
        const reading = await bodyOf(request)
        if (reading?.kind === 'refused') return Response.json(reading.answer, { status: 400 })
        const body = reading?.message
        const call = callIn(authInfo)
        if (await isLegacyRequest(request, body)) return legacy(request, call, body)
        return modern.fetch(request, { ...(authInfo ? { authInfo } : {}), parsedBody: body })
      },
    },
    { onerror, maxRequestBodySize: LIMITS.jsonBodyBytes },
  )
  app.addHook('preClose', async () => {
    await Promise.all([modern.close(), sessions.close()])
  })
  addRoutes(app, engine, handle)
  return { notify: modern.notify }
}

function createFactory(engine: EngineApi, options: MountMcpOptions) {
  return async (call: McpCall, crossed?: CrossedCancels): Promise<McpServer> => {
    const { principal, workspace, named } = call
    const roots = options.rootsOf?.(workspace)
    const door = engineDoor(engine, () => engine.callerOf(principal, named))
    return createMcpServer(door, {
      workspace,
      tools: options.tools ?? 'core',
      version: engine.health().version,
      failed: (error) => engine.failed(error),
      ...(crossed === undefined ? {} : { crossed }),
      ...(roots === undefined ? {} : { roots }),
      ...(options.fixtures === undefined ? {} : { fixtures: options.fixtures }),
    })
  }
}

function addRoutes(
  app: FastifyInstance,
  engine: EngineApi,
  handle: ReturnType<typeof toNodeHandler>,
): void {
  // The SDK reads the body itself and answers broken JSON in the protocol's own words.
  withRawBodies(app, (scope) => {
    for (const url of ['/mcp', '/mcp/:workspace']) {
      scope.route({
        method: ['GET', 'POST', 'DELETE'],
        url,
        config: { ownBody: true },
        async handler(request, reply) {
          const call = callOf(engine, request)
          reply.hijack()
          reply.raw.setHeader('x-content-type-options', 'nosniff')
          await handle(withAuth(request.raw, authOf(call)), reply.raw)
        },
      })
    }
  })
}

function callOf(engine: EngineApi, request: FastifyRequest): McpCall {
  const { workspace = 'main' } = request.params as { workspace?: string }
  if (request.principal === undefined) throw new Error('MCP is never served without a principal')
  if (engine.revision(workspace) === undefined) {
    fail('not_found', `There is no workspace "${workspace}".`)
  }
  return { principal: request.principal, workspace, named: callerNameOf(request) }
}

/** The SDK reads who asks from the request itself. Its type wants what Node's only may have. */
function withAuth(raw: FastifyRequest['raw'], auth: AuthInfo): NodeIncomingMessageLike {
  return Object.assign(raw, { auth }) as NodeIncomingMessageLike
}

/** The SDK's carrier of who asks. The token stays behind: nothing inside needs it. */
function authOf(call: McpCall): AuthInfo {
  return { token: '', clientId: call.principal.name, scopes: [], extra: { call } }
}

function callIn(authInfo: AuthInfo | undefined): McpCall {
  const call = authInfo?.extra?.call
  if (call === undefined) throw new Error('an MCP request came in without its caller')
  return call as McpCall
}

const JSON_TYPE = /^application\/json\s*(?:;|$)/i

/** Undefined when there is none, or none that is JSON: the SDK then reads and refuses it. */
async function bodyOf(request: Request): Promise<WireReading | undefined> {
  if (request.body === null || !JSON_TYPE.test(request.headers.get('content-type') ?? '')) {
    return undefined
  }
  try {
    return readWireMessage(await request.clone().json())
  } catch {
    return undefined
  }
}
