import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect, type Sluice } from '../../src/client/index.ts'
import { freePort, ServerProcess } from '../chaos/server-process.ts'
import { deafRequest, deafSocket, type SlowClient, socketsOf } from './slow-client.ts'

/** The named limits, made short: nobody wants to wait for a minute in a test. */
const LIMITS = { stalledMs: 300, silenceMs: 1500, socketSendQueueBytes: 4 * 1024 * 1024 }
const reason =
  process.platform === 'linux' ? undefined : 'only Linux tells the sockets of a process'
if (reason !== undefined) console.log(`slow clients: skipped, ${reason}`)

let data: string
let server: ServerProcess
let sluice: Sluice
let port: number

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'sluice-slow-'))
  port = await freePort()
  server = await ServerProcess.start({ data, port, limits: LIMITS })
  sluice = await connect({ url: server.url, token: server.adminToken })
  // Far more facts, and far more bytes, than all buffers on the way to a client take together.
  const message = 'm'.repeat(4000)
  const appends = Array.from({ length: 4000 }, (_, i) =>
    sluice.call('patch_file', { path: `/log-${i % 50}`, append: '.', message }),
  )
  await Promise.all(appends)
  await sluice.workspace().write('/middle', 'm'.repeat(1_000_000))
  await sluice.workspace().write('/large', new Uint8Array(40_000_000))
  await sluice.workspace().write('/text', 't'.repeat(20_000_000))
}, 60_000)

afterAll(async () => {
  await sluice.close()
  await server.stop()
  await rm(data, { recursive: true, force: true })
})

/** Others go on meanwhile; in the end the server has let go of the client that does not read. */
async function expectCutOff(connecting: () => Promise<SlowClient>): Promise<void> {
  const before = await settledSockets()
  const slow = await connecting()
  for (let i = 0; i < 20; i++) {
    await sluice.workspace().append('/beside', '.')
    await sluice.workspace().read('/beside')
  }
  while ((socketsOf(server.pid) ?? 0) > before) await sleep(50)
  slow.end()
  expect(server.complaints).toBe('')
}

/** Connections that were kept open for more requests close by and by. */
async function settledSockets(): Promise<number> {
  let count = socketsOf(server.pid) ?? 0
  for (;;) {
    await sleep(200)
    const now = socketsOf(server.pid) ?? 0
    if (now === count) return count
    count = now
  }
}

const authorization = () => `Authorization: Bearer ${server.adminToken}`
const MAIN = '/v1/workspaces/main'

test.skipIf(reason !== undefined)(
  'contract §6: a reader of server-sent events that never reads is cut off at LIMITS.stalledMs',
  () => {
    const get = `GET ${MAIN}/events?since=0 HTTP/1.1`
    return expectCutOff(() => deafRequest(port, [get, authorization()]))
  },
)

test.skipIf(reason !== undefined)(
  'contract §8: a watch on a socket that never reads is cut off at LIMITS.stalledMs',
  () => {
    const watch = ['watch', 1, { workspace: 'main', since: 0 }]
    return expectCutOff(() => deafSocket(server.url, server.adminToken, [watch]))
  },
)

test.skipIf(reason !== undefined)(
  'contract §8: a socket that asks for more than it reads is cut off at LIMITS.socketSendQueueBytes',
  () => {
    const calls = Array.from({ length: 40 }, (_, i) => [
      'call',
      i + 1,
      'read_file',
      { path: '/middle' },
    ])
    return expectCutOff(() => deafSocket(server.url, server.adminToken, calls))
  },
)

test.skipIf(reason !== undefined)(
  'contract §6: a reader of a large file that never reads is cut off at LIMITS.silenceMs',
  () => {
    const get = `GET ${MAIN}/files/large HTTP/1.1`
    return expectCutOff(() => deafRequest(port, [get, authorization()]))
  },
)

test.skipIf(reason !== undefined)(
  'contract §9: an MCP client that never reads its answer is cut off at LIMITS.silenceMs',
  () => {
    const params = { name: 'read_text_file', arguments: { path: '/text' } }
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params })
    const lines = [
      'POST /mcp HTTP/1.1',
      authorization(),
      'Content-Type: application/json',
      'Accept: application/json, text/event-stream',
      'MCP-Protocol-Version: 2025-11-25',
    ]
    return expectCutOff(() => deafRequest(port, lines, body))
  },
)
