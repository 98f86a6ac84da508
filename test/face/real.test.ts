import { request as httpRequest, type IncomingMessage } from 'node:http'
import { expect, test } from 'vitest'
import { fail } from '../../src/contract/errors.ts'
import type { Asking } from '../../src/engine/admission.ts'
import { connectMcp, serveMcpReal } from './mcp-client.ts'
import { serveReal } from './serve.ts'

/** HTTP and MCP over the real engine: the answers of the contract with nothing in between faked. */
const MAIN = '/v1/workspaces/main'
const FILES = `${MAIN}/files`
const LOCKS = `${MAIN}/locks`

test('contract: a file is written and read over HTTP with the version as its tag, on the real engine', async () => {
  const { ask } = await serveReal()
  const made = await ask('PUT', `${FILES}/docs/a.txt`, { body: 'one' })
  expect(made.status).toBe(201)
  const etag = made.headers.get('etag') ?? ''
  const read = await ask('GET', `${FILES}/docs/a.txt`, { token: 'token-b' })
  expect(read.headers.get('etag')).toBe(etag)
  expect(await read.text()).toBe('one')
  const same = await ask('GET', `${FILES}/docs/a.txt`, { headers: { 'if-none-match': etag } })
  expect(same.status).toBe(304)
  const changed = await ask('PUT', `${FILES}/docs/a.txt`, { body: 'two', token: 'token-b' })
  expect(changed.status).toBe(200)
  const stale = await ask('PUT', `${FILES}/docs/a.txt`, {
    body: 'x',
    headers: { 'if-match': etag },
  })
  expect(stale.status).toBe(412)
  expect(await stale.json()).toMatchObject({ code: 'stale_version' })
})

test('contract: older versions, a folder and a history over HTTP, on the real engine', async () => {
  const { ask } = await serveReal()
  const made = await ask('PUT', `${FILES}/docs/a.txt`, { body: 'one' })
  const etag = made.headers.get('etag') ?? ''
  expect((await ask('PUT', `${FILES}/docs/a.txt`, { body: 'two' })).status).toBe(200)
  const old = await ask('GET', `${FILES}/docs/a.txt?at=${etag.replaceAll('"', '')}`)
  expect(await old.text()).toBe('one')
  const patched = await ask('PATCH', `${FILES}/docs/a.txt`, { json: { append: '!' } })
  expect(patched.status).toBe(200)
  const listed = await ask('GET', `${MAIN}/entries/docs`)
  expect(await listed.json()).toMatchObject({ kind: 'folder', entries: [{ path: '/docs/a.txt' }] })
  const history = (await (await ask('GET', `${MAIN}/history/docs/a.txt`)).json()) as {
    versions: unknown[]
  }
  expect(history.versions).toHaveLength(3)
})

test('contract: a commit makes a folder, and one with files in it is deleted when that is meant, on the real engine', async () => {
  const { ask } = await serveReal()
  await ask('PUT', `${FILES}/docs/a.txt`, { body: 'one' })
  const committed = await ask('POST', `${MAIN}/commits`, {
    json: {
      changes: [
        { op: 'write', path: '/b', text: 'x' },
        { op: 'make_folder', path: '/c' },
      ],
    },
  })
  expect(committed.status).toBe(201)
  expect((await ask('DELETE', `${FILES}/docs`)).status).toBe(409)
  expect((await ask('DELETE', `${FILES}/docs?recursive=true`)).status).toBe(204)
  expect((await ask('GET', `${FILES}/docs/a.txt`)).status).toBe(404)
})

test('files §6, §7: large contents stream, broken ones leave nothing, on the real engine', async () => {
  const { ask, url, tokenOf } = await serveReal()
  const content = new Uint8Array(3_000_000).map((_, index) => index % 251)
  expect((await ask('PUT', `${FILES}/large`, { body: content })).status).toBe(201)
  const all = await ask('GET', `${FILES}/large`)
  expect(Buffer.from(await all.arrayBuffer()).equals(content)).toBe(true)
  const part = await ask('GET', `${FILES}/large`, { headers: { range: 'bytes=1000000-1000009' } })
  expect(part.status).toBe(206)
  expect(new Uint8Array(await part.arrayBuffer())).toEqual(content.slice(1_000_000, 1_000_010))
  await new Promise((resolve) => {
    const headers = { authorization: `Bearer ${tokenOf('token-a')}`, 'content-length': '1000000' }
    const request = httpRequest(`${url}${FILES}/broken`, { method: 'PUT', headers })
    request.on('error', () => {})
    request.on('close', resolve)
    request.write('x'.repeat(200_000), () => request.destroy())
  })
  expect((await ask('GET', `${FILES}/broken`)).status).toBe(404)
})

