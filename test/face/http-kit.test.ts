import { gzipSync } from 'node:zlib'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { expect, test } from 'vitest'
import type { EngineApi } from '../../src/engine/api.ts'
import { exchangeOf } from '../../src/face/http-kit/exchange.ts'
import { withRawBodies } from '../../src/face/http-kit/route.ts'
import { pathInUrl } from '../../src/face/http-kit/url-path.ts'
import { serveReal } from './serve.ts'

/** A door of its own, as thin as one is: files of `main` by GET, HEAD and PUT, and nothing else. */
function addPlainDoor(app: FastifyInstance, engine: EngineApi): void {
  const placeOf = (request: FastifyRequest) => {
    return { workspace: 'main', path: pathInUrl(request.url, 1) }
  }
  withRawBodies(app, (scope) => {
    scope.route({
      method: ['GET', 'HEAD'],
      url: '/plain/*',
      async handler(request: FastifyRequest, reply: FastifyReply) {
        const exchange = exchangeOf(engine, request, reply)
        return exchange.sendContent(await exchange.call('read_file', placeOf(request)))
      },
    })
    scope.route({
      method: 'PUT',
      url: '/plain/*',
      config: { upload: true, actsOn: ['upload-offset'] },
      async handler(request: FastifyRequest, reply: FastifyReply) {
        const exchange = exchangeOf(engine, request, reply)
        const place = placeOf(request)
        const fields = await exchange.headerFields('write_file', place)
        const { value } = await exchange.call('write_file', { ...place, ...fields })
        return reply
          .code(value.created ? 201 : 204)
          .header('etag', `"${value.version}"`)
          .send()
      },
    })
  })
}

const served = () => serveReal((engine) => (app) => addPlainDoor(app, engine))

async function codeOf(answer: Response): Promise<unknown> {
  expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
  return ((await answer.json()) as { code: unknown }).code
}

test('a door of the kit knows who calls, and refuses in problems', async () => {
  const { ask } = await served()
  const stranger = await ask('GET', '/plain/a', { token: null })
  expect([stranger.status, await codeOf(stranger)]).toEqual([401, 'unauthenticated'])
  expect(stranger.headers.get('www-authenticate')).toContain('Bearer')
  const nothing = await ask('GET', '/plain/a')
  expect([nothing.status, await codeOf(nothing)]).toEqual([404, 'not_found'])
  expect(await codeOf(await ask('GET', '/plain/a%2Fb'))).toBe('invalid_path')
  const nameless = await ask('GET', '/plain/a', { headers: { 'sluice-session': 'no name' } })
  expect(await codeOf(nameless)).toBe('invalid_request')
  const codes: unknown[] = []
  for (let i = 0; i < 21; i++) {
    codes.push(await codeOf(await ask('GET', '/plain/a', { token: 'slc_wrong' })))
  }
  expect([codes[0], codes.at(-1)]).toEqual(['unauthenticated', 'rate_limited'])
})

test('a door of the kit takes uploads: small and large, coded, and with their sums', async () => {
  const { ask } = await served()
  const made = await ask('PUT', '/plain/a%20b.txt', { body: 'hello' })
  expect(made.status).toBe(201)
  expect(await (await ask('GET', '/plain/a%20b.txt')).text()).toBe('hello')
  const large = new Uint8Array(300_000).fill(7)
  const headers = { 'content-encoding': 'gzip' }
  const body = new Uint8Array(gzipSync(large))
  expect((await ask('PUT', '/plain/large', { headers, body })).status).toBe(201)
  expect((await ask('HEAD', '/plain/large')).headers.get('content-length')).toBe('300000')
  const wrong = { 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' }
  expect(await codeOf(await ask('PUT', '/plain/c', { headers: wrong, body: 'x' }))).toBe(
    'invalid_request',
  )
  expect((await ask('GET', '/plain/c')).status).toBe(404)
})

test('a door of the kit keeps conditions of reads and writes, and serves ranges', async () => {
  const { ask } = await served()
  const etag = (await ask('PUT', '/plain/a', { body: '0123456789' })).headers.get('etag') as string
  const get = (headers: Record<string, string>) => ask('GET', '/plain/a', { headers })
  expect((await get({ 'if-none-match': etag })).status).toBe(304)
  const part = await get({ range: 'bytes=2-4' })
  expect([part.status, part.headers.get('content-range'), await part.text()]).toEqual([
    206,
    'bytes 2-4/10',
    '234',
  ])
  expect(await codeOf(await get({ range: 'bytes=20-' }))).toBe('range_invalid')
  const put = (headers: Record<string, string>) => ask('PUT', '/plain/a', { headers, body: 'new' })
  expect(await codeOf(await put({ 'if-none-match': '*' }))).toBe('already_exists')
  expect(await codeOf(await put({ 'if-match': '"999"' }))).toBe('stale_version')
  const written = await put({ 'if-match': etag })
  expect([written.status, Number(written.headers.get('sluice-revision')) > 0]).toEqual([204, true])
})

test('a door of the kit refuses what would change the meaning of a request, but for what it acts on', async () => {
  const { ask } = await served()
  const put = (header: string) =>
    ask('PUT', '/plain/a', { headers: { [header]: '3' }, body: 'new' })
  expect(await codeOf(await put('content-range'))).toBe('invalid_request')
  expect((await put('upload-offset')).status).toBe(201)
})
