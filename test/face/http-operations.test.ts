import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Problem } from '../../src/contract/errors.ts'
import { LIMITS } from '../../src/contract/limits.ts'
import { askExactly, serve } from './serve.ts'

const FILES = '/v1/workspaces/main/files'
const LOCKS = '/v1/workspaces/main/locks'

async function problem(answer: Response, status: number, code: string): Promise<Problem> {
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/)
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
  const body = (await answer.json()) as Problem
  expect(body).toMatchObject({ status, code, type: `/errors/${code}` })
  expect(answer.status).toBe(status)
  return body
}

test('contract §6: a write answers 201 for a new file and 200 for a changed one, with its ETag', async () => {
  const { ask } = await serve()
  const first = await ask('PUT', `${FILES}/a.txt`, { body: 'one' })
  expect(first.status).toBe(201)
  const { version } = (await first.json()) as { version: number }
  expect(first.headers.get('etag')).toBe(`"${version}"`)
  expect(first.headers.get('sluice-revision')).toBe(String(version))
  const second = await ask('PUT', `${FILES}/a.txt`, {
    body: 'two',
    headers: { 'if-match': `"${version}"` },
  })
  expect(second.status).toBe(200)
  const stale = await ask('PUT', `${FILES}/a.txt`, {
    body: 'three',
    headers: { 'if-match': String(version) },
  })
  await problem(stale, 412, 'stale_version')
})

test('contract §6: If-None-Match: * lets only the first writer in', async () => {
  const { ask } = await serve()
  const headers = { 'if-none-match': '*' }
  expect((await ask('PUT', `${FILES}/a`, { body: 'x', headers })).status).toBe(201)
  await problem(await ask('PUT', `${FILES}/a`, { body: 'y', headers }), 409, 'already_exists')
})

test('contract §6: a precondition that cannot be kept is refused, not passed over', async () => {
  const { ask } = await serve()
  const put = (headers: Record<string, string>) => ask('PUT', `${FILES}/a`, { body: 'x', headers })
  await problem(await put({ 'if-match': '"1' }), 400, 'invalid_request')
  await problem(await put({ 'if-match': '"1" "2"' }), 400, 'invalid_request')
  await problem(await put({ 'if-match': 'W/"1"' }), 412, 'stale_version')
  await problem(await put({ 'if-none-match': 'seven' }), 400, 'invalid_request')
  const lock = await ask('POST', LOCKS, { json: { path: '/a' }, headers: { 'if-none-match': '*' } })
  await problem(lock, 400, 'invalid_request')
})

test('contract §6: the lock answers are 201 granted, 202 queued, 409, and 204 twice for a release', async () => {
  const { ask } = await serve()
  const granted = await ask('POST', LOCKS, {
    json: { path: '/new.csv', type: 'exclusive', ttl: 300 },
  })
  expect(granted.status).toBe(201)
  const { lock } = (await granted.json()) as { lock: { id: string } }
  const other = { token: 'token-b' }
  const refused = await ask('POST', LOCKS, { json: { path: '/new.csv' }, ...other })
  const { holders } = await problem(refused, 409, 'lock_conflict')
  expect(refused.headers.get('retry-after')).toBe('1')
  expect(holders).toMatchObject([{ agent: 'agent-a', level: 'exclusive' }])
  const queued = await ask('POST', LOCKS, { json: { path: '/new.csv', wait: 1 }, ...other })
  expect(queued.status).toBe(202)
  const { ticket } = (await queued.json()) as { ticket: string }
  const going = await ask('GET', `/v1/workspaces/main/tickets/${ticket}?wait=0`, other)
  expect(going.status).toBe(202)
  expect((await ask('POST', `${LOCKS}/${lock.id}/renew`)).status).toBe(200)
  expect((await ask('DELETE', `${LOCKS}/${lock.id}`)).status).toBe(204)
  expect((await ask('DELETE', `${LOCKS}/${lock.id}`)).status).toBe(204)
  const claimed = await ask('GET', `/v1/workspaces/main/tickets/${ticket}?wait=0`, other)
  expect(claimed.status).toBe(201)
  await problem(
    await ask('GET', `/v1/workspaces/main/tickets/${ticket}?wait=0`, other),
    410,
    'ticket_gone',
  )
})