test.for(['2000', '1000000'])(
  'files §7, locks §11: what did not arrive whole is no answer to its request id (%s bytes)',
  async (length) => {
    const { ask, url, tokenOf } = await serveReal()
    const content = new Uint8Array(Number(length)).fill(7)
    const named = { 'idempotency-key': 'one', 'sluice-session': 'desk' }
    await new Promise((resolve) => {
      const headers = { authorization: `Bearer ${tokenOf('token-a')}`, 'content-length': length }
      const options = { method: 'PUT', headers: { ...headers, ...named } }
      const request = httpRequest(`${url}${FILES}/cut`, options)
      request.on('error', () => {})
      request.on('close', resolve)
      request.write(content.subarray(0, content.length / 2), () => request.destroy())
    })
    const sum = { ...named, 'idempotency-key': 'two', 'content-digest': `sha-256=:${WRONG}:` }
    const torn = await ask('PUT', `${FILES}/torn`, { body: content, headers: sum })
    expect([torn.status, await torn.json()]).toMatchObject([400, { code: 'invalid_request' }])
    const coded = { ...named, 'idempotency-key': 'three', 'content-encoding': 'gzip' }
    expect((await ask('PUT', `${FILES}/coded`, { body: content, headers: coded })).status).toBe(400)
    for (const [path, key] of Object.entries({ cut: 'one', torn: 'two', coded: 'three' })) {
      const headers = { ...named, 'idempotency-key': key }
      const again = await ask('PUT', `${FILES}/${path}`, { body: content, headers })
      expect([path, again.status]).toEqual([path, 201])
    }
    const audit = await ask('GET', `${MAIN}/audit?outcome=refused`, { token: 'token-admin' })
    expect(await audit.json()).toMatchObject({ rows: [] })
  },
)

test('contract: a lock keeps others out over HTTP, and its token is checked, on the real engine', async () => {
  const { ask } = await serveReal()
  const b = { token: 'token-b' }
  const granted = await ask('POST', LOCKS, {
    json: { path: '/x/new.csv', type: 'exclusive', ttl: 300 },
  })
  expect(granted.status).toBe(201)
  const { token } = (await granted.json()) as { token: string }
  expect((await ask('POST', LOCKS, { json: { path: '/x/new.csv' }, ...b })).status).toBe(409)
  expect((await ask('PUT', `${FILES}/x/new.csv`, { body: 'b', ...b })).status).toBe(423)
  const wrong = { body: 'a', headers: { 'sluice-lock': 'nonsense' } }
  expect((await ask('PUT', `${FILES}/x/new.csv`, wrong)).status).toBe(400)
  const right = { body: 'a', headers: { 'sluice-lock': token } }
  expect((await ask('PUT', `${FILES}/x/new.csv`, right)).status).toBe(201)
  const audit = await ask('GET', `${MAIN}/audit?outcome=refused`, { token: 'token-admin' })
  expect(JSON.stringify(await audit.json())).toContain('locked')
})

test('contract: a ticket waits over HTTP, and is claimed when the lock is released, on the real engine', async () => {
  const { ask } = await serveReal()
  const b = { token: 'token-b' }
  const granted = await ask('POST', LOCKS, { json: { path: '/x/new.csv' } })
  const { lock } = (await granted.json()) as { lock: { id: string } }
  const queued = await ask('POST', LOCKS, { json: { path: '/x/new.csv', queue: true }, ...b })
  expect(queued.status).toBe(202)
  const { ticket } = (await queued.json()) as { ticket: string }
  const waiting = ask('GET', `${MAIN}/tickets/${ticket}?wait=20`, b)
  expect((await ask('DELETE', `${LOCKS}/${lock.id}`)).status).toBe(204)
  const claimed = await waiting
  expect(claimed.status).toBe(201)
  expect(await claimed.json()).toMatchObject({ status: 'granted' })
  expect((await ask('DELETE', LOCKS, b)).status).toBe(200)
})

