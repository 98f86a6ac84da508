import { Packr } from 'msgpackr'
import { expect, test } from 'vitest'
import { Connection } from '../../src/client/connection.ts'
import type { Lock } from '../../src/client/lock.ts'
import { Locking } from '../../src/client/locking.ts'
import { systemRuntime } from '../../src/client/runtime.ts'
import type { Transport } from '../../src/client/transport.ts'
import type { ClientMessage, ServerMessage } from '../../src/contract/socket.ts'
import { codeOf } from './killable.ts'

/** What crosses on the way between a client and its server. */
const packr = new Packr({ useRecords: false })
const turn = () => new Promise((resolve) => setTimeout(resolve, 5))

function granted(id: string, extra: object = {}) {
  const lock = { id, ttl: 60, renew: 'activity', fence: 1, level: 'write', items: [] }
  return { status: 'granted', lock, token: `${id}.x`, versions: {}, to_read: [], ...extra }
}

/** A grant that only `renew_lock` renews. */
function explicit(id: string, extra: object = {}) {
  const answer = granted(id, extra)
  answer.lock.renew = 'explicit'
  return answer
}

/** The server's end of a socket, as a test plays it. */
class Wire {
  readonly said: ClientMessage[] = []
  private transport: Transport | undefined

  readonly runtime = {
    ...systemRuntime,
    open: async (): Promise<Transport> => {
      const transport: Transport = {
        send: (frame) => {
          for (const message of packr.unpack(frame) as ClientMessage[]) this.heard(message)
        },
        close: () => {},
        onOpen: () => {},
        onFrame: () => {},
        onClose: () => {},
      }
      this.transport = transport
      setTimeout(() => transport.onOpen(), 0)
      return transport
    },
  }

  say(...messages: ServerMessage[]): void {
    this.transport?.onFrame(packr.pack(messages))
  }

  cut(): void {
    this.said.length = 0
    this.transport?.onClose(1006, 'cut')
  }

  private heard(message: ClientMessage): void {
    if (message[0] !== 'hello') return void this.said.push(message)
    const welcome = { session: 'ann:s', secret: 'x', agent: 'ann', resumed: false, version: '0' }
    setTimeout(() => this.say(['welcome', welcome]), 0)
  }
}

test('E1+: where the cancel is lost, the client gives back what crossed it, before what it asks next', async () => {
  const wire = new Wire()
  const connection = new Connection('http://server', { token: 'x' }, 10_000, wire.runtime)
  await connection.opened()
  const stop = new AbortController()
  const asked = connection.call('acquire_lock', { path: '/f' }, undefined, stop.signal, 'one')
  await turn()
  const [call] = wire.said
  const id = call?.[1] as number
  stop.abort()
  expect(await codeOf(asked)).toBe('ticket_gone')
  const next = connection.call('acquire_lock', { path: '/f' }, undefined, undefined, 'one')
  await turn()
  // The cancel never arrived; the answer did.
  wire.say(['done', id, granted('L1'), 1])
  await turn()
  wire.cut()
  while (wire.said.length < 2) await turn()
  const calls = wire.said.filter(([what]) => what === 'call')
  expect(calls.map((one) => [one[2], one[5]])).toEqual([
    ['release_lock', 'one'],
    ['acquire_lock', 'one'],
  ])
  expect(calls[0]?.[3]).toMatchObject({ id: 'L1' })
  wire.say(['done', id, { released: true }, 2], ['done', id + 1, granted('L2'), 3])
  expect(((await next).value as { lock: { id: string } }).lock.id).toBe('L2')
  connection.close()
})

/** A client whose server answers as the test says. */
function lockingWith(answers: (() => unknown)[]) {
  const said: string[] = []
  const call = async (name: string) => {
    said.push(name)
    await turn()
    return name === 'acquire_lock' || name === 'wait_for_lock' ? answers.shift()?.() : {}
  }
  const locking = new Locking(call as never, systemRuntime)
  return { locking, said }
}

