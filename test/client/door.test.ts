import { expect, test } from 'vitest'
import { Calm } from './killable.ts'

test('contract: the signal of a call ends its wait, and the place in the queue goes with it', async () => {
  const server = await Calm.start()
  const [holder, waiter] = [await server.connect(), await server.connect()]
  await holder.workspace().lock('/a', { ttl: 600 })
  const stop = new AbortController()
  const waiting = waiter.call('acquire_lock', { path: '/a', wait: 25 }, undefined, stop.signal)
  while ((await waiter.workspace().locks()).waiting.length === 0) {}
  stop.abort()
  await expect(waiting).rejects.toMatchObject({ code: 'ticket_gone' })
  while ((await waiter.workspace().locks()).waiting.length > 0) {}
})

test('files §6: a call carries contents that no frame takes, with all that was said of them', async () => {
  const server = await Calm.start()
  const sluice = await server.connect()
  const content = new Uint8Array(9_000_000).map((_, index) => index % 251)
  const input = { path: '/large', message: 'why & how', run: 'r1', if_version: 0 }
  const { value, revision } = await sluice.call('write_file', input, content)
  expect(value).toMatchObject({ path: '/large', size: content.length, version: revision })
  const { versions } = await sluice.workspace().history('/large')
  expect(versions).toMatchObject([{ message: 'why & how', run: 'r1' }])
  const read = await sluice.call('read_file', { path: '/large' })
  expect(Buffer.from(read.content ?? []).equals(content)).toBe(true)
})

test('contract: an admin works as an agent through the socket, with contents of any size', async () => {
  const server = await Calm.start()
  const admin = await server.connect()
  await admin.call('put_agent', { name: 'bob' })
  const bob = await server.connect({ agent: 'bob' })
  const content = new Uint8Array(2_000_000)
  await bob.call('write_file', { path: '/large' }, content)
  const read = await bob.workspace().read('/large')
  expect(read.bytes.length).toBe(content.length)
  expect(read.modified_by).toMatchObject({ agent: 'bob', session: bob.session })
})