test('contract: only admins make agents and workspaces, on the real engine', async () => {
  const { ask } = await serveReal()
  expect((await ask('PUT', '/v1/agents/eve', { json: {} })).status).toBe(403)
  const admin = { token: 'token-admin' }
  expect((await ask('PUT', '/v1/agents/eve', { json: {}, ...admin })).status).toBe(201)
  expect((await ask('PUT', '/v1/agents/eve', { json: {}, ...admin })).status).toBe(200)
  expect((await ask('POST', '/v1/agents/eve/tokens', { json: {}, ...admin })).status).toBe(201)
  expect((await ask('PUT', '/v1/workspaces/other', { json: {}, ...admin })).status).toBe(201)
  expect((await ask('PUT', '/v1/workspaces/other/files/a', { body: 'x' })).status).toBe(201)
  expect((await ask('DELETE', '/v1/workspaces/other', admin)).status).toBe(204)
  expect((await ask('GET', '/v1/workspaces/other/files/a')).status).toBe(404)
})

test('locks §43: events over HTTP on the real engine', async () => {
  const { ask } = await serveReal()
  const first = await ask('PUT', `${FILES}/a`, { body: 'x' })
  const since = Number(first.headers.get('sluice-revision')) - 1
  const stream = await ask('GET', `${MAIN}/events?since=${since}&kind=files-committed`)
  expect(stream.status).toBe(200)
  await ask('PUT', `${FILES}/b`, { body: 'y' })
  let text = ''
  for await (const chunk of stream.body as unknown as AsyncIterable<Uint8Array>) {
    text += Buffer.from(chunk).toString()
    if (text.includes('"/b"')) break
  }
  expect(text).toMatch(/id: \d+\nevent: files-committed\ndata: \{.*"\/a"/)
})

test('contract: two agents hand a file over by MCP on the real engine', async () => {
  const served = await serveMcpReal()
  const a = await connectMcp(served, { era: 'legacy' })
  const b = await connectMcp(served, { token: 'token-b' })
  const path = '/shared-data/results.csv'
  const granted = await a.call('acquire_lock', { path, type: 'exclusive', ttl: 300 })
  expect(granted.text).toContain('You now hold the exclusive lock')
  expect((await b.call('write_file', { path, content: 'b' })).structured).toMatchObject({
    code: 'locked',
  })
  await a.call('write_file', { path, content: 'a' })
  await a.call('read_text_file', { path })
  const waiting = b.call('acquire_lock', { path, intent: 'add a row' })
  while (!(await a.call('list_locks', { path })).text.includes('agent-b waits')) {}
  await a.call('release_lock', { path })
  expect((await waiting).structured).toMatchObject({ status: 'granted' })
  expect((await b.call('read_text_file', { path })).text).toBe('a')
  expect((await b.call('write_file', { path, content: 'b' })).isError).toBe(false)
  const stale = await a.call('write_file', { path, content: 'a' })
  expect(stale.structured).toMatchObject({ code: 'locked' })
  await b.call('release_lock', { all: true })
  const later = await a.call('write_file', { path, content: 'a' })
  expect(later.structured).toMatchObject({ code: 'stale_version' })
  expect(later.text).toContain('read')
})

test('files §9: what was not read is not overwritten over MCP, on the real engine', async () => {
  const served = await serveMcpReal()
  const a = await connectMcp(served, { era: 'legacy' })
  const b = await connectMcp(served, { token: 'token-b' })
  await a.call('write_file', { path: '/other', content: 'a' })
  const unseen = await b.call('write_file', { path: '/other', content: 'b' })
  expect(unseen.structured).toMatchObject({ code: 'unseen_version' })
  expect(unseen.text).toContain('read')
  await b.call('read_text_file', { path: '/other' })
  expect((await b.call('write_file', { path: '/other', content: 'b' })).isError).toBe(false)
})

test.for(['10', '1000000'])(
  'admission: who is not let in is told before a body of %s bytes is sent',
  async (length) => {
    const admit = ({ operation }: Asking): undefined => {
      if (operation === 'write_file') fail('rate_limited', 'Not now.', { retry_after_s: 9 })
    }
    const { url, tokenOf } = await serveReal(undefined, {}, { admit })
    const headers = { authorization: `Bearer ${tokenOf('token-a')}`, 'content-length': length }
    const request = httpRequest(`${url}${FILES}/f`, { method: 'PUT', headers })
    request.flushHeaders()
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      request.on('response', resolve)
      request.on('error', reject)
    })
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([429, '9'])
    request.destroy()
  },
)

/** A sum of something else. */
const WRONG = Buffer.alloc(32).toString('base64')
