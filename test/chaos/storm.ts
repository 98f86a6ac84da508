import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type Sluice } from '../../src/client/index.ts'
import { examine } from './examine.ts'
import { Random } from './random.ts'
import { Record } from './recorded.ts'
import { freePort, ServerProcess } from './server-process.ts'
import { COUNTERS, type Ledgerbook, SETS, StormClient } from './storm-client.ts'
import { StormProxy } from './storm-proxy.ts'

export interface Storm {
  seed: number
  operations: number
  acknowledged: number
  unknown: number
  faults: { [what: string]: number }
  refusals: { [code: string]: number }
  events: number
  violations: string[]
}

/** Short, so that many sessions end in a run; locks have at most twice of it. */
const GRACE_MS = 3000
const CLIENTS = 6

/** Clients count under locks through a bad network; then what is stored must be what they were told. */
export async function playStorm(seed: number, seconds: number): Promise<Storm> {
  const random = new Random(seed)
  const data = await mkdtemp(join(tmpdir(), 'sluice-storm-'))
  const limits = { disconnectGraceMs: GRACE_MS }
  const server = await ServerProcess.start({ data, port: await freePort(), limits })
  const proxy = await StormProxy.open(server.setUp.port, random.fork('network'))
  const admin = await connect({ url: server.url, token: server.adminToken, session: 'set-up' })
  const book: Ledgerbook = {
    ...{ record: new Record(), url: proxy.url, violations: [], clients: new Set() },
    ...{ acknowledged: new Map(), unknown: new Map(), refusals: new Map() },
  }
  const clients = await makeClients(admin, book, random)
  const running = clients.map((client) =>
    client.run().catch((error: unknown) => {
      book.violations.push(`a client broke: ${(error as Error).stack}`)
    }),
  )
  await weather(proxy, random.fork('weather'), seconds * 1000)
  for (const client of clients) client.stop()
  await Promise.all(running)
  await compareCounters(admin, book)
  await admin.close()
  proxy.close()
  await server.stop()
  if (server.complaints !== '') book.violations.push(`the server said: ${server.complaints}`)
  const events = await examine(data, book.record.operations, COUNTERS, book.violations)
  if (book.violations.length === 0) await rm(data, { recursive: true, force: true })
  const total = (counts: Map<string, number>) => [...counts.values()].reduce((a, b) => a + b, 0)
  return {
    ...{ seed, events, violations: book.violations },
    operations: book.record.operations.length,
    acknowledged: total(book.acknowledged),
    unknown: total(book.unknown),
    faults: Object.fromEntries(proxy.counts),
    refusals: Object.fromEntries(book.refusals),
  }
}

async function makeClients(
  admin: Sluice,
  book: Ledgerbook,
  random: Random,
): Promise<StormClient[]> {
  for (const path of [...COUNTERS, ...SETS]) await admin.workspace().write(path, '0')
  const clients: StormClient[] = []
  for (let client = 0; client < CLIENTS; client++) {
    const agent = `agent-${client}`
    await admin.call('put_agent', { name: agent })
    const { token } = (await admin.call('create_token', { name: agent })).value
    clients.push(new StormClient(book, { client, agent, token }, random.fork(agent)))
  }
  return clients
}

/** Storm, with outages short and longer than the grace, then calm enough for everybody to finish. */
async function weather(proxy: StormProxy, random: Random, durationMs: number): Promise<void> {
  const end = performance.now() + durationMs
  proxy.storm(true)
  while (performance.now() < end) {
    await sleep(200 + random.int(1500))
    // Nothing is lost; the shortest locks are; the session is.
    const [least, most] = random.pick([
      [50, 400],
      [1200, 2200],
      [GRACE_MS, GRACE_MS * 1.4],
    ] as const)
    if (random.chance(0.6)) await proxy.outage(least + random.int(most - least))
  }
  proxy.storm(false)
}

/** Each counter is at what was acknowledged, or more by what nobody was answered for. */
async function compareCounters(admin: Sluice, book: Ledgerbook): Promise<void> {
  for (const path of [...COUNTERS, ...SETS]) {
    const value = Number((await admin.workspace().read(path)).text())
    const least = book.acknowledged.get(path) ?? 0
    const most = least + (book.unknown.get(path) ?? 0)
    if (value < least || value > most) {
      book.violations.push(`${path} is ${value}; ${least} to ${most} increments were done`)
    }
  }
  const { ok } = (await admin.call('verify_audit', {})).value
  if (!ok) book.violations.push('the ledger does not verify')
}
