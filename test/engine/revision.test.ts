import { expect, test } from 'vitest'
import { EngineWorld } from './world.ts'

test('contract §1: one counter is the version of a file, a lock’s id and fence, a ticket and a cursor', async () => {
  const world = await EngineWorld.start()
  const { version } = await world.call('ann', 'write_file', { path: '/f' }, 'one')
  const held = await world.call('ann', 'acquire_lock', { path: '/f' })
  const waiting = await world.call('bob', 'acquire_lock', { path: '/f', queue: true })
  const next = await world.call('ann', 'write_file', { path: '/f' }, 'two')
  expect(version).toBe(1)
  expect(held).toMatchObject({ lock: { id: 'L2', fence: 2 }, versions: { '/f': 1 } })
  expect(waiting).toMatchObject({ status: 'queued', ticket: 'T3' })
  expect(next.version).toBe(4)
  // A refusal is a fact too.
  expect(await world.code(world.call('bob', 'write_file', { path: '/f' }, 'three'))).toBe('locked')
  await world.call('ann', 'release_lock', { id: 'L2' })
  const { rows } = await world.call('admin', 'query_audit', {})
  expect(rows.map((row) => row.revision)).toEqual([7, 6, 5, 4, 3, 2, 1])
  expect((await world.call('bob', 'wait_for_lock', { ticket: 'T3' })).status).toBe('granted')
  const { value, revision } = await world.answer('bob', 'read_file', { path: '/f' })
  expect(value.version).toBe(4)
  expect(revision).toBe(7)
})
