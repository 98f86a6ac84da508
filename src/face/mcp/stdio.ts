import { type StdioServerHandle, serveStdio } from '@modelcontextprotocol/server/stdio'
import type { Door } from '../../contract/door.ts'
import { createMcpServer, type McpOptions } from './server.ts'

/** Serves one client over this process's stdin and stdout, whichever revision it speaks. */
export function serveStdioDoor(
  door: Door,
  options: McpOptions & { onError?: (error: Error) => void },
): StdioServerHandle {
  const { onError } = options
  return serveStdio(() => createMcpServer(door, options), onError ? { onerror: onError } : {})
}
