import { expect, test } from 'vitest'
import type { Notice } from '../../src/client/index.ts'
import { SOCKET_CONTENT_BYTES } from '../../src/contract/socket.ts'
import { Calm, codeOf } from './killable.ts'

/** What becomes of locks that are held, by the SDK: changed, recalled, handed over, talked about. */
async function seats(settings: Record<string, unknown> = {}) {
  const server = await Calm.start()
  const [one, other] = [await server.connect(), await server.connect()]
  await one.call('put_workspace', { workspace: 'main', settings })
  return { server, one, other, ann: one.workspace(), bob: other.workspace() }
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 10))
}

test('locks §15, §17: a lock is changed in place under its id and token, and weaker wakes who waits', async () => {
  const { ann, bob } = await seats()
  const lock = await ann.lock('/f', { level: 'read' })
  await bob.lock('/f', { level: 'read' })
  const { fence, id, token } = lock
  await lock.change('write')
  expect(lock).toMatchObject({ id, token, level: 'write', items: [{ path: '/f', level: 'write' }] })
  expect(lock.fence).toBeGreaterThan(fence)
  await lock.change('write')
  const waiting = bob.lock('/f', { wait: 20 })
  await lock.change('read')
  expect((await waiting).level).toBe('write')
  expect(lock.state).toBe('held')
})

test('locks §15: a change that is refused or not granted in time leaves the lock as it was', async () => {
  const { ann, bob } = await seats()
  const lock = await ann.lock('/f', { level: 'read' })
  await bob.lock('/f')
  expect(await codeOf(lock.change('write'))).toBe('lock_conflict')
  expect(await codeOf(lock.change('write', { wait: 0.1 }))).toBe('lock_conflict')
  expect((await ann.locks()).waiting).toEqual([])
  expect(await codeOf(lock.change('read', { ifVersion: 99 }))).toBe('stale_version')
  expect([lock.level, lock.state]).toEqual(['read', 'held'])
  await lock.release()
  expect(await codeOf(lock.change('write'))).toBe('lock_lost')
})

test('locks §38: a recall calls back with its deadline, and is extended once', async () => {
  const { one, bob } = await seats({ minimum_hold_s: 0, recall_grace_s: 30 })
  const heard: Notice[] = []
  const lock = await bob.lock('/f', { onRecall: (notice) => heard.push(notice) })
  expect(lock.recalledUntil).toBeUndefined()
  expect(await codeOf(lock.extend())).toBe('invalid_request')
  await one.call('recall_lock', { id: lock.id, reason: 'a release' })
  await until(() => heard.length > 0)
  expect(heard[0]).toMatchObject({ kind: 'recalled', lock: lock.id, paths: ['/f'] })
  expect(heard[0]?.text).toContain('a release')
  const first = lock.recalledUntil as Date
  expect(first.toISOString()).toBe(heard[0]?.until)
  expect((await lock.extend())?.getTime()).toBe(first.getTime() + 30_000)
  expect(await codeOf(lock.extend())).toBe('too_many')
})

test('locks §39: a recall ends in a loss, and the late write in a draft that only its writer reads', async () => {
  const { server, one, ann, bob } = await seats({ minimum_hold_s: 0, recall_grace_s: 30 })
  let isLost = false
  const lock = await bob.lock('/f', {
    onLost: () => {
      isLost = true
    },
  })
  await one.call('recall_lock', { id: lock.id, reason: 'a release' })
  await server.pass(31_000)
  await until(() => isLost)
  expect([lock.state, lock.signal.aborted]).toEqual(['lost', true])
  const late = await bob.write('/f', 'late').catch((error: unknown) => error)
  expect(late).toMatchObject({ code: 'lock_lost', problem: { reason: 'revoked' } })
  const { draft } = (late as { problem: { draft: string } }).problem
  const kept = await bob.draft(draft)
  expect(kept).toMatchObject({ draft, path: '/f', lock: lock.id, base: 0, size: 4 })
  expect(kept.text()).toBe('late')
  expect((await bob.status()).drafts).toMatchObject([{ draft }])
  expect(await codeOf(ann.draft('D99999'))).toBe('not_found')
})

test('locks §38: a recall that is over is forgotten', async () => {
  const { ann, bob } = await seats({ minimum_hold_s: 0, recall_grace_s: 0.5 })
  const lock = await bob.lock('/f', { level: 'read' })
  const own = await ann.lock('/f', { level: 'read' })
  expect(await codeOf(own.change('exclusive', { wait: 0.1 }))).toBe('lock_conflict')
  await bob.status()
  await until(() => lock.recalledUntil !== undefined)
  const isOver = async (): Promise<boolean> => {
    await bob.status()
    return lock.recalledUntil === undefined
  }
  while (!(await isOver()));
  expect(lock.state).toBe('held')
})

test('locks §38: a recall that comes with the grant is not missed', async () => {
  const { one, ann, bob } = await seats()
  const held = await ann.lock('/f')
  const heard: Notice[] = []
  const waiting = bob.lock('/f', { wait: 20, onRecall: (notice) => heard.push(notice) })
  await held.release()
  // The recall is asked for while the grant is on its way.
  const { locks } = await ann.locks({ path: '/f' })
  for (const { id } of locks) await one.call('recall_lock', { id, reason: 'at once' })
  const lock = await waiting
  await until(() => heard.length > 0)
  expect(lock.recalledUntil?.toISOString()).toBe(heard[0]?.until)
})

