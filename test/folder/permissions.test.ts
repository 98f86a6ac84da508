import { afterEach, expect, it } from 'vitest'
import type { FileSystem } from '../../src/store/file-system.ts'
import { FolderWorld } from './world.ts'

let world: FolderWorld
afterEach(() => world.end())

/** What the system lets nobody look into; permissions do not bind whoever runs this as root. */
const shut = new Set<string>()

async function begin(): Promise<void> {
  shut.clear()
  world = new FolderWorld()
  for (const path of ['a.txt', 'shut/b.txt', 'shut/deep/c.txt']) world.write(path, path)
  const { fs } = world
  const isShut = (path: string): boolean => [...shut].some((one) => path.startsWith(one))
  const bound = <A extends unknown[], R>(call: (path: string, ...rest: A) => R) => {
    return (path: string, ...rest: A): R => {
      if (isShut(path)) throw Object.assign(new Error(`EACCES: ${path}`), { code: 'EACCES' })
      return call(path, ...rest)
    }
  }
  const entered = <A extends unknown[], R>(call: (path: string, ...rest: A) => R) => {
    const inside = bound(call)
    // The folder itself has a name in one that is open.
    return (path: string, ...rest: A): R =>
      shut.has(path) ? call(path, ...rest) : inside(path, ...rest)
  }
  const { lstat, stat, realPath, list, open } = fs
  const wrapped: Partial<FileSystem> = {
    ...{ lstat: entered(lstat), stat: entered(stat), realPath: entered(realPath) },
    ...{ list: bound(list), open: bound(open) },
  }
  world.fs = { ...fs, ...wrapped }
  await world.begin()
  for (const path of ['/a.txt', '/shut/b.txt', '/shut/deep/c.txt']) await world.text('ann', path)
}

const code = (call: Promise<unknown>) => world.code(call)

it('folder §9: what lies in a folder that may not be entered is refused, and the rest goes on', async () => {
  await begin()
  shut.add(world.path('shut'))
  expect(await code(world.text('ann', '/shut/b.txt'))).toBe('forbidden')
  expect(await code(world.rewrite('ann', '/shut/b.txt', 'x'))).toBe('forbidden')
  expect(await code(world.call('ann', 'get_entry', { path: '/shut' }))).toBe('forbidden')
  const removal = world.call('ann', 'delete_file', { path: '/shut', recursive: true })
  expect(await code(removal)).toBe('forbidden')
  const copy = world.call('ann', 'commit', { changes: [{ op: 'copy', path: '/shut', to: '/z' }] })
  expect(await code(copy)).toBe('forbidden')
  const listing = await world.call('ann', 'get_entry', { path: '/', depth: 9 })
  expect('entries' in listing && listing.entries.map(({ path }) => path)).toEqual([
    '/a.txt',
    '/shut',
  ])
  await world.rewrite('ann', '/a.txt', 'A')
  expect(world.read('a.txt')).toBe('A')
})

it('folder §11: nothing in it counts as deleted, also after a start', async () => {
  await begin()
  shut.add(world.path('shut'))
  await world.restart()
  // Heard of together: one of them cannot be looked at.
  world.write('shut/b.txt', 'changed')
  world.write('late.txt', 'late')
  await world.eventually(
    async () => (await world.contents('/late.txt').catch(() => [])).length === 1,
  )
  shut.clear()
  expect(await world.contents('/shut/b.txt')).toEqual(['shut/b.txt', 'changed'])
  expect(await world.contents('/shut/deep/c.txt')).toEqual(['shut/deep/c.txt'])
  expect(world.logged).toEqual([])
})

it('folder §9: a file that may not be read is refused, and neither copied nor taken away', async () => {
  await begin()
  world.write('a.txt', 'another')
  shut.add(world.path('a.txt'))
  expect(await code(world.text('ann', '/a.txt'))).toBe('forbidden')
  const append = world.call('ann', 'patch_file', { path: '/a.txt', append: 'x' })
  expect(await code(append)).toBe('forbidden')
  const copy = world.call('ann', 'commit', {
    changes: [{ op: 'copy', path: '/a.txt', to: '/z.txt' }],
  })
  expect(await code(copy)).toBe('forbidden')
  shut.clear()
  expect(await world.text('ann', '/a.txt')).toBe('another')
})
