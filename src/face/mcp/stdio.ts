import type { Readable, Writable } from 'node:stream'
import { CLIENT_INFO_META_KEY } from '@modelcontextprotocol/server'
import {
  type StdioServerHandle,
  StdioServerTransport,
  serveStdio,
} from '@modelcontextprotocol/server/stdio'
import { cutText } from '../../contract/cut-text.ts'
import type { Door } from '../../contract/door.ts'
import { CrossedCancels } from './crossed.ts'
import { createMcpServer, type McpOptions } from './server.ts'
import { StdioLines } from './stdio-lines.ts'

export interface StdioOptions extends McpOptions {
  /** Instead of the process's own. */
  streams?: { input: Readable; output: Writable }
  onError?: (error: Error) => void
  /** What the client calls itself, before its first call reaches the door. */
  onClient?: (name: string) => void
  /** The client closed its end. */
  onClose?: () => void
}

/** Serves one client over stdin and stdout, whichever revision it speaks. */
export function serveStdioDoor(door: Door, options: StdioOptions): StdioServerHandle {
  const { onError, onClient, onClose } = options
  const { input, output } = options.streams ?? { input: process.stdin, output: process.stdout }
  const lines = new StdioLines((error) => output.write(`${JSON.stringify(error)}\n`))
  const transport = new StdioServerTransport(input.pipe(lines), output, {
    maxBufferSize: BUFFER_BYTES,
  })
  const crossed = new CrossedCancels()
  const handle = serveStdio(() => createMcpServer(door, { ...options, crossed }), {
    transport,
    ...(onError ? { onerror: onError } : {}),
  })
  // The SDK tells the name only in one of the two revisions, so it is read off the wire.
  const { onmessage, onclose } = transport
  transport.onmessage = (message, ...rest) => {
    const name = clientIn(message)
    if (name !== undefined) onClient?.(name)
    void crossed.follow(message)
    onmessage?.(message, ...rest)
  }
  writeTogether(transport, output)
  transport.onclose = () => {
    onclose?.()
    onClose?.()
  }
  return handle
}

/** The lines are bounded before they come here; their bound must not be met by this one. */
const BUFFER_BYTES = 256 * 1024 * 1024

/** Answers that become ready together leave in one write: on a pipe each write is a system call. */
function writeTogether(transport: StdioServerTransport, output: Writable): void {
  const send = transport.send.bind(transport)
  const { onmessage } = transport
  let isCorked = false
  let underWay = 0
  transport.onmessage = (message, ...rest) => {
    if ('method' in message && 'id' in message) underWay += 1
    onmessage?.(message, ...rest)
  }
  transport.send = (message) => {
    const isAlone = underWay <= 1
    if (!('method' in message)) underWay -= 1
    if (!isCorked && !isAlone) {
      isCorked = true
      output.cork()
      setImmediate(() => {
        isCorked = false
        output.uncork()
      })
    }
    return send(message)
  }
}

function clientIn(message: object): string | undefined {
  const { params } = message as { params?: { clientInfo?: unknown; _meta?: object } }
  const meta = params?._meta as Record<string, unknown> | undefined
  const info = params?.clientInfo ?? meta?.[CLIENT_INFO_META_KEY]
  const name = (info as { name?: unknown } | undefined)?.name
  return typeof name === 'string' && name !== '' ? cutText(name, 256).toWellFormed() : undefined
}
