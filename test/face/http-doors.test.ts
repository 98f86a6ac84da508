import { expect, test } from 'vitest'
import { askExactly, serve } from './serve.ts'

const STATUS = '/v1/workspaces/main/status'

test('contract: no token, a wrong one, or another agent’s name is 401', async () => {
  const { ask } = await serve()
  const basic = (name: string, token: string) => ({
    authorization: `Basic ${Buffer.from(`${name}:${token}`).toString('base64')}`,
  })
  const none = await ask('GET', STATUS, { token: null })
  expect(none.status).toBe(401)
  expect(none.headers.get('www-authenticate')).toMatch(/^Bearer/)
  expect(none.headers.get('sluice-revision')).toBeNull()
  expect((await ask('GET', STATUS, { token: 'wrong' })).status).toBe(401)
  expect((await ask('GET', STATUS, { headers: basic('agent-a', 'token-a') })).status).toBe(200)
  expect((await ask('GET', STATUS, { headers: basic('agent-b', 'token-a') })).status).toBe(401)
  expect((await ask('GET', STATUS, { headers: { authorization: 'Digest x' } })).status).toBe(401)
})

test('contract: a token never comes back in an error', async () => {
  const { ask } = await serve()
  const answer = await ask('GET', STATUS, { token: 'sluice-wrong-token' })
  expect(await answer.text()).not.toContain('sluice-wrong-token')
})

test('contract: failed authentications are limited by address, good tokens go on working', async () => {
  const { ask } = await serve()
  for (let i = 0; i < 20; i++) expect((await ask('GET', STATUS, { token: 'x' })).status).toBe(401)
  const limited = await ask('GET', STATUS, { token: 'x' })
  expect(limited.status).toBe(429)
  expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0)
  expect((await ask('GET', STATUS)).status).toBe(200)
})

async function guarded() {
  const { url } = await serve({ extraHosts: ['files.example'] })
  const authorization = 'Bearer token-a'
  return async (headers: Record<string, string>, path = STATUS) =>
    (await askExactly(url, { path, headers: { authorization, ...headers } })).status
}

test('contract: a Host is this machine or one that was allowed', async () => {
  const status = await guarded()
  expect(await status({})).toBe(200)
  expect(await status({ host: 'localhost:1' })).toBe(200)
  expect(await status({ host: '[::1]:7420' })).toBe(200)
  expect(await status({ host: 'files.example' })).toBe(200)
  expect(await status({ host: 'evil.example' })).toBe(403)
  expect(await status({ host: 'localhost.evil.example' })).toBe(403)
  expect(await status({ host: 'localhost@evil.example' })).toBe(403)
})

test('contract: an Origin is this machine or one that was allowed', async () => {
  const status = await guarded()
  expect(await status({ origin: 'http://localhost:5173' })).toBe(200)
  expect(await status({ origin: 'https://files.example' })).toBe(200)
  expect(await status({ origin: 'https://evil.example' })).toBe(403)
  expect(await status({ origin: 'null' })).toBe(403)
})

test('contract: the Host is checked on every route', async () => {
  const status = await guarded()
  for (const path of ['/health', '/docs', '/openapi.json', '/metrics', '/nowhere']) {
    expect(await status({ host: 'evil.example' }, path), path).toBe(403)
  }
})

test('contract: Sluice-Session names the session; one of another agent is refused', async () => {
  const { ask } = await serve()
  const session = async (name: string) => {
    const answer = await ask('GET', STATUS, { headers: { 'sluice-session': name } })
    return answer.status === 200
      ? ((await answer.json()) as { session: string }).session
      : answer.status
  }
  expect(await session('run-1')).toBe('agent-a:run-1')
  expect(await session('agent-a:run-1')).toBe('agent-a:run-1')
  expect(await session('agent-b:run-1')).toBe(403)
  expect(await session('not a name')).toBe(400)
  const answer = await ask('GET', STATUS)
  expect(await answer.json()).toMatchObject({ session: 'agent-a:default' })
})

test('contract: other faces mount behind the same doors', async () => {
  const { ask } = await serve({
    extend: (app) => {
      app.get('/other', async (request) => ({ name: request.principal?.name }))
      app.get('/open', { config: { public: true } }, async () => ({ open: true }))
    },
  })
  expect((await ask('GET', '/other', { token: null })).status).toBe(401)
  expect(await (await ask('GET', '/other')).json()).toEqual({ name: 'agent-a' })
  expect((await ask('GET', '/open', { token: null })).status).toBe(200)
})
