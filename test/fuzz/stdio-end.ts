import { PassThrough } from 'node:stream'
import type { Caller, EngineApi } from '../../src/engine/api.ts'
import { engineDoor } from '../../src/face/mcp/door.ts'
import { serveStdioDoor } from '../../src/face/mcp/stdio.ts'

/** The stdio door over an engine, both in this process, spoken to line by line. */
export class StdioEnd {
  private readonly input = new PassThrough()
  private readonly output = new PassThrough()
  private readonly waiting: ((reply: Reply) => void)[] = []
  private readonly handle: { close(): Promise<void> }
  private rest = ''
  private lastId = 0

  private constructor(engine: EngineApi, caller: Caller) {
    this.output.setEncoding('utf8').on('data', (text: string) => this.take(text))
    this.handle = serveStdioDoor(engineDoor(engine, caller), {
      workspace: 'main',
      tools: 'full',
      version: '0.0.0',
      failed: (error) => engine.failed(error),
      streams: { input: this.input, output: this.output },
    })
  }

  static async open(engine: EngineApi, caller: Caller): Promise<StdioEnd> {
    const end = new StdioEnd(engine, caller)
    await end.ask({ jsonrpc: '2.0', id: 0, method: 'initialize', params: HELLO })
    return end
  }

  /** Writes it as it is, and waits for the next line that comes back. */
  ask(line: string | object): Promise<Reply> {
    const answer = new Promise<Reply>((resolve) => this.waiting.push(resolve))
    this.input.write(`${typeof line === 'string' ? line : JSON.stringify(line)}\n`)
    return answer
  }

  /** Calls a tool with these arguments, whatever they are. */
  call(name: string, args: unknown): Promise<Reply> {
    this.lastId += 1
    const params = { name, arguments: args }
    return this.ask({ jsonrpc: '2.0', id: this.lastId, method: 'tools/call', params })
  }

  close(): Promise<void> {
    return this.handle.close()
  }

  private take(text: string): void {
    const lines = (this.rest + text).split('\n')
    this.rest = lines.pop() ?? ''
    for (const line of lines) this.waiting.shift()?.(JSON.parse(line) as Reply)
  }
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

const HELLO = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'test', version: '1' },
}
