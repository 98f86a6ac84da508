import type { Command } from './command.ts'

/**
 * All commands. Each is loaded when it is run or when help for all is asked: most of the time of a
 * short command is loading.
 */
export const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import('./command/serve.ts')).serve,
  mcp: async () => (await import('./command/mcp.ts')).mcp,
}