const lost = (lock: string) => ({ kind: 'lost' as const, lock, text: '', paths: [] }) as never

test('locks §30: a lock that is lost while its grant is on the way is not believed in', async () => {
  const { locking, said } = lockingWith([() => granted('L1'), () => granted('L2')])
  const asked = locking.lock('/f', {})
  locking.noticed(lost('L1'))
  const lock: Lock = await asked
  expect([lock.id, lock.state]).toEqual(['L2', 'held'])
  expect(said).toEqual(['acquire_lock', 'acquire_lock'])
  locking.leases.stop()
})

test('locks §30: a lock that is lost while it is renewed for its first user is not believed in', async () => {
  const held = () => explicit('L1', { already_held: true })
  const { locking, said } = lockingWith([held, held])
  const asked = locking.lock('/f', {})
  while (!said.includes('renew_lock')) await turn()
  locking.noticed(lost('L1'))
  expect(await codeOf(asked)).toBe('lock_lost')
  expect(locking.state('L1')).toBe('lost')
})

test('locks §38: a recall that is told again after a restart calls back once', async () => {
  const { locking } = lockingWith([() => granted('L1')])
  const heard: (string | undefined)[] = []
  await locking.lock('/f', { onRecall: ({ until }) => heard.push(until) })
  const recalled = (until: string) => ({ kind: 'recalled', lock: 'L1', text: '', until }) as never
  for (const until of ['2027-01-15T08:00:00.000Z', '2027-01-15T08:00:00.000Z']) {
    locking.noticed(recalled(until))
  }
  expect(heard).toEqual(['2027-01-15T08:00:00.000Z'])
  locking.noticed(recalled('2027-01-15T08:01:00.000Z'))
  expect(heard).toHaveLength(2)
  locking.leases.stop()
})

test('locks §30: a lock that only renew_lock renews is renewed where its turn may have come before the wait', async () => {
  const queued = { status: 'queued', ticket: 'T1', holders: [] }
  const { locking, said } = lockingWith([() => queued, () => explicit('L1')])
  await locking.lock('/f', { wait: 5 })
  expect(said).toEqual(['acquire_lock', 'wait_for_lock', 'renew_lock'])
  locking.leases.stop()
})

test('E1+: a lock is given back as often as it takes, unless its caller is told of it anew', async () => {
  const wire = new Wire()
  const waiting: (() => void)[] = []
  const runtime = {
    ...wire.runtime,
    after: (_ms: number, call: () => void) => {
      waiting.push(call)
      return () => {}
    },
  }
  const connection = new Connection('http://server', { token: 'x' }, 10_000, runtime)
  await connection.opened()
  const full = { code: 'server_full', retry: 'after' }
  const releases = () => wire.said.filter((one) => one[2] === 'release_lock')
  const done = connection.giveBack('main', 'L1', 'one')
  await turn()
  const [first] = releases()
  expect(first?.slice(2)).toEqual([
    'release_lock',
    { workspace: 'main', id: 'L1' },
    undefined,
    'one',
  ])
  wire.say(['refused', first?.[1] as number, full])
  waiting.shift()?.()
  await turn()
  expect(releases()).toHaveLength(2)
  wire.say(['done', first?.[1] as number, { released: true }, 2])
  await done
  // Another one, and its caller asks for it again while it is on its way back.
  const kept = connection.giveBack('main', 'L2')
  const again = connection.call('acquire_lock', { path: '/f' })
  await turn()
  const [release, asked] = wire.said.slice(-2).map((one) => one[1] as number)
  wire.say(['refused', release as number, full])
  wire.say(['done', asked as number, granted('L2', { already_held: true }), 3])
  await again
  await kept
  for (const call of waiting.splice(0)) call()
  await turn()
  expect(releases()).toHaveLength(3)
  connection.close()
  await connection.giveBack('main', 'L3')
})
