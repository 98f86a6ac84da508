import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type Sluice } from '../../src/client/index.ts'
import type { ServerProcess } from '../chaos/server-process.ts'
import { memoryOf } from './memory.ts'

export interface Crowd {
  sessions: number
  waiting: number
  /** Resident megabytes of the server: empty, with all of them, later on, and when they are gone. */
  memory: { empty: number; full: number; later: number; gone: number }
  left: { sessions: number; locks: number; waiting: number }
}

/** Sessions on each socketless door; HTTP opens a session by its name. */
const IN_PARALLEL = 64

/**
 * Fills a server with sessions that each wait for one of a hundred locks, holds them for a while under
 * reads, and lets all go.
 */
export async function crowd(server: ServerProcess, size: number, holdMs: number): Promise<Crowd> {
  const sluice = await connect({ url: server.url, token: server.adminToken })
  const empty = memoryOf(server.pid)
  const held = Math.min(100, size)
  for (let i = 0; i < held; i++) await sluice.workspace().lock(`/held/${i}`, { ttl: 3600 })
  await each(size, (i) => queue(server, `waiter-${i}`, `/held/${i % held}`))
  const full = memoryOf(server.pid)
  const facts = await counts(sluice)
  await under(sluice, holdMs)
  const later = memoryOf(server.pid)
  await each(size, (i) => end(server, `admin:waiter-${i}`))
  const left = await counts(sluice)
  const gone = memoryOf(server.pid)
  await sluice.close()
  const { sessions, waiting } = facts
  return { sessions, waiting, memory: { empty, full, later, gone }, left }
}

/** Reads and renews, as a server in use does, while the crowd only waits. */
async function under(sluice: Sluice, holdMs: number): Promise<void> {
  const until = performance.now() + holdMs
  while (performance.now() < until) {
    await sluice.workspace().status()
    await sluice.workspace().append('/beside', '.')
    await sleep(5)
  }
}

async function counts(sluice: Sluice) {
  const { sessions } = (await sluice.call('list_sessions', {})).value
  const { totals } = await sluice.workspace().status()
  return { sessions: sessions.length, ...totals }
}

async function queue(server: ServerProcess, session: string, path: string): Promise<void> {
  const response = await ask(server, 'POST', '/v1/workspaces/main/locks', session, {
    path,
    queue: true,
  })
  if (response.status !== 202) throw new Error(`${response.status}: ${await response.text()}`)
  await response.arrayBuffer()
}

async function end(server: ServerProcess, session: string): Promise<void> {
  const response = await ask(server, 'DELETE', `/v1/sessions/${encodeURIComponent(session)}`, 'end')
  if (response.status !== 204) throw new Error(`${response.status}: ${await response.text()}`)
}

function ask(server: ServerProcess, method: string, path: string, session: string, json?: object) {
  const headers: Record<string, string> = {
    authorization: `Bearer ${server.adminToken}`,
    'sluice-session': session,
    ...(json === undefined ? {} : { 'content-type': 'application/json' }),
  }
  const body = json === undefined ? {} : { body: JSON.stringify(json) }
  return fetch(server.url + path, { method, headers, ...body })
}

async function each(size: number, task: (index: number) => Promise<void>): Promise<void> {
  let next = 0
  const lane = async () => {
    while (next < size) await task(next++)
  }
  await Promise.all(Array.from({ length: IN_PARALLEL }, lane))
}
