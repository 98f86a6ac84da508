/** The official filesystem MCP server, as its package ships it. */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Stage } from '../stage.ts'
import { connectStdio, type McpConnection } from './mcp-client.ts'

const manifest = createRequire(import.meta.url).resolve(
  '@modelcontextprotocol/server-filesystem/package.json',
)

export function filesystemServerVersion(): string {
  const { version } = createRequire(import.meta.url)(manifest) as { version: string }
  return version
}

/** @param folder the one folder it may touch. */
export function startFilesystemServer(stage: Stage, folder: string): Promise<McpConnection> {
  return connectStdio(stage, [join(dirname(manifest), 'dist', 'index.js'), folder])
}
