import { request as httpRequest } from 'node:http'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { fail } from '../../src/contract/errors.ts'
import { parseRange } from '../../src/face/http-kit/range.ts'
import { serve } from './serve.ts'

const FILES = '/v1/workspaces/main/files'

test('files §5: a read gives version, hash and length, and who holds a lock', async () => {
  const { ask } = await serve()
  await ask('PUT', `${FILES}/a.html`, { body: '<b>hello</b>' })
  const answer = await ask('GET', `${FILES}/a.html`)
  expect(answer.status).toBe(200)
  expect(await answer.text()).toBe('<b>hello</b>')
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    etag: '"101"',
    'sluice-revision': '101',
    'content-length': '12',
    'accept-ranges': 'bytes',
    'content-type': 'text/plain; charset=utf-8',
    'content-security-policy': "sandbox; default-src 'none'",
    'content-disposition': 'attachment',
    'x-content-type-options': 'nosniff',
    'sluice-sha256': expect.stringMatching(/^[0-9a-f]{64}$/),
  })
  expect(answer.headers.get('sluice-lock-holder')).toBeNull()
  await ask('POST', '/v1/workspaces/main/locks', { json: { path: '/a.html' } })
  const locked = await ask('GET', `${FILES}/a.html`, { token: 'token-b' })
  expect(locked.headers.get('sluice-lock-holder')).toBe('agent-a')
})

test('files §5: HEAD gives the headers only', async () => {
  const { ask } = await serve()
  await ask('PUT', `${FILES}/a`, { body: 'hello' })
  const answer = await ask('HEAD', `${FILES}/a`)
  expect(answer.status).toBe(200)
  expect(answer.headers.get('content-length')).toBe('5')
  expect(answer.headers.get('etag')).toBe('"101"')
  expect(await answer.text()).toBe('')
})

test('files §5: If-None-Match is 304 while nothing changed', async () => {
  const { ask } = await serve()
  await ask('PUT', `${FILES}/a`, { body: 'hello' })
  const get = (tag: string) => ask('GET', `${FILES}/a`, { headers: { 'if-none-match': tag } })
  for (const tag of ['"101"', '"7", "101"', 'W/"101"', '*']) {
    const answer = await get(tag)
    expect(answer.status, tag).toBe(304)
    expect(answer.headers.get('etag')).toBe('"101"')
    expect(await answer.text()).toBe('')
  }
  expect((await get('"100"')).status).toBe(200)
})

test('files §5: one range is 206, one outside is 416 with the size', async () => {
  const { ask } = await serve()
  const content = new Uint8Array(200_000).map((_, index) => index % 251)
  await ask('PUT', `${FILES}/large.bin`, { body: content })
  await ask('PUT', `${FILES}/small.bin`, { body: content.slice(0, 1000) })
  for (const [name, size] of [['large', 200_000] as const, ['small', 1000] as const]) {
    const part = await ask('GET', `${FILES}/${name}.bin`, { headers: { range: 'bytes=10-19' } })
    expect(part.status).toBe(206)
    expect(part.headers.get('content-range')).toBe(`bytes 10-19/${size}`)
    expect(new Uint8Array(await part.arrayBuffer())).toEqual(content.slice(10, 20))
    const end = await ask('GET', `${FILES}/${name}.bin`, { headers: { range: 'bytes=-5' } })
    expect(new Uint8Array(await end.arrayBuffer())).toEqual(content.slice(size - 5, size))
    const outside = await ask('GET', `${FILES}/${name}.bin`, {
      headers: { range: `bytes=${size}-` },
    })
    expect(outside.status).toBe(416)
    expect(outside.headers.get('content-range')).toBe(`bytes */${size}`)
    expect(await outside.json()).toMatchObject({ code: 'range_invalid', size })
    const several = await ask('GET', `${FILES}/${name}.bin`, {
      headers: { range: 'bytes=0-1,5-6' },
    })
    expect(several.status).toBe(200)
    const other = { range: 'bytes=0-1', 'if-range': '"5"' }
    expect((await ask('GET', `${FILES}/${name}.bin`, { headers: other })).status).toBe(200)
  }
})

test('files §5: ranges are read as RFC 9110 says', () => {
  expect(parseRange('bytes=0-0', 10)).toEqual({ start: 0, end: 1 })
  expect(parseRange('bytes=5-', 10)).toEqual({ start: 5, end: 10 })
  expect(parseRange('bytes=5-99', 10)).toEqual({ start: 5, end: 10 })
  expect(parseRange('bytes=-99', 10)).toEqual({ start: 0, end: 10 })
  expect(parseRange('bytes=-0', 10)).toBe('unsatisfiable')
  expect(parseRange('bytes=0-', 0)).toBe('unsatisfiable')
  expect(parseRange('bytes=-5', 0)).toBe('unsatisfiable')
  for (const bad of ['bytes=5-4', 'bytes=-', 'lines=1-2', 'bytes=a-b', 'bytes=1-2,3-4', '']) {
    expect(parseRange(bad, 10), bad).toBeUndefined()
  }
})

test('files §6: a large content goes through as a stream, whatever its type', async () => {
  const { ask, engine } = await serve()
  const content = new Uint8Array(3_000_000).map((_, index) => index % 253)
  const headers = { 'content-type': 'application/json' }
  expect((await ask('PUT', `${FILES}/a`, { body: content, headers })).status).toBe(201)
  expect(engine.files.get('/a')?.bytes.equals(content)).toBe(true)
  const answer = await ask('GET', `${FILES}/a`)
  expect(Buffer.from(await answer.arrayBuffer()).equals(content)).toBe(true)
  expect((await ask('PUT', `${FILES}/empty`, { body: '' })).status).toBe(201)
  expect(await (await ask('GET', `${FILES}/empty`)).text()).toBe('')
})

test('files §7: an upload that breaks off leaves nothing behind', async () => {
  const { ask, engine, url } = await serve()
  for (const length of ['1000', '1000000', undefined]) {
    const closed = new Promise((resolve) => {
      const request = httpRequest(`${url}${FILES}/a`, {
        method: 'PUT',
        headers: {
          authorization: 'Bearer token-a',
          ...(length ? { 'content-length': length } : { 'transfer-encoding': 'chunked' }),
        },
      })
      request.on('error', () => {})
      request.on('close', resolve)
      request.write('x'.repeat(500), () => request.destroy())
    })
    await closed
  }
  // Another request on a new connection is decided after the broken ones were noticed.
  await ask('PUT', `${FILES}/b`, { body: 'x' })
  await turn()
  expect([...engine.files.keys()]).toEqual(['/b'])
})

test('contract §6: a refused upload is answered although its body was not read', async () => {
  const { ask } = await serve()
  await ask('POST', '/v1/workspaces/main/locks', { json: { path: '/a' } })
  const answer = await ask('PUT', `${FILES}/a?nonsense=1`, { body: new Uint8Array(5_000_000) })
  expect(answer.status).toBe(400)
  expect(await answer.json()).toMatchObject({ code: 'invalid_request' })
})

test('contract §6: an upload that the engine refuses in the middle is answered', async () => {
  const { ask, engine } = await serve()
  engine.call = async ({ content }) => {
    for await (const _ of content as AsyncIterable<Uint8Array>) fail('too_large', 'Too large here.')
    throw new Error('there was no content')
  }
  const answer = await ask('PUT', `${FILES}/a`, { body: new Uint8Array(5_000_000) })
  expect(answer.status).toBe(413)
  expect(await answer.json()).toMatchObject({ code: 'too_large' })
})
