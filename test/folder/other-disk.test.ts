import { readdirSync, renameSync, statSync } from 'node:fs'
import { afterEach, expect, it } from 'vitest'
import type { FileStat } from '../../src/store/file-system.ts'
import { FolderWorld } from './world.ts'

let world: FolderWorld
afterEach(() => world.end())

/** As if another disk were mounted at `/inner`. */
async function withInnerDisk(): Promise<void> {
  world = new FolderWorld()
  for (const name of ['a', 'b', 'sub/c']) world.write(`inner/${name}.txt`, name)
  const { fs } = world
  const there = (path: string, stat: FileStat | undefined): FileStat | undefined =>
    stat !== undefined && path.startsWith(world.path('inner'))
      ? { ...stat, device: stat.device + 1n }
      : stat
  world.fs = {
    ...fs,
    lstat: (path) => there(path, fs.lstat(path)),
    stat: (path) => there(path, fs.stat(path)),
    open: (path) => {
      const file = fs.open(path)
      const { stat } = file
      file.stat = () => there(path, stat.call(file)) as FileStat
      return file
    },
  }
  await world.begin()
  for (const name of ['a', 'b', 'sub/c']) await world.text('ann', `/inner/${name}.txt`)
}

const ours = (): string[] =>
  readdirSync(world.path('inner')).filter((name) => name.startsWith('.sluice'))

async function work(): Promise<void> {
  await world.rewrite('ann', '/inner/a.txt', 'A')
  await world.call('ann', 'delete_file', { path: '/inner/b.txt' })
  await world.call('ann', 'delete_file', { path: '/inner/sub', recursive: true })
  expect(ours().length).toBeGreaterThan(0)
}

async function listed(): Promise<string[]> {
  const { entries } = (await world.call('ann', 'get_entry', { path: '/inner', depth: 9 })) as {
    entries: { path: string }[]
  }
  return entries.map(({ path }) => path)
}

it('folder §1, §7: what lies beside files on another disk is ours, and not served', async () => {
  await withInnerDisk()
  await work()
  expect(await listed()).toEqual(['/inner/a.txt'])
  for (const name of ours()) {
    expect(await world.code(world.text('ann', `/inner/${name}`))).toBe('invalid_path')
  }
  await world.engine.close()
  world.life.end()
  expect(readdirSync(world.path('inner'))).toEqual(['a.txt'])
})

it('folder §6, §7: what a server that was killed left there is kept, and gone', async () => {
  await withInnerDisk()
  await work()
  world.life.end()
  for (const name of ours()) {
    // Of another process, as it is after a real kill.
    const left = `inner/${name.replace(/[0-9a-f]{8}/, '00000000')}`
    renameSync(world.path(`inner/${name}`), world.path(left))
    if (isFile(left) && world.read(left) === 'a') {
      world.write(left, 'written late, to what had been replaced')
    }
  }
  world.write('inner/.sluice-new-00000000-7', 'half')
  await world.begin()
  expect(readdirSync(world.path('inner'))).toEqual(['a.txt'])
  expect(await listed()).toEqual(['/inner/a.txt'])
  expect(await world.contents('/inner/a.txt')).toEqual([
    'a',
    'A',
    'written late, to what had been replaced',
    'A',
  ])
  expect(await world.contents('/inner/sub/c.txt')).toEqual(['sub/c'])
})

function isFile(path: string): boolean {
  return statSync(world.path(path)).isFile()
}