test('contract §6: a write under somebody else’s lock is 423', async () => {
  const { ask } = await serve()
  await ask('POST', LOCKS, { json: { path: '/a' } })
  await problem(await ask('PUT', `${FILES}/a`, { body: 'x', token: 'token-b' }), 423, 'locked')
})

test('locks §10: a wait ends when its client leaves', async () => {
  const { ask, engine, url } = await serve()
  await ask('POST', LOCKS, { json: { path: '/a' } })
  const departure = new AbortController()
  const body = JSON.stringify({ path: '/a', wait: 25 })
  const headers = { authorization: 'Bearer token-b', 'content-type': 'application/json' }
  const waiting = fetch(url + LOCKS, { method: 'POST', headers, body, signal: departure.signal })
  while (engine.health().workspaces.main.waiting === 0) await turn()
  departure.abort()
  await expect(waiting).rejects.toThrow()
  while (engine.abortedWaits === 0) await turn()
})

test('contract §2: unknown fields are refused field by field', async () => {
  const { ask } = await serve()
  const answer = await ask('POST', LOCKS, { json: { path: '/a', tll: 5 } })
  expect((await problem(answer, 400, 'invalid_request')).detail).toContain('tll')
  await problem(await ask('GET', `${FILES}/a?versoin=3`), 400, 'invalid_request')
  await problem(await ask('GET', `${FILES}/a?at=1&at=2`), 400, 'invalid_request')
  const twice = await ask('POST', LOCKS, { json: { path: '/a', workspace: 'other' } })
  expect((await problem(twice, 400, 'invalid_request')).detail).toContain('workspace')
})

test('contract §7: bodies that are no JSON object are typed refusals', async () => {
  const { ask } = await serve()
  const post = (body: string, type = 'application/json') =>
    ask('POST', LOCKS, { body, headers: { 'content-type': type } })
  await problem(await post('{"path":'), 400, 'invalid_request')
  await problem(await post('[]'), 400, 'invalid_request')
  await problem(await post('"x"'), 400, 'invalid_request')
  await problem(await post('{"__proto__":{"x":1},"path":"/a"}'), 400, 'invalid_request')
  await problem(await post('{"path":"/a"}', 'text/plain'), 400, 'invalid_request')
  await problem(await post('<a/>', 'application/xml'), 400, 'invalid_request')
  const large = JSON.stringify({ path: '/a', intent: 'x'.repeat(LIMITS.jsonBodyBytes) })
  await problem(await post(large), 413, 'too_large')
})

test('files §19: paths in URLs are decoded name by name', async () => {
  const { ask, engine, url } = await serve()
  await ask('PUT', `${FILES}/a%20b/${encodeURIComponent('ü?#%')}.txt`, { body: 'x' })
  expect([...engine.files.keys()]).toEqual(['/a b/ü?#%.txt'])
  const authorization = 'Bearer token-a'
  const get = (path: string) => askExactly(url, { path, headers: { authorization } })
  expect(await get(`${FILES}/a%2Fb`)).toMatchObject({ status: 400 })
  for (const path of ['/%zz', '/%ff', '/%', '/../../x', '/%2e%2e/%2e%2e/x', '/a%00b']) {
    const answer = await get(FILES + path)
    expect([400, 404], path).toContain(answer.status)
    expect(answer.headers['content-type']).toMatch(/problem\+json/)
    expect(JSON.parse(answer.text).code, path).toBe('invalid_path')
  }
})

test('contract §6: the root is listed with and without a trailing slash', async () => {
  const { ask } = await serve()
  await ask('PUT', `${FILES}/a/b`, { body: 'x' })
  for (const path of ['entries', 'entries/']) {
    const answer = await ask('GET', `/v1/workspaces/main/${path}`)
    const { entries } = (await answer.json()) as { entries: { path: string }[] }
    expect(entries.map((entry) => entry.path)).toEqual(['/a'])
  }
  await problem(await ask('GET', `${FILES}/`), 409, 'is_folder')
})

