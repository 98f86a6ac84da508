import { mkdirSync, mkdtempSync, readdirSync, realpathSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import type { OperationName } from '../../src/contract/operations.ts'
import { diskFileSystem } from '../../src/store/file-system/disk.ts'
import { FolderWorld } from './world.ts'

let world: FolderWorld
afterEach(async () => {
  if (isAway) back()
  await world.end()
})

let isAway = false
const elsewhere = (): string => `${world.root}-away`

/** The folder is gone, as when its disk is unmounted: nothing is at its path. */
function away(): void {
  renameSync(world.root, elsewhere())
  isAway = true
}

function back(): void {
  rmSync(world.root, { recursive: true, force: true })
  renameSync(elsewhere(), world.root)
  isAway = false
}

async function report() {
  return (await world.call('admin', 'get_workspace', { workspace: 'main' })).folder
}

const revisionNow = (): number => world.engine.streamOf('main').state.revision

/** The call that puts a new file in the place of another. */
const SWAP = diskFileSystem.rare === undefined ? 'link' : 'exchange'

describe('a folder that is not there', () => {
  it.each([
    ['read_text', { path: '/a.txt' }],
    ['read_file', { path: '/a.txt' }],
    ['get_entry', { path: '/' }],
    ['get_entry', { path: '/', depth: 9 }],
    ['acquire_lock', { path: '/a.txt' }],
    ['patch_file', { path: '/a.txt', append: 'x' }],
    ['delete_file', { path: '/a.txt' }],
    ['commit', { changes: [{ op: 'move', path: '/a.txt', to: '/c.txt' }] }],
  ] satisfies [OperationName, object][])(
    'folder §9: %s is refused and says so',
    async (operation, input) => {
      world = await FolderWorld.of({ 'a.txt': 'a', 'sub/b.txt': 'b' })
      await world.text('ann', '/a.txt')
      const before = revisionNow()
      for (const isOther of [false, true]) {
        away()
        // As an empty mount point is left.
        if (isOther) mkdirSync(world.root)
        const refused = world.call('ann', operation, input as never).then(
          () => undefined,
          (error: Error & { problem: object }) => error.problem,
        )
        expect(await refused).toMatchObject({
          code: 'read_only_mode',
          retry: 'after',
          reason: 'folder_missing',
          root: world.root,
        })
        if (isOther) expect(readdirSync(world.root)).toEqual([])
        back()
      }
      expect(revisionNow()).toBe(before)
      expect(await world.text('ann', '/a.txt')).toBe('a')
    },
  )

  it('folder §9: nothing counts as deleted, and all goes on when it is back', async () => {
    world = await FolderWorld.of({ 'a.txt': 'a', 'sub/b.txt': 'b' })
    for (const path of ['/a.txt', '/sub/b.txt']) await world.text('ann', path)
    const before = revisionNow()
    away()
    mkdirSync(world.root)
    world.write('sub/other.txt', 'of whatever lies below the mount point')
    expect(await world.code(world.text('ann', '/a.txt'))).toBe('read_only_mode')
    expect((await report())?.watching.fault).toContain('is not there now')
    await pause(1200)
    expect(revisionNow()).toBe(before)
    back()
    world.write('sub/b.txt', 'changed while it was away')
    expect(await world.text('ann', '/a.txt')).toBe('a')
    expect((await report())?.watching.fault).toBeUndefined()
    await world.eventually(
      async () => (await world.contents('/sub/b.txt')).at(-1) === 'changed while it was away',
    )
    expect(await world.contents('/a.txt')).toEqual(['a'])
    await world.eventually(() => world.logged.some((line) => line.includes('there again')))
    expect(world.logged.filter((line) => line.includes('is not there now'))).toHaveLength(1)
    world.write('sub/new.txt', 'still watched')
    await world.eventually(async () => 'new.txt' in (await listed('/sub')))
  })

  it.each([
    ['a write', SWAP, 'a.txt', { op: 'write', path: '/a.txt', text: 'ours' }],
    ['a new file', SWAP, '', { op: 'write', path: '/new.txt', text: 'ours' }],
    ['a deletion', 'rename', 'a.txt', { op: 'delete', path: '/a.txt' }],
    ['a move', 'rename', 'a.txt', { op: 'move', path: '/a.txt', to: '/z/new.txt' }],
    ['a new folder', 'makeFolder', 'z', { op: 'make_folder', path: '/z' }],
  ] as const)(
    'folder §6, §9: %s that was decided as it went waits for it',
    async (_, method, end, change) => {
      world = await FolderWorld.of({ 'a.txt': 'a' })
      await world.text('ann', '/a.txt')
      world.life.before = (called, path) => {
        if (called !== method || !path.endsWith(end)) return
        world.life.before = () => {}
        away()
      }
      let isAnswered = false
      const commit = world.call('ann', 'commit', { changes: [change] }).finally(() => {
        isAnswered = true
      })
      await pause(300)
      expect(isAway).toBe(true)
      expect(isAnswered).toBe(false)
      back()
      await commit
      const files = world.files()
      expect(await world.heads()).toEqual(files)
      if (change.op === 'write') expect(files[change.path]).toBe('ours')
      if (change.op === 'move') expect(files).toEqual({ '/z/new.txt': 'a' })
      if (change.op === 'delete') expect(files).toEqual({})
      await world.engine.close()
      world.life.end()
      for (const name of ['new', 'held'])
        expect(readdirSync(world.path(`.sluice/${name}`))).toEqual([])
    },
  )

  it('folder §9: of several folders, the others go on', async () => {
    world = new FolderWorld()
    const other = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-folder-')))
    world.roots.push(other)
    world.write('a.txt', 'a')
    await world.begin()
    expect(await world.text('ann', `${world.root}/a.txt`)).toBe('a')
    away()
    await world.call('ann', 'write_file', { path: `${other}/b.txt` }, 'b')
    expect(await world.text('ann', `${other}/b.txt`)).toBe('b')
    expect(await world.code(world.text('ann', `${world.root}/a.txt`))).toBe('read_only_mode')
    back()
    expect(await world.text('ann', `${world.root}/a.txt`)).toBe('a')
  })

  it('folder §9, §15: a server that is stopped meanwhile leaves what it held to the next', async () => {
    world = await FolderWorld.of({ 'a.txt': 'a' })
    await world.text('ann', '/a.txt')
    await world.rewrite('ann', '/a.txt', 'b')
    away()
    expect(await world.code(world.text('ann', '/a.txt'))).toBe('read_only_mode')
    await world.engine.close()
    back()
    await world.begin()
    expect(await world.contents('/a.txt')).toEqual(['a', 'b'])
    expect(readdirSync(world.path('.sluice/held'))).toEqual([])
  })
})

/** Names in a folder with the versions that the records have, without a look of its own. */
async function listed(path: string): Promise<Record<string, number>> {
  const { entries } = (await world.call('ann', 'get_entry', { path })) as {
    entries: { path: string; version: number }[]
  }
  return Object.fromEntries(
    entries
      .filter(({ version }) => version > 0)
      .map((one) => [one.path.slice(path.length + 1), one.version]),
  )
}
