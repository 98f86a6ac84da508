import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { expect, onTestFinished, test } from 'vitest'
import { connectMcp, INITIALIZE, serveMcp } from './mcp-client.ts'
import type { Served } from './serve.ts'

const STATUS = {
  jsonrpc: '2.0',
  id: 2,
  method: 'tools/call',
  params: { name: 'workspace_status', arguments: {} },
}

function post(
  { ask }: Served,
  json: unknown,
  headers: Record<string, string> = {},
  more: { token?: string | null; path?: string } = {},
) {
  const accept = 'application/json, text/event-stream'
  const { token = 'token-a', path = '/mcp' } = more
  return ask('POST', path, { json, token, headers: { accept, ...headers } })
}

async function openSession(served: Served): Promise<string> {
  const answer = await post(served, INITIALIZE)
  expect(answer.status).toBe(200)
  await answer.text()
  return answer.headers.get('mcp-session-id') ?? ''
}

test('contract §9: the older client of the first SDK works', async () => {
  const served = await serveMcp()
  const client = new Client({ name: 'old', version: '1' })
  const transport = new StreamableHTTPClientTransport(new URL(`${served.url}/mcp`), {
    requestInit: { headers: { authorization: 'Bearer token-a' } },
  })
  // The SDK's own types do not agree under exactOptionalPropertyTypes.
  await client.connect(transport as Parameters<Client['connect']>[0])
  onTestFinished(() => client.close())
  await client.listTools()
  const written = await client.callTool({
    name: 'write_file',
    arguments: { path: '/a', content: 'x' },
  })
  expect(written.isError).toBeFalsy()
  // It checks structured content against the output schema, of refusals too.
  for (const name of ['read_text_file', 'read_media_file', 'acquire_lock', 'list_directory']) {
    const refused = await client.callTool({ name, arguments: { path: '/../x' } })
    expect(refused.isError, name).toBe(true)
  }
  const granted = await client.callTool({ name: 'acquire_lock', arguments: { path: '/a' } })
  expect(granted.structuredContent).toMatchObject({ status: 'granted' })
})

test('contract §9: Mcp-Session-Id names the Sluice session, and DELETE ends it', async () => {
  const served = await serveMcp()
  const session = await openSession(served)
  const headers = { 'mcp-session-id': session }
  const answer = await post(served, STATUS, headers)
  expect(await answer.text()).toContain(`agent-a:${session}`)
  const ended = await served.ask('DELETE', '/mcp', { headers })
  expect(ended.status).toBe(200)
  expect(served.engine.ended).toEqual([`agent-a:${session}`])
  expect((await post(served, STATUS, headers)).status).toBe(404)
})

test('contract §9: a session is nobody else’s, nor of another workspace', async () => {
  const served = await serveMcp()
  const headers = { 'mcp-session-id': await openSession(served) }
  expect((await post(served, STATUS, headers, { token: 'token-b' })).status).toBe(404)
  expect((await post(served, STATUS, headers, { path: '/mcp/main' })).status).toBe(200)
  expect((await post(served, STATUS, { 'mcp-session-id': 'made-up' })).status).toBe(404)
})

test('contract §9: without a session it is what Sluice-Session names, else the default one', async () => {
  const served = await serveMcp()
  expect(await (await post(served, STATUS)).text()).toContain('agent-a:default')
  const named = await post(served, STATUS, { 'sluice-session': 'run-7' })
  expect(await named.text()).toContain('agent-a:run-7')
  const { call } = await connectMcp(served, { headers: { 'sluice-session': 'run-8' } })
  expect((await call('workspace_status')).structured).toMatchObject({ session: 'agent-a:run-8' })
  const plain = await connectMcp(served)
  expect((await plain.call('workspace_status')).structured).toMatchObject({
    session: 'agent-a:default',
  })
})

test('contract §9: MCP passes the doors of HTTP', async () => {
  const served = await serveMcp()
  const none = await post(served, INITIALIZE, {}, { token: null })
  expect(none.status).toBe(401)
  expect(none.headers.get('www-authenticate')).toMatch(/^Bearer/)
  expect((await post(served, INITIALIZE, { origin: 'http://evil.example' })).status).toBe(403)
  const elsewhere = await post(served, INITIALIZE, {}, { path: '/mcp/other' })
  expect(elsewhere.status).toBe(404)
  expect(await elsewhere.json()).toMatchObject({ code: 'not_found' })
})

test('contract §9: broken JSON and other types are refused in the protocol’s words', async () => {
  const { ask } = await serveMcp()
  const send = (body: string, type: string) => {
    const accept = 'application/json, text/event-stream'
    return ask('POST', '/mcp', { body, headers: { accept, 'content-type': type } })
  }
  const broken = await send('{"jsonrpc":', 'application/json')
  expect(broken.status).toBe(400)
  expect(await broken.json()).toMatchObject({ jsonrpc: '2.0', error: { code: -32700 } })
  expect((await send('{}', 'text/plain')).status).toBe(415)
  const large = await send(`"${'x'.repeat(5 * 1024 * 1024)}"`, 'application/json')
  expect(large.status).toBe(413)
})

test('contract §9: closing the server ends sessions and their streams', async () => {
  const served = await serveMcp()
  const headers = { 'mcp-session-id': await openSession(served), accept: 'text/event-stream' }
  const stream = await served.ask('GET', '/mcp', { headers })
  expect(stream.status).toBe(200)
  const rest = stream.text()
  await served.server.close()
  await rest.catch(() => {})
})
