import type { ChildProcess } from 'node:child_process'
import type { Readable } from 'node:stream'

/** JSON-RPC as it goes over stdio: a message a line. */
export interface Message {
  id?: number | string
  method?: string
  params?: unknown
  result?: Record<string, unknown>
  error?: { code: number; message: string }
}

/**
 * Hands on each line as a message, or as text where it is none. Lines may have many megabytes, so what
 * came of one is put together only when it ends.
 */
export function readLines(stream: Readable, take: (message: Message | string) => void): void {
  let parts: Buffer[] = []
  stream.on('data', (chunk: Buffer) => {
    let start = 0
    for (let end = chunk.indexOf(FEED); end >= 0; end = chunk.indexOf(FEED, start)) {
      const line = Buffer.concat([...parts, chunk.subarray(start, end)]).toString('utf8')
      parts = []
      start = end + 1
      if (line.trim() !== '') take(messageIn(line))
    }
    parts.push(chunk.subarray(start))
  })
}

function messageIn(line: string): Message | string {
  try {
    const read: unknown = JSON.parse(line)
    return typeof read === 'object' && read !== null ? (read as Message) : line.slice(0, SHOWN)
  } catch {
    return line.slice(0, SHOWN)
  }
}

/** Says once why a process takes no more requests. */
export function closedBy(child: ChildProcess, gone: (why: string) => void): void {
  child.on('error', (error) => gone(`not started: ${error.message}`))
  child.on('close', (code, signal) => gone(`the server ended with ${signal ?? code}`))
}

const FEED = 0x0a
const SHOWN = 200
