import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FolderServer } from './folder-server.ts'
import { Mounts } from './mounts.ts'

const { skipped } = Mounts
if (skipped !== undefined) console.log(`mounts in folders: skipped, ${skipped}`)

let mounts: Mounts
let server: FolderServer
let root: string

beforeEach(async () => {
  if (skipped !== undefined) return
  mounts = new Mounts()
  root = mounts.make('root')
  mounts.make('root/inner')
  mounts.small(join(root, 'inner'), 4)
  server = await FolderServer.start(root)
  server.put('outer.txt', 'outer')
  for (const name of ['a', 'b', 'c', 'sub/d']) server.put(`inner/${name}.txt`, name)
  for (const path of ['/outer.txt', '/inner/a.txt', '/inner/b.txt', '/inner/sub/d.txt']) {
    await server.read(path)
  }
})

afterEach(async () => {
  await server?.kill()
  mounts?.end()
})

const text = (path: string): string => readFileSync(join(root, path), 'utf8')

describe.skipIf(skipped !== undefined)('another disk mounted in a folder', () => {
  test('folder §7, §15: files there are made, replaced and deleted, and nothing of ours stays', async () => {
    expect(await server.write('/inner/new.txt', 'new')).toBe('done')
    expect(await server.write('/inner/a.txt', 'A')).toBe('done')
    expect(await server.write('/inner/large.txt', 'x'.repeat(200_000))).toBe('done')
    expect(await server.remove('/inner/b.txt')).toBe('done')
    expect(await server.remove('/inner/sub', true)).toBe('done')
    expect([text('inner/new.txt'), text('inner/a.txt')]).toEqual(['new', 'A'])
    expect(await server.list()).toEqual(
      ['a', 'c', 'large', 'new'].map((name) => `/inner/${name}.txt`).concat('/outer.txt'),
    )
    expect(await server.history('/inner/b.txt')).toEqual(['write by outside', 'delete by admin'])
    expect(await server.history('/inner/sub/d.txt')).toHaveLength(1)
    expect(await server.stop()).toBe(0)
    expect(readdirSync(join(root, 'inner')).sort()).toEqual([
      'a.txt',
      'c.txt',
      'large.txt',
      'new.txt',
    ])
    expect(server.leftovers()).toEqual([])
  })

  test('folder §8: a move between them is refused or done, and the file is there', async () => {
    for (const [path, to] of [
      ['/outer.txt', '/inner/outer.txt'],
      ['/inner/a.txt', '/a.txt'],
      ['/inner/sub', '/sub'],
    ] as const) {
      expect(await server.change({ op: 'move', path, to })).toBe('unsupported')
    }
    expect([text('outer.txt'), text('inner/a.txt'), text('inner/sub/d.txt')]).toEqual([
      'outer',
      'a',
      'sub/d',
    ])
    expect(await server.list()).toEqual(
      ['a', 'b', 'c'].map((name) => `/inner/${name}.txt`).concat('/inner/sub/d.txt', '/outer.txt'),
    )
    expect(await server.change({ op: 'copy', path: '/outer.txt', to: '/inner/copy.txt' })).toBe(
      'done',
    )
    expect(text('inner/copy.txt')).toBe('outer')
    expect(await server.change({ op: 'move', path: '/inner/a.txt', to: '/inner/sub/a.txt' })).toBe(
      'done',
    )
    expect(text('inner/sub/a.txt')).toBe('a')
  })

  test('folder §9: the mount point itself is neither deleted nor moved', async () => {
    expect(await server.remove('/inner', true)).toBe('forbidden')
    expect(await server.change({ op: 'move', path: '/inner', to: '/moved' })).toBe('forbidden')
    expect([text('inner/a.txt'), text('inner/sub/d.txt')]).toEqual(['a', 'sub/d'])
    expect(await server.read('/inner/a.txt')).toBe('a')
  })

  test('folder §6, §15: after kill -9 nothing of ours is served there, and nothing stays', async () => {
    expect(await server.write('/inner/a.txt', 'A')).toBe('done')
    expect(await server.remove('/inner/b.txt')).toBe('done')
    expect(await server.remove('/inner/sub', true)).toBe('done')
    const ours = () => readdirSync(join(root, 'inner')).filter((name) => name.startsWith('.sluice'))
    expect(await server.list()).toEqual(['/inner/a.txt', '/inner/c.txt', '/outer.txt'])
    await server.kill()
    expect(ours().length).toBeGreaterThan(0)
    await server.again()
    expect(await server.list()).toEqual(['/inner/a.txt', '/inner/c.txt', '/outer.txt'])
    for (const name of ours()) {
      expect(await server.read(`/inner/${name}`)).toBe('(invalid_path)')
    }
    expect(await server.history('/inner/a.txt')).toEqual(['write by outside', 'write by admin'])
    expect(await server.write('/inner/a.txt', 'B')).toBe('done')
    expect(await server.stop()).toBe(0)
    expect(ours()).toEqual([])
    expect(existsSync(join(root, 'inner/c.txt'))).toBe(true)
  })
})
