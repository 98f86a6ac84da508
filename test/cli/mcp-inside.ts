import { PassThrough } from 'node:stream'
import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client'
import { type Inside, runInside } from './inside.ts'

/** `sluice mcp` inside the test, and a client's way to it: line by line, as between two processes. */
export class McpInside implements Transport {
  onmessage?: (message: JSONRPCMessage) => void
  onclose?: () => void
  onerror?: (error: Error) => void
  private readonly words: readonly string[]
  private readonly own: Inside
  private readonly input = new PassThrough()
  private readonly output = new PassThrough()
  private ended: Promise<unknown> = Promise.resolve()
  private rest = ''

  constructor(words: readonly string[], env: NodeJS.ProcessEnv) {
    this.words = words
    const streams = { stdin: this.input, stdout: this.output, stderr: process.stderr }
    this.own = { env, cwd: process.cwd(), ...streams }
    this.output.setEncoding('utf8').on('data', (text: string) => this.take(text))
  }

  async start(): Promise<void> {
    this.ended = runInside(['mcp', ...this.words], this.own)
      .catch((error: Error) => this.onerror?.(error))
      .finally(() => this.onclose?.())
  }

  async send(message: JSONRPCMessage): Promise<void> {
    this.input.write(`${JSON.stringify(message)}\n`)
  }

  /** As a client goes: it closes the command's stdin. */
  async close(): Promise<void> {
    this.input.end()
    await this.ended
  }

  private take(text: string): void {
    const lines = (this.rest + text).split('\n')
    this.rest = lines.pop() ?? ''
    for (const line of lines) this.onmessage?.(JSON.parse(line) as JSONRPCMessage)
  }
}
