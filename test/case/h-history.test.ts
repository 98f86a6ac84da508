import { expect, test } from 'vitest'
import { EngineWorld } from '../engine/world.ts'

/** `cases` H5: history by path, also where the folder is gone. */
test('H5, files §17: a folder is deleted, and the history of its files is found by their paths', async () => {
  const world = await EngineWorld.start()
  await world.call('ann', 'write_file', { path: '/a/b/f' }, 'one')
  await world.call('ann', 'write_file', { path: '/a/b/f' }, 'two')
  await world.call('ann', 'delete_file', { path: '/a', recursive: true })
  const { versions } = await world.call('ann', 'get_history', { path: '/a/b/f' })
  expect(versions.map(({ version }) => version)).toEqual([2, 1])
  const at = { path: '/a/b/f', at: 2 }
  expect((await world.call('ann', 'read_file', at)).version).toBe(2)
  await world.restart()
  expect((await world.call('ann', 'get_history', { path: '/a/b/f' })).versions).toHaveLength(2)
})

test('H5+: made anew, a folder shows what lies in it now, and else what lay in the one before', async () => {
  const world = await EngineWorld.start()
  await world.call('ann', 'write_file', { path: '/d/old' }, '1')
  await world.call('ann', 'write_file', { path: '/d/both' }, '1')
  await world.call('ann', 'delete_file', { path: '/d', recursive: true })
  await world.call('ann', 'write_file', { path: '/d/both' }, '2')
  const versionsOf = async (path: string) => {
    const { versions } = await world.call('ann', 'get_history', { path })
    return versions.map(({ version }) => version)
  }
  expect(await versionsOf('/d/old')).toEqual([1])
  expect(await versionsOf('/d/both')).toEqual([4])
  expect(await world.code(versionsOf('/d/none'))).toBe('not_found')
})

test('H5+: a folder that was moved away takes its files along, and rights still count', async () => {
  const world = await EngineWorld.start()
  await world.call('ann', 'write_file', { path: '/d/f' }, '1')
  await world.call('ann', 'commit', { changes: [{ op: 'move', path: '/d', to: '/e' }] })
  await world.call('ann', 'patch_file', { path: '/e/f', append: '2' })
  // What became of it elsewhere is told there.
  const { versions } = await world.call('ann', 'get_history', { path: '/d/f' })
  expect(versions.map(({ version }) => version)).toEqual([1])
  expect((await world.call('ann', 'get_history', { path: '/e/f' })).versions).toHaveLength(2)
  await world.addAgent('eve', { rights: [{ path: '/d', access: 'none' }] })
  const hidden = world.call('eve', 'get_history', { path: '/d/f' })
  expect(await world.code(hidden)).toBe('forbidden')
})
