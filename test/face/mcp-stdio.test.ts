import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { expect, onTestFinished, test } from 'vitest'
import type { Era } from './mcp-client.ts'

const SERVER = fileURLToPath(new URL('./stdio-server.ts', import.meta.url))

for (const era of ['legacy', 'auto'] satisfies Era[]) {
  test(`contract §9: MCP over stdio serves both revisions (${era})`, async () => {
    const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: era } })
    await client.connect(new StdioClientTransport({ command: process.execPath, args: [SERVER] }))
    onTestFinished(() => client.close())
    const { tools } = await client.listTools()
    expect(tools.map((tool) => tool.name)).toContain('acquire_lock')
    const status = await client.callTool({ name: 'workspace_status', arguments: {} })
    expect(status.structuredContent).toMatchObject({ session: 'agent-a:stdio' })
    const args = { path: '/shared-data/results.csv', type: 'exclusive', ttl: 300 }
    const granted = await client.callTool({ name: 'acquire_lock', arguments: args })
    expect(granted.structuredContent).toMatchObject({ status: 'granted' })
  })
}
