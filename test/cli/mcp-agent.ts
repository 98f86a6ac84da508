import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { expect, onTestFinished } from 'vitest'
import { type Place, SLUICE } from './sluice.ts'

export type Era = 'legacy' | 'auto'

export interface Agent {
  client: Client
  call(name: string, args?: Record<string, unknown>): Promise<Record<string, unknown>>
}

/** A client that starts `sluice mcp` as its own process in a place. */
export async function connectMcp(
  place: Place,
  words: string[] = [],
  era: Era = 'auto',
): Promise<Agent> {
  const client = new Client(
    { name: `tester-${era}`, version: '1' },
    { versionNegotiation: { mode: era } },
  )
  // Anything on stdout that is not MCP comes to this.
  const errors: Error[] = []
  client.onerror = (error) => errors.push(error)
  const args = [SLUICE, 'mcp', '--idle-exit', '1', ...words]
  await client.connect(
    new StdioClientTransport({ command: process.execPath, args, cwd: place.folder }),
  )
  onTestFinished(async () => {
    await client.close()
    expect(errors).toEqual([])
  })
  return {
    client,
    async call(name, args = {}) {
      const answer = await client.callTool({ name, arguments: args })
      return answer.structuredContent as Record<string, unknown>
    },
  }
}

/** Undefined for a refusal. */
export function answered(answer: Record<string, unknown>): Record<string, unknown> | undefined {
  return answer.code === undefined ? answer : undefined
}
