import { PassThrough } from 'node:stream'
import { onTestFinished } from 'vitest'
import { engineDoor } from '../../src/face/mcp/door.ts'
import { serveStdioDoor } from '../../src/face/mcp/stdio.ts'
import type { ToolChoice } from '../../src/face/mcp/tools.ts'
import { openRealEngine } from '../face/real-engine.ts'

/** The stdio door over the real engine, both in this process, spoken to line by line. */
export interface StdioEnd {
  /** Writes it as it is, and waits for the next line that comes back. */
  ask(line: string | object): Promise<Reply>
  /** Calls a tool with these arguments, whatever they are. */
  call(name: string, args: unknown): Promise<Reply>
}

export interface Reply {
  id: unknown
  error?: { code: number; message: string }
  result?: {
    isError?: boolean
    content: { type: string; text?: string }[]
    structuredContent?: Record<string, unknown>
  }
}

export async function openStdio(tools: ToolChoice = 'full'): Promise<StdioEnd> {
  const { engine } = await openRealEngine()
  const caller = await engine.callerOf({ name: 'agent-a', role: 'agent' }, 'stdio')
  const input = new PassThrough()
  const output = new PassThrough()
  const handle = serveStdioDoor(engineDoor(engine, caller), {
    workspace: 'main',
    tools,
    version: '0.0.0',
    failed: (error) => engine.failed(error),
    streams: { input, output },
  })
  onTestFinished(async () => {
    await handle.close()
    await engine.close()
  })
  const waiting: ((reply: Reply) => void)[] = []
  let rest = ''
  output.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) waiting.shift()?.(JSON.parse(line) as Reply)
  })
  const ask = (line: string | object): Promise<Reply> => {
    const answer = new Promise<Reply>((resolve) => waiting.push(resolve))
    input.write(`${typeof line === 'string' ? line : JSON.stringify(line)}\n`)
    return answer
  }
  let lastId = 1
  const hello = {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'test', version: '1' },
  }
  await ask({ jsonrpc: '2.0', id: lastId, method: 'initialize', params: hello })
  return {
    ask,
    call(name, args) {
      lastId += 1
      const params = { name, arguments: args }
      return ask({ jsonrpc: '2.0', id: lastId, method: 'tools/call', params })
    },
  }
}
