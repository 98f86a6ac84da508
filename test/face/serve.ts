import { request as httpRequest } from 'node:http'
import { afterEach } from 'vitest'
import type { EngineApi } from '../../src/engine/api.ts'
import type { Engine, Extensions } from '../../src/engine/engine.ts'
import type { HttpOptions, HttpServer } from '../../src/face/http/server.ts'
import { createHttp } from '../../src/face/http/server.ts'
import { FakeEngine } from './fake-engine.ts'
import { openRealEngine } from './real-engine.ts'

/** The HTTP face over an engine, listening on a port of its own; closed after the test. */
export interface Served<E extends EngineApi = FakeEngine> {
  engine: E
  url: string
  server: HttpServer
  /** The token that the tests call by a name such as `token-a`. */
  tokenOf(name: string): string
  /** Asks as `agent-a` unless told otherwise. */
  ask(method: string, path: string, options?: AskOptions): Promise<Response>
}

export interface AskOptions {
  /** `null`: none at all. */
  token?: string | null
  headers?: Record<string, string>
  /** Names no session: nothing says who of the principal's callers asks. Else it is `default`. */
  unnamed?: boolean
  json?: unknown
  body?: string | Uint8Array<ArrayBuffer>
}

const open: { close(): Promise<unknown> }[] = []

afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
})

type Extend<E> = (engine: E) => HttpOptions['extend']

export async function serve(
  options: Partial<HttpOptions> = {},
  extend?: Extend<FakeEngine>,
): Promise<Served> {
  return serveEngine(new FakeEngine(), {}, options, extend)
}

/** The same over the real engine, in memory. */
export async function serveReal(
  extend?: Extend<Engine>,
  options: Partial<HttpOptions> = {},
  extensions: Extensions = {},
): Promise<Served<Engine>> {
  const { engine, tokens } = await openRealEngine(extensions)
  const served = await serveEngine(engine, tokens, options, extend)
  open.push(engine)
  return served
}

async function serveEngine<E extends EngineApi>(
  engine: E,
  tokens: Record<string, string>,
  options: Partial<HttpOptions>,
  extend: Extend<E> | undefined,
): Promise<Served<E>> {
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
  const tokenOf = (name: string) => tokens[name] ?? name
  return {
    engine,
    url,
    server,
    tokenOf,
    ask(method, path, { token = 'token-a', ...rest } = {}) {
      return ask(url, method, path, { ...rest, token: token === null ? null : tokenOf(token) })
    },
  }
}

async function ask(url: string, method: string, path: string, options: AskOptions) {
  const { token, headers = {}, unnamed = false, json, body } = options
  const all: Record<string, string> = {
    ...(unnamed ? {} : { 'sluice-session': 'default' }),
    ...headers,
  }
  if (typeof token === 'string') all.authorization ??= `Bearer ${token}`
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
