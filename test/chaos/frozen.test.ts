import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { connect, type Sluice, SluiceError, type Workspace } from '../../src/client/index.ts'
import { ClientProcess } from './client-process.ts'
import { freePort, ServerProcess } from './server-process.ts'

const canFreeze = process.platform !== 'win32'
if (!canFreeze) console.log('frozen.test.ts skips: Windows freezes no process.')
/** Long enough that a busy machine renews in time. */
const SHORT_TTL_S = 2
const LONG_TTL_S = 60

async function startServer(): Promise<ServerProcess> {
  const data = await mkdtemp(join(tmpdir(), 'sluice-frozen-'))
  const server = await ServerProcess.start({ data, port: await freePort() })
  onTestFinished(async () => {
    await server.kill()
    await rm(data, { recursive: true, force: true })
  })
  return server
}

async function connected(server: ServerProcess): Promise<Sluice> {
  const sluice = await connect({ url: server.url, token: server.adminToken })
  onTestFinished(() => sluice.disconnect())
  return sluice
}

async function textOf(workspace: Workspace, path: string): Promise<string> {
  return (await workspace.read(path)).text()
}

async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call
    return 'done'
  } catch (error) {
    if (error instanceof SluiceError) return error.code
    throw error
  }
}

async function waitingOn(workspace: Workspace, count: number): Promise<void> {
  while ((await workspace.locks()).waiting.length < count) await sleep(10)
}

test.skipIf(!canFreeze)(
  'locks §33: a client that hangs longer than its TTL is too late: its writes are lock_lost, and nobody else notices',
  async () => {
    const server = await startServer()
    const frozen = await ClientProcess.start(server.url, server.adminToken)
    onTestFinished(() => frozen.end())
    const [next, other] = [await connected(server), await connected(server)]
    const [mine, theirs] = [next.workspace(), other.workspace()]
    for (const path of ['/wanted', '/free']) await mine.write(path, 'before')
    for (const path of ['/wanted', '/free']) {
      expect(await frozen.ask('lock', path, SHORT_TTL_S)).toMatch(/^L/)
    }
    const elsewhere = await theirs.lock('/elsewhere', { level: 'write', ttl: LONG_TTL_S })
    const waiting = mine.lock('/wanted', { level: 'write', ttl: LONG_TTL_S, wait: 20 })
    await sleep(SHORT_TTL_S * 1500)
    // It renews in time as long as it runs.
    expect(['held', 'suspect']).toContain(await frozen.ask('state', '/wanted'))

    frozen.freeze()
    const lock = await waiting
    await mine.write('/wanted', 'next', { lock })
    await sleep(SHORT_TTL_S * 500)
    // Asked while it hangs: the first thing that it does when it goes on.
    const late = [frozen.ask('write', '/wanted', 'late'), frozen.ask('write', '/free', 'late')]
    frozen.thaw()
    expect(await Promise.all(late)).toEqual(['lock_lost', 'lock_lost'])
    expect(await frozen.ask('state', '/wanted')).toBe('lost, aborted')
    expect(await textOf(mine, '/wanted')).toBe('next')
    expect(await textOf(mine, '/free')).toBe('before')

    expect([lock.state, elsewhere.state]).not.toContain('lost')
    await mine.write('/wanted', 'and goes on', { lock })
    await theirs.write('/elsewhere', 'undisturbed', { lock: elsewhere })
    // Who was late may ask again, and waits for its turn like everybody else.
    expect(await frozen.ask('lock', '/wanted', SHORT_TTL_S)).toBe('lock_conflict')
    await lock.release()
    expect(await frozen.ask('lock', '/wanted', SHORT_TTL_S)).toMatch(/^L/)
    expect(server.complaints).toBe('')
  },
)

test.skipIf(!canFreeze)(
  'locks §25: a server that hangs longer than TTLs takes nothing from who still has it, and gives nothing twice',
  async () => {
    const server = await startServer()
    const [holder, waiter] = [await connected(server), await connected(server)]
    const [mine, theirs] = [holder.workspace(), waiter.workspace()]
    for (const path of ['/short', '/idle', '/long']) await mine.write(path, 'before')
    const short = await mine.lock('/short', { level: 'write', ttl: SHORT_TTL_S })
    const idle = await mine.lock('/idle', { level: 'write', ttl: SHORT_TTL_S })
    const long = await mine.lock('/long', { level: 'write', ttl: LONG_TTL_S })
    const shortNext = theirs.lock('/short', { level: 'write', ttl: LONG_TTL_S, wait: 30 })
    let isLongNext = false
    const longNext = theirs.lock('/long', { level: 'write', ttl: LONG_TTL_S, wait: 30 })
    longNext.then(
      () => {
        isLongNext = true
      },
      () => {},
    )
    await waitingOn(theirs, 2)

    server.freeze()
    await sleep(SHORT_TTL_S * 1500)
    // The client has noticed before the server can give it away.
    expect([short.state, idle.state]).toEqual(['lost', 'lost'])
    expect(long.state).not.toBe('lost')
    const late = [
      codeOf(mine.write('/short', 'late', { lock: short })),
      codeOf(mine.write('/idle', 'late', { lock: idle })),
      codeOf(mine.write('/long', 'in time', { lock: long })),
    ]
    server.thaw()
    const [lateShort, lateIdle, inTime] = await Promise.all(late)
    expect(inTime).toBe('done')
    const granted = await shortNext
    expect(granted.state).not.toBe('lost')
    // The server may find the write or the clock first; either way nobody else had it then.
    expect(['done', 'lock_lost']).toContain(lateShort)
    expect(['done', 'lock_lost']).toContain(lateIdle)
    expect(await textOf(theirs, '/short')).toBe(lateShort === 'done' ? 'late' : 'before')
    expect(await codeOf(mine.write('/short', 'too late', { lock: short }))).toBe('lock_lost')

    expect(long.state).not.toBe('lost')
    expect(isLongNext).toBe(false)
    const { locks } = await mine.locks({ path: '/long' })
    expect(locks.map(({ id }) => id)).toEqual([long.id])
    await long.release()
    expect((await longNext).state).not.toBe('lost')
    const { sessions } = (await holder.call('list_sessions', {})).value
    const ids = sessions.map(({ id }) => id)
    expect(ids).toContain(holder.session)
    expect(ids).toContain(waiter.session)
    expect((await holder.call('verify_audit', {})).value.ok).toBe(true)
    expect(server.complaints).toBe('')
  },
)