test('contract §7: what is not there is not_found, and says so in a problem', async () => {
  const { ask } = await serve()
  await problem(await ask('GET', '/v1/nothing'), 404, 'not_found')
  await problem(await ask('POST', '/health'), 404, 'not_found')
  const missing = await ask('GET', `${FILES}/a`)
  expect(missing.headers.get('sluice-revision')).toBe('100')
  await problem(missing, 404, 'not_found')
  const elsewhere = await ask('GET', '/v1/workspaces/other/files/a')
  expect(elsewhere.headers.get('sluice-revision')).toBeNull()
  await problem(elsewhere, 404, 'not_found')
})

test('contract §7: an internal error gives an id and nothing of the inside', async () => {
  const { ask, engine } = await serve()
  const body = await problem(await ask('GET', '/v1/workspaces'), 500, 'internal')
  expect(JSON.stringify(body)).not.toContain('secret')
  expect(engine.faults.get(String(body.id))).toBeInstanceOf(Error)
})

test('contract §6: 204 has no body', async () => {
  const { ask } = await serve()
  await ask('PUT', `${FILES}/a`, { body: 'x' })
  const answer = await ask('DELETE', `${FILES}/a`)
  expect(answer.status).toBe(204)
  expect(await answer.text()).toBe('')
  expect(answer.headers.get('sluice-revision')).not.toBeNull()
})

test('contract §7: headers that are too long get a typed refusal', async () => {
  const { url } = await serve()
  const answer = await askExactly(url, { path: '/health', headers: { x: 'x'.repeat(40_000) } })
  expect(answer.status).toBe(413)
  expect(JSON.parse(answer.text).code).toBe('too_large')
})

test('contract §7: what is not HTTP gets a typed refusal', async () => {
  const { url } = await serve()
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port) })
  socket.write('GET / HTTP/9.9\r\n\r\n')
  const answer = await text(socket)
  expect(answer).toContain('HTTP/1.1 400')
  expect(answer).toContain('"code":"invalid_request"')
})

test('contract §2: the reference names every operation, and the page brings all it needs', async () => {
  const { ask } = await serve()
  const { OPERATION_NAMES, operationOf } = await import('../../src/contract/operations.ts')
  const answer = await ask('GET', '/openapi.json', { token: null })
  const document = (await answer.json()) as {
    openapi: string
    paths: Record<string, Record<string, { operationId: string; responses: object }>>
  }
  expect(document.openapi).toBe('3.1.0')
  for (const name of OPERATION_NAMES) {
    const { http } = operationOf(name)
    const path = `/v1${http.path.replace('{path+}', '{path}')}`
    const row = document.paths[path]?.[http.method.toLowerCase()]
    expect(row?.operationId, path).toBe(name)
    for (const status of http.status) expect(row?.responses).toHaveProperty(String(status))
    expect(row?.responses).toHaveProperty('401')
    expect(JSON.stringify(row?.responses)).toContain('SluiceNotices')
  }
  const page = await ask('GET', '/docs', { token: null })
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
  const links = [...(await page.text()).matchAll(/(?:src|href)="([^"]*)"/g)].map(([, to]) => to)
  expect(links.length).toBeGreaterThan(3)
  for (const to of links) expect(to).toMatch(/^\/docs\/static\/[\w.-]+$/)
})

test('contract §6: metrics count requests by route and show the workspaces', async () => {
  const { ask } = await serve()
  await problem(await ask('GET', '/metrics', { token: null }), 401, 'unauthenticated')
  await ask('GET', `${FILES}/a`)
  const metrics = await (await ask('GET', '/metrics')).text()
  expect(metrics).toContain(
    'sluice_http_requests_total{method="GET",route="/v1/workspaces/:workspace/files/*",status="404"} 1',
  )
  expect(metrics).toContain('sluice_workspace_revision{workspace="main"} 100')
  expect(metrics).toContain('process_resident_memory_bytes')
  const health = await ask('GET', '/health', { token: null })
  expect(await health.json()).toEqual({ status: 'ok' })
})
