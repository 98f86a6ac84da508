import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { expect, onTestFinished } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import type { HttpOptions } from '../../src/face/http/server.ts'
import { type MountMcpOptions, mountMcp } from '../../src/face/mcp/http.ts'
import { faultOf } from '../case/output-schemas.ts'
import type { FakeEngine } from './fake-engine.ts'
import { type Served, serve, serveReal } from './serve.ts'

/** The first message of a client of MCP 2025-11-25, by hand. */
export const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'test', version: '1' },
  },
}

/** The HTTP face with MCP mounted, and clients of either revision on it. */
export type Era = 'legacy' | 'auto'

export interface Answer {
  text: string
  isError: boolean
  structured: Record<string, unknown>
  content: { type: string; [field: string]: unknown }[]
}

export interface McpClient {
  client: Client
  call(name: string, args?: Record<string, unknown>): Promise<Answer>
}

export async function serveMcp(options: MountMcpOptions = {}): Promise<Served> {
  const extend =
    (engine: FakeEngine): HttpOptions['extend'] =>
    (app) => {
      mountMcp(app, engine, options)
    }
  return serve({}, extend)
}

export async function serveMcpReal(
  options: MountMcpOptions = {},
  http: Partial<HttpOptions> = {},
): Promise<Served<Engine>> {
  const extend = (engine: Engine) => (app: Parameters<typeof mountMcp>[0]) => {
    mountMcp(app, engine, options)
  }
  return serveReal(extend, http)
}

export async function connectMcp(
  { url, tokenOf }: Pick<Served, 'url' | 'tokenOf'>,
  options: {
    era?: Era
    token?: string
    path?: string
    headers?: Record<string, string>
    /** Of the stateless revision: names no session. */
    unnamed?: boolean
  } = {},
): Promise<McpClient> {
  const { era = 'auto', token = 'token-a', path = '/mcp', unnamed = false } = options
  const headers = { ...(unnamed ? {} : { 'sluice-session': 'default' }), ...options.headers }
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: era } })
  const transport = new StreamableHTTPClientTransport(new URL(url + path), {
    requestInit: { headers: { authorization: `Bearer ${tokenOf(token)}`, ...headers } },
  })
  await client.connect(transport)
  onTestFinished(() => client.close())
  return { client, call: (name, args = {}) => call(client, name, args) }
}

async function call(client: Client, name: string, args: Record<string, unknown>): Promise<Answer> {
  const result = await client.callTool({ name, arguments: args })
  const content = result.content as Answer['content']
  // F6: no answer of any test may be one that a strict client refuses.
  expect(faultOf(name, result.structuredContent), name).toBeUndefined()
  return {
    content,
    text: content.map((block) => String(block.text ?? '')).join(''),
    isError: result.isError === true,
    structured: (result.structuredContent ?? {}) as Record<string, unknown>,
  }
}
