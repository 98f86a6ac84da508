import http, { type IncomingMessage, type RequestOptions } from 'node:http'
import type { Readable } from 'node:stream'
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
    asked.on('timeout', () => asked.destroy(new Error('no answer in time')))
    asked.on('error', (error: NodeJS.ErrnoException) => {
      // A server that refuses an upload half-way answers first and then cuts the rest off.
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
