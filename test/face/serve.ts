import { request as httpRequest } from 'node:http'
import { afterEach } from 'vitest'
import type { HttpOptions, HttpServer } from '../../src/face/http/server.ts'
import { createHttp } from '../../src/face/http/server.ts'
import { FakeEngine } from './fake-engine.ts'

/** The HTTP face over an engine, listening on a port of its own; closed after the test. */
export interface Served {
  engine: FakeEngine
  url: string
  server: HttpServer
  /** Asks as `agent-a` unless told otherwise. */
  ask(method: string, path: string, options?: AskOptions): Promise<Response>
}

export interface AskOptions {
  /** `null`: none at all. */
  token?: string | null
  headers?: Record<string, string>
  json?: unknown
  body?: string | Uint8Array<ArrayBuffer>
}

const open: HttpServer[] = []

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()))
})

export async function serve(
  options: Partial<HttpOptions> = {},
  extend?: (engine: FakeEngine) => HttpOptions['extend'],
): Promise<Served> {
  const engine = new FakeEngine()
  const more = extend?.(engine)
  const server = await createHttp(engine, {
    host: '127.0.0.1',
    port: 0,
    logger: false,
    ...options,
    ...(more ? { extend: more } : {}),
  })
  open.push(server)
  const url = await server.listen()
  return { engine, url, server, ask: (method, path, more) => ask(url, method, path, more) }
}

async function ask(url: string, method: string, path: string, options: AskOptions = {}) {
  const { token = 'token-a', headers = {}, json, body } = options
  const all: Record<string, string> = { ...headers }
  if (token !== null) all.authorization ??= `Bearer ${token}`
  if (json !== undefined) all['content-type'] ??= 'application/json'
  const content = json === undefined ? body : JSON.stringify(json)
  return fetch(url + path, {
    method,
    headers: all,
    ...(content === undefined ? {} : { body: content }),
  })
}

/** A request whose Host, path and headers are sent exactly as given, which `fetch` does not allow. */
export function askExactly(
  url: string,
  options: { method?: string; path: string; headers?: Record<string, string>; body?: string },
): Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; text: string }> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        hostname,
        port,
        method: options.method ?? 'GET',
        path: options.path,
        headers: options.headers ?? {},
      },
      (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => {
          text += chunk
        })
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
        )
        response.on('error', reject)
      },
    )
    request.on('error', reject)
    request.end(options.body)
  })
}