test('locks §39: a draft too large for a frame comes whole', async () => {
  const { one, other, bob } = await seats({ minimum_hold_s: 0 })
  await bob.write('/f', `one\n${'A'.repeat(SOCKET_CONTENT_BYTES)}`)
  const lock = await bob.lock('/f')
  await one.call('release_lock', { id: lock.id, force: true, reason: 'test' })
  const edits = [{ oldText: 'one', newText: 'two' }]
  const late = await bob.edit('/f', edits).catch((error: unknown) => error)
  const { draft, reason } = (late as { problem: { draft: string; reason: string } }).problem
  expect(reason).toBe('forced')
  expect((await bob.draft(draft)).text().slice(0, 4)).toBe('two\n')
  const answer = await other.call('read_draft', { draft })
  expect(answer.content?.length).toBe(SOCKET_CONTENT_BYTES + 4)
})

test('locks §41: after a hand-over the giver is done without a loss, the receiver holds it', async () => {
  const { one, other, ann, bob } = await seats()
  const heard: Notice[] = []
  bob.onNotice((notice) => heard.push(notice))
  let losses = 0
  const lock = await ann.lock('/f', { level: 'exclusive', onLost: () => losses++ })
  await lock.handOver(other.session)
  expect(lock.state).toBe('lost')
  await until(() => heard.length > 0)
  expect(heard[0]).toMatchObject({ kind: 'handed_over', from: { session: one.session } })
  expect(await codeOf(ann.write('/f', 'x', { lock }))).toBe('lock_lost')
  const taken = await bob.lock('/f', { level: 'exclusive' })
  expect(taken).toMatchObject({ alreadyHeld: true, id: heard[0]?.lock })
  expect(taken.fence).toBeGreaterThan(lock.fence)
  expect(await codeOf(taken.handOver('nobody'))).toBe('not_found')
  expect(await codeOf(taken.handOver('admin'))).toBe('invalid_request')
  await bob.write('/f', 'x', { lock: taken })
  expect([losses, taken.state]).toEqual([0, 'held'])
})

test('locks §5, §6, §9: ranges, lines, metadata and any of several', async () => {
  const { ann, bob } = await seats()
  const { version } = await ann.write('/f', 'one\ntwo\nthree\n')
  const two = await ann.lock('/f', { lines: { from: 2, to: 2, version } })
  expect(two.items).toMatchObject([{ path: '/f', range: { start: 4, end: 8 } }])
  const first = await bob.lock([{ path: '/f', range: { start: 0, end: 4 } }])
  await bob.replace('/f', 'the first\n')
  await ann.replace('/f', 'TWO\n', { lock: two })
  expect((await ann.read('/f')).text()).toBe('the first\nTWO\nthree\n')
  expect(await codeOf(bob.replace('/f', 'x', { range: { start: 10, end: 13 } }))).toBe('locked')
  await first.release()
  await bob.lock('/f', { key: 'metadata' })
  expect(await codeOf(ann.lock('/f', { key: 'metadata' }))).toBe('lock_conflict')
  const jobs = ['/1', '/2', '/3'].map((path) => ({ path }))
  const taken = [await ann.lock(jobs, { any: 1 }), await bob.lock(jobs, { any: 1 })]
  expect(taken.map(({ items }) => items[0]?.path)).toEqual(['/1', '/2'])
})

test('locks §31: a lost lock with a delay keeps its paths closed', async () => {
  const { one, ann, bob } = await seats()
  const lock = await bob.lock('/f', { lockDelay: 60 })
  await one.call('release_lock', { id: lock.id, force: true, reason: 'test' })
  const { closed } = await ann.locks({ path: '/f' })
  expect(closed).toMatchObject([{ lock: lock.id, closed_until: expect.any(String) }])
  expect(await codeOf(ann.lock('/f'))).toBe('lock_conflict')
})

test('locks §37: asking, an estimate, and a yield that is no loss', async () => {
  const { ann, bob } = await seats()
  const told: Notice[] = []
  const heard: Notice[] = []
  ann.onNotice((notice) => told.push(notice))
  bob.onNotice((notice) => heard.push(notice))
  let losses = 0
  const lock = await ann.lock('/f', { onLost: () => losses++ })
  const { ask } = await bob.ask(lock.id, 'how long?')
  await until(() => told.length > 0)
  expect(told[0]).toMatchObject({ kind: 'asked', ask, lock: lock.id })
  await ann.answer(ask, 'estimate', { estimate: 90, message: 'nearly' })
  await until(() => heard.length > 0)
  expect(heard[0]?.text).toMatch(/about 90 s.*nearly/)
  expect(await codeOf(bob.answer(ask, 'yield'))).toBe('not_found')
  expect(await ann.answer(ask, 'yield')).toMatchObject({ released: true })
  expect([lock.state, losses, lock.signal.aborted]).toEqual(['lost', 0, false])
  await bob.lock('/f')
  expect(await codeOf(bob.ask(lock.id, 'again'))).toBe('lock_lost')
})

test('locks §30: a lock that was waited for is held, not suspect, when it is granted', async () => {
  const { server, ann, bob } = await seats()
  const lock = await ann.lock('/f')
  const waiting = bob.lock('/f', { wait: 30 })
  // Longer than a client without an answer is sure of anything.
  await server.pass(6000)
  await lock.release()
  expect((await waiting).state).toBe('held')
})
