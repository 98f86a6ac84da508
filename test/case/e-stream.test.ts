import { expect, test } from 'vitest'
import { serveMcpReal } from '../face/mcp-client.ts'
import type { Served } from '../face/serve.ts'

async function openSession({ ask }: Pick<Served, 'ask'>): Promise<string> {
  const params = {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'test', version: '1' },
  }
  const json = { jsonrpc: '2.0', id: 1, method: 'initialize', params }
  const accept = 'application/json, text/event-stream'
  const answer = await ask('POST', '/mcp', { json, headers: { accept } })
  await answer.text()
  return answer.headers.get('mcp-session-id') ?? ''
}

test('E6: the newer stream of a session replaces the one before, hung or closed', async () => {
  const served = await serveMcpReal()
  const session = await openSession(served)
  const headers = { 'mcp-session-id': session, accept: 'text/event-stream' }
  const hung = await served.ask('GET', '/mcp', { headers })
  expect(hung.status).toBe(200)
  for (let again = 0; again < 5; again++) {
    const next = await served.ask('GET', '/mcp', { headers })
    expect(next.status).toBe(200)
    await next.body?.cancel()
  }
  const last = await served.ask('GET', '/mcp', { headers })
  expect(last.status).toBe(200)
  // The first one was ended by the server.
  expect(await hung.text()).toContain(': open')
  const status = { jsonrpc: '2.0', id: 2, method: 'ping' }
  const accept = 'application/json, text/event-stream'
  const ping = await served.ask('POST', '/mcp', { json: status, headers: { ...headers, accept } })
  expect(ping.status).toBe(200)
  await last.body?.cancel()
})

test('E6+: a GET that is refused for another reason ends nobody’s stream', async () => {
  const served = await serveMcpReal()
  const session = await openSession(served)
  const headers = { 'mcp-session-id': session, accept: 'text/event-stream' }
  const stream = await served.ask('GET', '/mcp', { headers })
  const reader = stream.body?.getReader()
  await reader?.read()
  let isEnded = false
  const rest = reader?.read().then(({ done }) => {
    isEnded = done
  })
  const html = { ...headers, accept: 'text/html' }
  expect((await served.ask('GET', '/mcp', { headers: html })).status).toBe(406)
  const foreign = await served.ask('GET', '/mcp', { headers, token: 'token-b' })
  expect(foreign.status).toBe(404)
  expect(
    (await served.ask('GET', '/mcp', { headers: { ...headers, 'mcp-session-id': 'x' } })).status,
  ).toBe(404)
  expect(isEnded).toBe(false)
  await reader?.cancel()
  await rest
})
