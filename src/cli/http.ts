import http, { type IncomingMessage, type RequestOptions } from 'node:http'
import type { Readable, Writable } from 'node:stream'
import { problemOf, refuse, SluiceError } from '../contract/errors.ts'

/**
 * One HTTP request over a connection of its own. Node's own client, because `fetch` takes longer to
 * load than a short command takes to run.
 */
export async function request(
  url: string,
  options: Pick<RequestOptions, 'method' | 'headers' | 'timeout'>,
  body?: string | Uint8Array | Readable,
): Promise<IncomingMessage> {
  // Loaded only for servers that need it.
  const client = url.startsWith('https:') ? (await import('node:https')).default : http
  return new Promise((resolve, reject) => {
    const asked = client.request(url, { ...options, agent: false }, (answer) => {
      isAnswered = true
      resolve(answer)
    })
    let isAnswered = false
    asked.on('socket', keepReading)
    asked.on('timeout', () => asked.destroy(new Error('no answer in time')))
    asked.on('error', (error: NodeJS.ErrnoException) => {
      // What cuts the connection off after the answer is no news.
      if (!isAnswered) reject(unreachable(url, error.code ?? error.message))
    })
    if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) {
      asked.end(body)
      return
    }
    body.on('error', (error) => {
      asked.destroy()
      reject(error)
    })
    body.pipe(asked)
  })
}

/**
 * A server that refuses an upload half-way answers and hangs up. Node ends a connection at the first
 * write that fails, with the answer unread: here such a write is never done, and reading says how it
 * ends.
 */
function keepReading(connection: Writable): void {
  const write = connection._write
  const writeMany = connection._writev
  const unlessCut =
    (done: Done): Done =>
    (error) => {
      const { code } = (error ?? {}) as NodeJS.ErrnoException
      if (code !== 'EPIPE' && code !== 'ECONNRESET') done(error)
    }
  connection._write = (chunk, encoding, done) =>
    write.call(connection, chunk, encoding, unlessCut(done))
  if (writeMany === undefined) return
  connection._writev = (chunks, done) => writeMany.call(connection, chunks, unlessCut(done))
}

type Done = (error?: Error | null) => void

export async function textOf(answer: IncomingMessage): Promise<string> {
  answer.setEncoding('utf8')
  let text = ''
  for await (const part of answer) text += part as string
  return text
}

function unreachable(url: string, why: string): SluiceError {
  const { origin } = new URL(url)
  return new SluiceError(
    problemOf(refuse('overloaded', `No connection to ${origin} (${why}). Is the server running?`)),
  )
}
