import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FolderServer } from './folder-server.ts'
import { Mounts } from './mounts.ts'

const { skipped } = Mounts
if (skipped !== undefined) console.log(`disks of folders: skipped, ${skipped}`)

let mounts: Mounts
let server: FolderServer

beforeEach(() => {
  mounts = new Mounts()
})

afterEach(async () => {
  await server?.kill()
  mounts.end()
})

/** To the last page, whatever the server writes meanwhile. */
function fillUp(path: string): void {
  for (const size of [1024 * 1024, 64 * 1024, 4096]) {
    try {
      for (;;) appendFileSync(path, new Uint8Array(size))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
  }
}

async function byAgents(): Promise<string[]> {
  return (await server.commits()).filter((line) => !line.startsWith('outside: '))
}

describe.skipIf(skipped !== undefined)('the disk of a folder', () => {
  test('folder §9: full, what is written is server_full and not recorded; room again, it works', async () => {
    const root = mounts.make('root')
    mounts.small(root, 4)
    server = await FolderServer.start(root, { data: mounts.path('data') })
    server.put('a.txt', 'a')
    expect(await server.read('/a.txt')).toBe('a')
    const { bavail, bsize } = statfsSync(root)
    server.put('filler', new Uint8Array(bavail * bsize - 8192))
    await server.eventually(async () => (await server.list()).includes('/filler'))
    for (const size of [40_000, 200_000]) {
      expect(await server.write('/a.txt', 'x'.repeat(size))).toBe('server_full')
      expect(await server.write('/new.txt', 'x'.repeat(size))).toBe('server_full')
    }
    expect(
      await server.change(
        { op: 'write', path: '/small.txt', text: 'small' },
        { op: 'write', path: '/large.txt', text: 'x'.repeat(60_000) },
      ),
    ).toBe('server_full')
    expect(await server.history('/a.txt')).toHaveLength(1)
    expect(await server.read('/a.txt')).toBe('a')
    expect(await server.list()).toEqual(['/a.txt', '/filler'])
    expect(server.leftovers()).toEqual([])
    rmSync(join(root, 'filler'))
    // Whoever still reads the file that went keeps its room for that long.
    const large = 'x'.repeat(200_000)
    await server.eventually(async () => (await server.write('/a.txt', large)) === 'done')
    expect(readFileSync(join(root, 'a.txt'), 'utf8')).toHaveLength(200_000)
    expect(await server.stop()).toBe(0)
    expect(server.complaints).toBe('')
    expect(await byAgents()).toEqual(['admin: write /a.txt'])
  })

  test('folder §9, allocation §A24: full, with the data on it as well', async () => {
    const root = mounts.make('root')
    mounts.small(root, 16)
    server = await FolderServer.start(root)
    server.put('a.txt', 'a')
    expect(await server.read('/a.txt')).toBe('a')
    fillUp(join(root, 'filler'))
    expect(await server.write('/a.txt', 'b')).toBe('server_full')
    expect(await server.read('/a.txt')).toBe('a')
    expect(readFileSync(join(root, 'a.txt'), 'utf8')).toBe('a')
    rmSync(join(root, 'filler'))
    await server.eventually(async () => (await server.write('/a.txt', 'c')) === 'done')
    await server.kill()
    await server.again()
    expect(await server.read('/a.txt')).toBe('c')
    expect(readFileSync(join(root, 'a.txt'), 'utf8')).toBe('c')
  })

  test('folder §7: what waits and what is held lies on the disk of the folder, wherever the data are', async () => {
    const root = mounts.make('root')
    mounts.small(root, 4)
    server = await FolderServer.start(root, { data: mounts.path('data') })
    for (const name of ['new', 'held']) {
      expect(statSync(join(root, '.sluice', name)).dev).toBe(statSync(root).dev)
    }
    expect(readdirSync(join(root, '.sluice')).filter((name) => !/^followed\./.test(name))).toEqual(
      expect.arrayContaining(['.gitignore', 'held', 'new']),
    )
    expect(existsSync(join(root, '.sluice', 'workspaces'))).toBe(false)
    server.put('a.txt', 'a')
    expect(await server.read('/a.txt')).toBe('a')
    expect(await server.write('/a.txt', 'b')).toBe('done')
    // What was replaced: held, or spare where nobody else can have it open.
    const own = ['held', 'new'].flatMap((name) => readdirSync(join(root, '.sluice', name)))
    expect(own).toHaveLength(1)
    await server.kill()
    await server.again()
    expect(await server.read('/a.txt')).toBe('b')
    expect(await server.stop()).toBe(0)
    expect(server.leftovers()).toEqual([])
  })

  test('folder §9: read-only, reads work, and what is written is forbidden and not recorded', async () => {
    const root = mounts.make('root')
    mounts.small(root, 4)
    server = await FolderServer.start(root, { data: mounts.path('data') })
    server.put('a.txt', 'a')
    server.put('sub/b.txt', 'b')
    expect(await server.read('/a.txt')).toBe('a')
    expect(await server.read('/sub/b.txt')).toBe('b')
    mounts.remount(root, 'ro')
    for (const change of [
      { op: 'write', path: '/a.txt', text: 'x' },
      { op: 'write', path: '/new.txt', text: 'x' },
      { op: 'delete', path: '/a.txt' },
      { op: 'move', path: '/a.txt', to: '/c.txt' },
      { op: 'copy', path: '/a.txt', to: '/c.txt' },
      { op: 'make_folder', path: '/d' },
      { op: 'delete', path: '/sub', recursive: true },
    ]) {
      expect([change.op, await server.change(change)]).toEqual([change.op, 'forbidden'])
    }
    expect(await server.read('/a.txt')).toBe('a')
    expect(await server.list()).toEqual(['/a.txt', '/sub/b.txt'])
    mounts.remount(root, 'rw')
    expect(await server.write('/a.txt', 'x')).toBe('done')
    expect(readFileSync(join(root, 'a.txt'), 'utf8')).toBe('x')
    expect(await server.stop()).toBe(0)
    expect(server.complaints).toBe('')
    expect(await byAgents()).toEqual(['admin: write /a.txt'])
  })
})
