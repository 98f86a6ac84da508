/** The client that all MCP servers are driven by: the old SDK's, which has the lower overhead. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Stage } from '../stage.ts'

export interface McpConnection {
  /** Gives the tool's text. Rejects when the tool says that it failed. */
  call(tool: string, args: Record<string, unknown>): Promise<string>
  /** The same, with what the tool gives programs. */
  ask(tool: string, args: Record<string, unknown>): Promise<ToolResult>
  close(): Promise<void>
}

export interface ToolResult {
  text: string
  structured: Record<string, unknown>
}

/** Starts a Node program as a stdio MCP server and connects to it (2025-11-25, initialize). */
export function connectStdio(stage: Stage, args: readonly string[]): Promise<McpConnection> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [...args],
    stderr: 'ignore',
  })
  return connectOver(stage, transport)
}

/** Connects to an MCP server over Streamable HTTP, as one session. */
export function connectHttp(stage: Stage, url: string, token: string): Promise<McpConnection> {
  const headers = { authorization: `Bearer ${token}` }
  return connectOver(
    stage,
    new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }),
  )
}

type Transport = StdioClientTransport | StreamableHTTPClientTransport

async function connectOver(stage: Stage, transport: Transport): Promise<McpConnection> {
  const client = new Client({ name: 'sluice-bench', version: '1' })
  stage.atEnd(() => client.close())
  // The SDK's own types disagree under exactOptionalPropertyTypes.
  await client.connect(transport as Parameters<Client['connect']>[0])
  const ask: McpConnection['ask'] = async (tool, args) => {
    const result = await client.callTool({ name: tool, arguments: args })
    const [first] = result.content as { type: string; text?: string }[]
    const text = first?.text ?? ''
    if (result.isError === true) throw new Error(`${tool}: ${text}`)
    return { text, structured: (result.structuredContent ?? {}) as Record<string, unknown> }
  }
  return {
    ask,
    call: async (tool, args) => (await ask(tool, args)).text,
    close: () => client.close(),
  }
}
