import { expect, onTestFinished, test, vi } from 'vitest'
import { waitForGrant } from '../../src/cli/wait-for-grant.ts'
import { Place, until } from './sluice.ts'

test('contract §5: a lock outlives the command that took it, and another process gives it back', async () => {
  const place = new Place()
  await place.open()
  const words = ['lock', '/a', '--ttl', '60', '--intent', 'merge', '--json']
  const taken = await place.run(words, { apart: true })
  expect(taken.code).toBe(0)
  const { lock } = JSON.parse(taken.out) as { lock: { id: string; session: string } }
  expect(lock).toMatchObject({ level: 'write', owner: 'admin', session: 'admin:cli', ttl: 60 })
  const listed = await place.run(['locks'])
  expect(listed.out).toMatch(new RegExp(`${lock.id} +write +/a +admin:cli .*merge`))
  const refused = await place.run(['lock', '/a', '--session', 'other'])
  expect(refused.code).toBe(7)
  expect(refused.err).toContain('admin:cli')
  const released = await place.run(['unlock', lock.id], { apart: true })
  expect(released.out).toBe('Released.\n')
  expect((await place.run(['unlock', lock.id])).code).toBe(0)
  expect((await place.run(['lock', '/a', '--session', 'other'])).code).toBe(0)
})

test('contract §5: several paths are locked all or none', async () => {
  const place = new Place()
  await place.open()
  await place.run(['lock', '/b', '--session', 'other'])
  expect((await place.run(['lock', '/a', '/b', '--json'])).code).toBe(7)
  expect((await place.run(['locks', '/a'])).out).toBe('No locks.\n')
  const both = await place.run(['lock', '/a', '/c', '--level', 'exclusive', '--json'])
  const { lock } = JSON.parse(both.out) as { lock: { items: { path: string; level: string }[] } }
  expect(lock.items).toMatchObject([
    { path: '/a', level: 'exclusive' },
    { path: '/c', level: 'exclusive' },
  ])
})

test('lock --wait whose time is over says who holds it, and leaves no place in the queue', async () => {
  const place = new Place()
  await place.open()
  await place.run(['lock', '/a', '--session', 'other'])
  const late = await place.run(['lock', '/a', '--wait', '0.3'])
  expect(late.code).toBe(7)
  expect(late.err).toContain('Not granted within 0.3 s: admin:other holds /a (write)')
  expect((await locksOf(place)).waiting).toEqual([])
})

test('lock --wait waits for its turn', async () => {
  const place = new Place()
  await place.open()
  await place.run(['lock', '/a', '--session', 'other'])
  const waiting = place.start(['lock', '/a', '--wait', '20', '--json'])
  await until(async () => ((await locksOf(place)).waiting.length > 0 ? true : undefined))
  await place.run(['unlock', (await locksOf(place)).locks[0]?.id ?? '', '--session', 'other'])
  expect(await waiting.ended()).toMatchObject({ code: 0 })
})

test('lock --wait that is stopped while it waits leaves no place in the queue', async () => {
  const place = new Place()
  await place.open()
  await place.run(['lock', '/a', '--session', 'other'])
  const stopped = place.start(['lock', '/a', '--wait', '20', '--session', 'third'])
  await until(async () => ((await locksOf(place)).waiting.length > 0 ? true : undefined))
  expect((await stopped.stop('SIGINT')).code).toBe(130)
  expect((await locksOf(place)).waiting).toEqual([])
})

const QUEUED = { status: 'queued', ticket: 'T1', position: 1, holders: [] }
const GRANTED = { status: 'granted', lock: { id: 'L1' } }

test.each([
  [QUEUED, ['acquire_lock', 'leave_queue']],
  [GRANTED, ['acquire_lock', 'release_lock']],
])(
  'lock --wait that is stopped before its first answer gives back what that says: %j',
  async (answer, calls) => {
    const exit = vi.spyOn(process, 'exit').mockImplementation((code) => {
      throw new Error(`exit ${code}`)
    })
    onTestFinished(() => exit.mockRestore())
    const said: string[] = []
    const call = async (name: string) => {
      said.push(name)
      if (name === 'acquire_lock') process.emit('SIGINT', 'SIGINT')
      return answer
    }
    const wanted = { operation: 'acquire_lock', input: { path: '/a' } } as const
    const waiting = waitForGrant({ call } as never, wanted, 20)
    await expect(waiting).rejects.toThrow('exit 130')
    expect(said).toEqual(calls)
  },
)

test('lock -- COMMAND holds the lock while the command runs, and exits as it does', async () => {
  const place = new Place()
  await place.open()
  const script =
    'console.log(process.env.SLUICE_FENCE, process.env.SLUICE_LOCK); process.exitCode = 3'
  const ran = await place.run(['lock', '/a', '--', process.execPath, '-e', script])
  expect(ran.code).toBe(3)
  expect(ran.out).toMatch(/^(\d+) L\1\.\S+\n$/)
  expect((await locksOf(place)).locks).toEqual([])
  const missing = await place.run(['lock', '/a', '--', 'no-such-command'])
  expect(missing.code).toBe(127)
  expect(missing.err).toContain('no-such-command cannot be run: ENOENT')
  const killed = await place.run([
    'lock',
    '/a',
    '--',
    process.execPath,
    '-e',
    'process.kill(process.pid)',
  ])
  expect(killed.code).toBe(143)
})

test('lock -- COMMAND: what the command writes with sluice is written under that lock', async () => {
  const place = new Place()
  await place.open()
  const held = place.start([
    'lock',
    '/a',
    '--level',
    'exclusive',
    '--',
    process.execPath,
    '-e',
    IDLE,
  ])
  await held.says(/running (\S+)/)
  const token = /running (\S+)/.exec(held.out)?.[1] ?? ''
  expect((await place.run(['put', '/a'], { input: 'x' })).code).toBe(7)
  const written = await place.run(['put', '/a'], { input: 'x', env: { SLUICE_LOCK: token } })
  expect(written).toMatchObject({ code: 0, err: '' })
  held.child.stdin.end()
  expect((await held.ended()).code).toBe(0)
})

test('lock -- COMMAND: the command is stopped when the lock is lost', async () => {
  const place = new Place()
  await place.open()
  const held = place.start(['lock', '/a', '--ttl', '3', '--', process.execPath, '-e', IDLE])
  await held.says(/running/)
  const [lock] = (await locksOf(place)).locks
  const forced = await place.run(['unlock', lock?.id ?? '', '--force', '--reason', 'stuck'])
  expect(forced.code).toBe(0)
  const ended = await held.ended()
  expect(ended.code).toBe(8)
  expect(ended.err).toContain('was lost; the command was stopped')
})

/** Runs until its stdin ends. */
const IDLE = 'console.log("running", process.env.SLUICE_LOCK); process.stdin.resume()'

interface Locks {
  locks: { id: string }[]
  waiting: unknown[]
}

async function locksOf(place: Place): Promise<Locks> {
  return JSON.parse((await place.run(['locks', '--json'])).out) as Locks
}
