import { expect, test } from 'vitest'
import { SluiceError } from '../../src/client/index.ts'
import { aborted, Calm, cable, codeOf, Killable } from './killable.ts'

test('contract: close() ends the session at once, and its locks go to who waits', async () => {
  const server = await Calm.start()
  const [holder, waiter] = [await server.connect(), await server.connect()]
  await holder.workspace().lock('/a', { ttl: 600 })
  const waiting = waiter.workspace().lock('/a', { wait: 60 })
  while ((await waiter.workspace().locks()).waiting.length === 0) {}
  await holder.close()
  expect((await waiting).state).toBe('held')
  const { sessions } = (await waiter.call('list_sessions', {})).value
  expect(sessions.map(({ id }) => id)).not.toContain(holder.session)
  expect(await codeOf(holder.workspace().status())).toBe('overloaded')
})

test('contract: a refusal is a SluiceError with its code and all that the code promises', async () => {
  const server = await Calm.start()
  const [one, other] = [await server.connect(), await server.connect()]
  const lock = await one.workspace().lock('/a', { level: 'exclusive', intent: 'merge' })
  const refused = await other
    .workspace()
    .lock('/a')
    .catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(SluiceError)
  const { code, problem } = refused as SluiceError
  expect(code).toBe('lock_conflict')
  expect(problem).toMatchObject({
    type: '/errors/lock_conflict',
    status: 409,
    retry: 'after',
    holders: [{ lock: lock.id, agent: 'admin', level: 'exclusive', path: '/a', intent: 'merge' }],
  })
  expect(await codeOf(other.workspace().write('/a', 'x'))).toBe('locked')
  expect(await codeOf(other.workspace().read('/none'))).toBe('not_found')
  expect(await codeOf(other.workspace().read('/../x'))).toBe('invalid_path')
  expect(await codeOf(other.workspace('none').read('/a'))).toBe('not_found')
})

test('contract: a token that is not known is refused at once, and not tried again', async () => {
  const server = await Calm.start()
  expect(await codeOf(server.connect({ token: 'wrong' }))).toBe('unauthenticated')
})

test('contract: more calls at once than fit in a frame go in several, and one that fits in none is too_large', async () => {
  const server = await Calm.start()
  const sluice = await server.connect()
  const message = 'm'.repeat(4000)
  const appends = Array.from({ length: 3000 }, (_, index) =>
    sluice.call('patch_file', { path: `/log-${index % 50}`, append: '.', message }),
  )
  expect(await Promise.all(appends)).toHaveLength(3000)
  const huge = sluice.workspace().append('/huge', 'x'.repeat(9_000_000))
  expect(await codeOf(huge)).toBe('too_large')
  expect(await codeOf(sluice.workspace().status())).toBe('none')
})

test('locks §40, I12: a lock that a supervisor takes away aborts its signal', async () => {
  const server = await Calm.start()
  const [holder, boss] = [await server.connect(), await server.connect()]
  let isTold = false
  const onLost = () => {
    isTold = true
  }
  const lock = await holder.workspace().lock('/a', { ttl: 3, onLost })
  await boss.call('release_lock', { id: lock.id, force: true, reason: 'stuck' })
  await aborted(lock.signal)
  expect(isTold).toBe(true)
  expect(lock.state).toBe('lost')
  expect(await codeOf(holder.workspace().write('/a', 'late', { lock }))).toBe('lock_lost')
})

test('locks §30, I12: a client whose server is gone for longer than the TTL knows that it lost its lock', async () => {
  const server = await Killable.start()
  const sluice = await server.connect()
  const lock = await sluice.workspace().lock('/a', { ttl: 1 })
  await server.kill()
  await aborted(lock.signal)
  expect(lock.state).toBe('lost')
})

test('locks §30: a lock that was waited for longer than its TTL is held when it is granted', async () => {
  const server = await Calm.start()
  const [holder, waiter] = [await server.connect(), await server.connect()]
  const held = await holder.workspace().lock('/a', { ttl: 600 })
  const waiting = waiter.workspace().lock('/a', { ttl: 1, wait: 60 })
  await server.pass(1500)
  await held.release()
  const lock = await waiting
  expect(lock.state).toBe('held')
  expect(await codeOf(waiter.workspace().write('/a', 'x', { lock }))).toBe('none')
})

test('locks §26, I12: a client that was away for longer than the grace learns that its locks are gone', async () => {
  const server = await Killable.start({ disconnectGraceMs: 50 })
  const line = await cable(server.url)
  const [near, far] = [await server.connect(), await server.connect({ url: line.url })]
  const lock = await far.workspace().lock('/a', { ttl: 600 })
  const waiting = near.workspace().lock('/a', { wait: 60 })
  line.cut()
  await waiting
  line.join()
  await aborted(lock.signal)
  expect(lock.state).toBe('lost')
  expect(await codeOf(far.workspace().status())).not.toBe('none')
  expect(far.isClosed).toBe(true)
})
