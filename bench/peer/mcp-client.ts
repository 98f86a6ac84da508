/** The client that both MCP servers are driven by: the old SDK's, which has the lower overhead. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import type { Stage } from '../stage.ts'

export interface McpConnection {
  /** Rejects when the tool says that it failed. Gives the tool's text. */
  call(tool: string, args: Record<string, unknown>): Promise<string>
  /** The server's process. */
  pid: number | undefined
  close(): Promise<void>
}

/** Starts a Node program as a stdio MCP server and connects to it (2025-11-25, initialize). */
export async function connectStdio(stage: Stage, args: readonly string[]): Promise<McpConnection> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [...args],
    stderr: 'ignore',
  })
  const connection = over(new Client({ name: 'sluice-bench', version: '1' }), transport)
  stage.atEnd(() => connection.then(({ close }) => close()))
  return connection
}

type Transport = Parameters<Client['connect']>[0]

export async function over(client: Client, transport: Transport): Promise<McpConnection> {
  await client.connect(transport)
  return {
    pid: (transport as { pid?: number | null }).pid ?? undefined,
    close: () => client.close(),
    async call(tool, args) {
      const result = await client.callTool({ name: tool, arguments: args })
      const [first] = result.content as { type: string; text?: string }[]
      const text = first?.text ?? ''
      if (result.isError === true) throw new Error(`${tool}: ${text}`)
      return text
    },
  }
}
