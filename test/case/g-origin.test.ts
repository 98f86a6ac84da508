import { expect, test } from 'vitest'
import { originOf } from '../../src/contract/origin.ts'
import { startServer } from '../../src/server.ts'
import { Place } from '../cli/sluice.ts'
import { INITIALIZE, serveMcpReal } from '../face/mcp-client.ts'
import { askExactly, serveReal } from '../face/serve.ts'

const FILE = '/v1/workspaces/main/files/a'

const PREFLIGHT = {
  'access-control-request-method': 'POST',
  'access-control-request-headers': 'authorization,content-type,mcp-session-id',
}

const origin = 'http://localhost:3000'

test('G4: a page of an allowed origin is told what it may send', async () => {
  const { ask } = await serveMcpReal({}, { origins: [origin] })
  for (const path of ['/mcp', '/mcp/main', '/v1/workspaces/main/files/a']) {
    const asked = await ask('OPTIONS', path, { token: null, headers: { origin, ...PREFLIGHT } })
    expect(asked.status, path).toBe(204)
    expect(asked.headers.get('access-control-allow-origin')).toBe(origin)
    expect(asked.headers.get('access-control-allow-headers')).toContain('mcp-session-id')
    expect(asked.headers.get('access-control-allow-methods')).toContain('POST')
  }
})

test('G4: a page of an allowed origin calls /mcp and sees what it needs, refusals too', async () => {
  const { ask } = await serveMcpReal({}, { origins: [origin] })
  const accept = 'application/json, text/event-stream'
  const opened = await ask('POST', '/mcp', { json: INITIALIZE, headers: { origin, accept } })
  expect(opened.status).toBe(200)
  expect(opened.headers.get('access-control-allow-origin')).toBe(origin)
  const exposed = opened.headers.get('access-control-expose-headers')
  for (const name of ['Mcp-Session-Id', 'Sluice-Revision', 'ETag']) expect(exposed).toContain(name)
  expect(opened.headers.get('vary')).toContain('Origin')
  const none = await ask('POST', '/mcp', { token: null, json: INITIALIZE, headers: { origin } })
  expect([none.status, none.headers.get('access-control-allow-origin')]).toEqual([401, origin])
})

test('G4: a page of another origin may do nothing', async () => {
  const { ask } = await serveMcpReal()
  const evil = { origin: 'http://evil.example', ...PREFLIGHT }
  const refused = await ask('OPTIONS', '/mcp', { token: null, headers: evil })
  expect(refused.status).toBe(403)
  expect(refused.headers.get('access-control-allow-origin')).toBeNull()
})

test('G4+: an event stream and a file are readable there too; without an origin nothing is said', async () => {
  const origin = 'https://127.0.0.1:8443'
  const { ask } = await serveReal(undefined, { origins: [origin] })
  await ask('PUT', FILE, { body: 'x' })
  const file = await ask('GET', FILE, { headers: { origin } })
  expect(file.headers.get('access-control-allow-origin')).toBe(origin)
  const events = await ask('GET', '/v1/workspaces/main/events', { headers: { origin } })
  expect(events.headers.get('access-control-allow-origin')).toBe(origin)
  await events.body?.cancel()
  const plain = await ask('GET', FILE)
  expect(plain.headers.get('access-control-allow-origin')).toBeNull()
  expect((await ask('OPTIONS', FILE)).status).toBe(404)
})

test('G4: no page may read anything unless its origin was configured, loopback neither', async () => {
  const { ask } = await serveMcpReal()
  await ask('PUT', FILE, { body: 'x' })
  for (const origin of ['http://localhost:3000', 'http://127.0.0.1:7420']) {
    for (const path of ['/mcp', FILE, '/v1/workspaces/main/events']) {
      const asked = await ask('OPTIONS', path, { token: null, headers: { origin, ...PREFLIGHT } })
      expect([404, 405], path).toContain(asked.status)
      expectNoCors(asked)
      const got = await ask('GET', path, { headers: { origin } })
      expectNoCors(got)
      await got.body?.cancel()
    }
  }
})

function expectNoCors({ headers }: Response): void {
  const told = [...headers.keys()].filter((name) => name.startsWith('access-control-'))
  expect(told).toEqual([])
}

test('G4+: of several origins each is told its own, and no other; names of hosts give none', async () => {
  const origins = ['https://app.example:8443', 'HTTP://Other.Example:80/']
  const { ask, url } = await serveReal(undefined, { origins, extraHosts: ['files.example'] })
  await ask('PUT', FILE, { body: 'x' })
  const told = async (origin: string) => {
    const answer = await ask('GET', FILE, { headers: { origin } })
    return [answer.status, answer.headers.get('access-control-allow-origin')]
  }
  expect(await told('https://app.example:8443')).toEqual([200, 'https://app.example:8443'])
  expect(await told('http://other.example')).toEqual([200, 'http://other.example'])
  for (const near of [
    'https://app.example',
    'http://app.example:8443',
    'https://app.example:8443.evil.example',
    'https://xapp.example:8443',
    'https://other.example',
    'null',
  ]) {
    expect(await told(near), near).toEqual([403, null])
  }
  expect(await told('https://files.example')).toEqual([200, null])
  // A page's origin is no name of this server: DNS rebinding is kept out as before.
  const headers = { host: 'app.example:8443', origin: 'https://app.example:8443' }
  expect((await askExactly(url, { path: '/health', headers })).status).toBe(403)
  const answer = await ask('GET', FILE, { headers: { origin: 'http://other.example' } })
  expect(answer.headers.get('access-control-allow-credentials')).toBeNull()
  expect((await ask('OPTIONS', FILE)).status).toBe(404)
})

test('G4+: an origin that could never match is refused at the start with what to write', async () => {
  const place = new Place()
  for (const [given, words] of [
    ['https://app.example/path', 'write "https://app.example"'],
    ['app.example:3000', 'write "https://app.example:3000" or "http://app.example:3000"'],
    ['https://u:p@app.example', 'write "https://app.example"'],
    ['*', 'one by one'],
    ['https://*.example', 'one by one'],
    ['null', 'no origin'],
    ['file:///x', 'no origin'],
    ['', 'no origin'],
  ] as const) {
    const result = originOf(given)
    expect(result.ok ? 'taken' : result.fault, given).toContain(words)
  }
  expect(originOf(' HTTPS://Bücher.Example:443 ')).toEqual({
    ok: true,
    origin: 'https://xn--bcher-kva.example',
  })
  const ran = await place.run(['serve', '--port', '0', '--allow-origin', 'app.example'])
  expect(ran).toMatchObject({
    code: 2,
    err: expect.stringContaining('write "https://app.example"'),
  })
  const options = { data: place.data, host: '127.0.0.1', port: 0, allowOrigins: ['*'] }
  await expect(startServer(options)).rejects.toThrow('one by one')
})
