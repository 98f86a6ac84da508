import {
  closeSync,
  ftruncateSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { diskFileSystem } from '../../src/store/file-system/disk.ts'
import { FolderWorld } from './world.ts'

let world: FolderWorld
afterEach(() => world.end())

/** Names in our own folder that are not there for good. */
function leftovers(): string[] {
  return ['new', 'held'].flatMap((name) =>
    readdirSync(world.path(`.sluice/${name}`)).map((one) => `${name}/${one}`),
  )
}

describe('commits reach the folder', () => {
  it('files §3, folder §6: an answer leaves when the folder has what it says', async () => {
    world = await FolderWorld.of({ 'a.txt': 'a' })
    await world.call('ann', 'write_file', { path: '/new/deep/b.txt' }, 'b')
    expect(world.read('new/deep/b.txt')).toBe('b')
    await world.call('ann', 'patch_file', { path: '/new/deep/b.txt', append: 'c' })
    expect(world.read('new/deep/b.txt')).toBe('bc')
    await world.call('ann', 'read_text', { path: '/a.txt' })
    await world.call('ann', 'patch_file', {
      path: '/a.txt',
      edits: [{ oldText: 'a', newText: 'A' }],
    })
    expect(world.read('a.txt')).toBe('A')
    await world.call('ann', 'delete_file', { path: '/a.txt' })
    expect(world.isThere('a.txt')).toBe(false)
  })

  it('folder §8: one commit of many kinds of changes', async () => {
    world = await FolderWorld.of({ 'a.txt': 'a', 'sub/b.txt': 'b', 'sub/c.txt': 'c', 'd.txt': 'd' })
    for (const path of ['/a.txt', '/d.txt']) await world.text('ann', path)
    await world.call('ann', 'commit', {
      changes: [
        { op: 'move', path: '/sub', to: '/moved' },
        { op: 'write', path: '/moved/new.txt', text: 'new' },
        { op: 'copy', path: '/d.txt', to: '/copy.txt' },
        { op: 'append', path: '/a.txt', text: '+' },
        { op: 'delete', path: '/d.txt' },
        { op: 'make_folder', path: '/empty' },
      ],
    })
    expect(world.files()).toEqual({
      '/a.txt': 'a+',
      '/copy.txt': 'd',
      '/moved/b.txt': 'b',
      '/moved/c.txt': 'c',
      '/moved/new.txt': 'new',
    })
    expect(world.isThere('empty')).toBe(true)
    expect(await world.heads()).toEqual(world.files())
    expect((await world.history('/moved/b.txt')).length).toBe(1)
  })

  it('folder §8: a copy of a folder that nobody had read', async () => {
    world = await FolderWorld.of({ 'a/b/c.txt': 'c', 'a/d.txt': 'd' })
    await world.call('ann', 'commit', { changes: [{ op: 'copy', path: '/a', to: '/z' }] })
    expect(world.files()).toEqual({
      '/a/b/c.txt': 'c',
      '/a/d.txt': 'd',
      '/z/b/c.txt': 'c',
      '/z/d.txt': 'd',
    })
  })

  it('folder §7: mode and owner stay, and a copy has those of its source', async () => {
    world = await FolderWorld.of({ 'run.sh': '#!/bin/sh\n', 'secret.txt': 's' })
    world.shell('chmod 750 run.sh; chmod 600 secret.txt')
    await world.text('ann', '/run.sh')
    await world.call('ann', 'patch_file', { path: '/run.sh', append: 'exit 0\n' })
    await world.call('ann', 'commit', {
      changes: [{ op: 'copy', path: '/secret.txt', to: '/copy.txt' }],
    })
    await world.call('ann', 'write_file', { path: '/plain.txt' }, 'x')
    const modes = world.shell('umask; stat -c "%n %a" copy.txt plain.txt run.sh').trim().split('\n')
    const plain = (0o666 & ~Number.parseInt(modes[0] as string, 8)).toString(8)
    expect(modes.slice(1)).toEqual(['copy.txt 600', `plain.txt ${plain}`, 'run.sh 750'])
  })

  it('folder §7, §15: nothing of ours is left in the folder, and after a stop nothing at all', async () => {
    world = await FolderWorld.of({ 'a.txt': 'a', 'sub/b.txt': 'b' })
    await world.text('ann', '/a.txt')
    for (const text of ['1', '2', '3']) await world.rewrite('ann', '/a.txt', text)
    await world.call('ann', 'delete_file', { path: '/sub', recursive: true })
    expect(readdirSync(world.root).sort()).toEqual(['.sluice', 'a.txt'])
    await world.engine.close()
    world.life.end()
    expect(leftovers()).toEqual([])
  })

  it('folder §5: what goes with a folder is kept, and what nobody had read too', async () => {
    world = await FolderWorld.of({ 'sub/a.txt': 'a', 'sub/deep/b.txt': 'b' })
    await world.call('ann', 'delete_file', { path: '/sub', recursive: true })
    await world.restart()
    expect(await world.contents('/sub/deep/b.txt')).toEqual(['b'])
    expect(await world.contents('/sub/a.txt')).toEqual(['a'])
  })

  it('C6: a write of what stands there changes nothing on the disk either', async () => {
    world = await FolderWorld.of({ 'a.txt': 'a' })
    await world.text('ann', '/a.txt')
    const before = world.shell('stat -c "%i %Y" a.txt')
    expect(await world.rewrite('ann', '/a.txt', 'a')).toMatchObject({ unchanged: true })
    expect(world.shell('stat -c "%i %Y" a.txt')).toBe(before)
    expect(leftovers()).toEqual([])
  })
})

/** With what every system has, and with what only some have. */
const WAYS = [
  ['names are exchanged in one step', true],
  ['a second name, then a rename', false],
] as const

describe.each(WAYS)('somebody writes in the same moment: %s', (_way, isRare) => {
  const swap = isRare ? 'exchange' : 'link'

  async function over(files: Record<string, string>): Promise<FolderWorld> {
    const made = new FolderWorld()
    for (const [path, content] of Object.entries(files)) made.write(path, content)
    if (!isRare) made.fs = { ...made.fs, rare: undefined }
    await made.begin()
    return made
  }

  it.skipIf(isRare && diskFileSystem.rare === undefined)('the system has it', () => {})

  /** Does something outside right before the server's next call of that kind on the place itself. */
  function rightBefore(method: string, end: string, outside: () => void): void {
    world.life.before = (called, path) => {
      if (called !== method || !path.includes(end)) return
      world.life.before = () => {}
      outside()
    }
  }

  it.each([
    ['writes into the file', () => writeFileSync(world.path('a.txt'), 'theirs')],
    [
      'renames another over it',
      () => {
        writeFileSync(world.path('a.tmp'), 'theirs')
        renameSync(world.path('a.tmp'), world.path('a.txt'))
      },
    ],
  ])('folder §7: who %s right before it is replaced loses nothing', async (_, outside) => {
    world = await over({ 'a.txt': 'base' })
    await world.text('ann', '/a.txt')
    rightBefore(swap, 'a.txt', outside)
    await world.rewrite('ann', '/a.txt', 'ours')
    await world.eventually(async () => (await world.contents('/a.txt')).length === 3)
    expect(await world.contents('/a.txt')).toEqual(['base', 'ours', 'theirs'])
    expect(world.read('a.txt')).toBe('theirs')
    // Who wrote is told, and has to look before it writes again.
    const refused = world.rewrite('ann', '/a.txt', 'again')
    expect(await world.code(refused)).toBe('stale_version')
    const caller = await world.caller('ann')
    const told = world.engine.takeNotices(caller, 'main').map(({ text }) => text)
    expect(told.join('\n')).toContain('somebody outside of Sluice')
  })

  it('folder §7: who writes between the second name and the rename loses nothing', async () => {
    world = await over({ 'a.txt': 'base' })
    await world.text('ann', '/a.txt')
    rightBefore('rename', '', () => writeFileSync(world.path('a.txt'), 'theirs'))
    await world.rewrite('ann', '/a.txt', 'ours')
    await world.eventually(async () => (await world.contents('/a.txt')).length === 3)
    expect(await world.contents('/a.txt')).toEqual(['base', 'ours', 'theirs'])
    expect(world.read('a.txt')).toBe('theirs')
  })

  it('folder §7: what was replaced is kept also where somebody takes the new file away at once', async () => {
    world = await over({ 'a.txt': 'base' })
    await world.text('ann', '/a.txt')
    const place = world.path('a.txt')
    let isInPlace = false
    world.life.before = (method, path) => {
      if (method === swap && path === place) writeFileSync(place, 'theirs')
      const isLast = isRare ? method === swap : method === 'rename' && path.includes('/new/')
      if (isLast) isInPlace = true
      if (method !== 'lstat' || path !== place || !isInPlace) return
      world.life.before = () => {}
      unlinkSync(place)
    }
    await world.rewrite('ann', '/a.txt', 'ours')
    await world.eventually(async () => (await world.contents('/a.txt')).includes('theirs'))
    expect(world.isThere('a.txt')).toBe(false)
    expect((await world.contents('/a.txt')).at(-1)).toBe('(deleted)')
    await world.engine.close()
    expect(leftovers()).toEqual([])
  })

  it('folder §6: a folder that is removed again and again while a commit comes is made again', async () => {
    world = await over({ 'sub/deep/a.txt': 'base' })
    await world.text('ann', '/sub/deep/a.txt')
    let times = 0
    world.life.before = (method, path) => {
      const isOurs = path === world.path('sub/deep/a.txt') || path.startsWith(world.path('sub'))
      if (!isOurs || ![swap, 'makeFolder'].includes(method) || times === 5) return
      if (path === world.path('sub')) return
      times += 1
      rmSync(world.path('sub'), { recursive: true, force: true })
    }
    await world.rewrite('ann', '/sub/deep/a.txt', 'ours')
    expect(times).toBe(5)
    expect(world.read('sub/deep/a.txt')).toBe('ours')
    expect(world.logged).toEqual([])
    await world.engine.close()
    expect(leftovers()).toEqual([])
  })

  it('folder §5, §7: a file that somebody puts into a folder as it is deleted is in the history', async () => {
    world = await over({ 'sub/a.txt': 'a' })
    rightBefore('rename', 'sub', () => world.write('sub/deep/late.txt', 'late'))
    await world.call('ann', 'delete_file', { path: '/sub', recursive: true })
    expect(world.isThere('sub')).toBe(false)
    await world.restart()
    expect(await world.contents('/sub/deep/late.txt')).toEqual(['late', '(deleted)'])
    expect(await world.heads()).toEqual(world.files())
  })

  it('folder §6: a file that goes while it is synced holds nothing up', async () => {
    world = await FolderWorld.of({ 'a.txt': 'base' })
    await world.text('ann', '/a.txt')
    let isSynced = false
    world.life.before = (method, path) => {
      if (method !== 'sync' || path !== world.path('a.txt')) return
      isSynced = true
      rmSync(path, { force: true })
    }
    await world.rewrite('ann', '/a.txt', 'ours')
    await world.eventually(() => isSynced)
    await pause(30)
    expect(world.logged).toEqual([])
  })

  it('folder §7: a program that writes to the replaced file in parts makes one version', async () => {
    world = await FolderWorld.of({ 'a.log': 'base\n' })
    await world.text('ann', '/a.log')
    const file = openSync(world.path('a.log'), 'r+')
    await world.rewrite('ann', '/a.log', 'ours\n')
    ftruncateSync(file)
    const parts = Array.from({ length: 30 }, (_, index) => `part ${index}\n`)
    for (const part of parts) {
      writeSync(file, part)
      await pause(40)
    }
    closeSync(file)
    await world.eventually(async () => (await world.contents('/a.log')).length === 4)
    const contents = await world.contents('/a.log')
    expect(contents).toEqual(['base\n', 'ours\n', parts.join(''), 'ours\n'])
  })

  it('folder §7: a program that has the replaced file open and writes to it loses nothing', async () => {
    world = await over({ 'a.log': 'base\n' })
    await world.text('ann', '/a.log')
    const open = openSync(world.path('a.log'), 'a')
    await world.rewrite('ann', '/a.log', 'ours\n')
    writeSync(open, 'late\n')
    closeSync(open)
    await world.eventually(async () => (await world.contents('/a.log')).length === 4)
    expect(await world.contents('/a.log')).toEqual(['base\n', 'ours\n', 'base\nlate\n', 'ours\n'])
    expect(world.read('a.log')).toBe('ours\n')
    expect(await world.text('ann', '/a.log')).toBe('ours\n')
  })

  it('folder §7: a new file that somebody makes in the same moment is not overwritten', async () => {
    world = await over({})
    rightBefore(isRare ? 'renameNew' : 'link', isRare ? '' : '/new/', () =>
      world.write('a.txt', 'theirs'),
    )
    await world.call('ann', 'write_file', { path: '/a.txt' }, 'ours')
    await world.eventually(async () => (await world.contents('/a.txt')).length === 2)
    expect(await world.contents('/a.txt')).toEqual(['ours', 'theirs'])
    expect(world.read('a.txt')).toBe('theirs')
  })

  it('folder §7: a file that is deleted in the same moment is there again, as it was written', async () => {
    world = await over({ 'sub/a.txt': 'base' })
    await world.text('ann', '/sub/a.txt')
    rightBefore(swap, 'a.txt', () => world.shell('rm -rf sub'))
    await world.rewrite('ann', '/sub/a.txt', 'ours')
    expect(world.read('sub/a.txt')).toBe('ours')
    expect(await world.heads()).toEqual(world.files())
  })

  it('folder §7: what is changed in the moment of its deletion stays', async () => {
    world = await over({ 'a.txt': 'base' })
    await world.text('ann', '/a.txt')
    rightBefore('rename', 'a.txt', () => world.write('a.txt', 'theirs'))
    await world.call('ann', 'delete_file', { path: '/a.txt' })
    await world.eventually(async () => (await world.contents('/a.txt')).length === 3)
    expect(await world.contents('/a.txt')).toEqual(['base', '(deleted)', 'theirs'])
    expect(world.read('a.txt')).toBe('theirs')
  })

  it('folder §7: where there are no second names, nothing is lost either', async () => {
    world = new FolderWorld()
    world.write('a.txt', 'base')
    const refuse = (): never => {
      throw Object.assign(new Error('EPERM'), { code: 'EPERM' })
    }
    world.fs = { ...world.fs, link: refuse, rare: undefined }
    await world.begin()
    await world.text('ann', '/a.txt')
    await world.rewrite('ann', '/a.txt', 'ours')
    await world.call('ann', 'write_file', { path: '/b.txt' }, 'b')
    expect(world.files()).toEqual({ '/a.txt': 'ours', '/b.txt': 'b' })
    rightBefore('rename', 'a.txt', () => writeFileSync(world.path('a.txt'), 'theirs'))
    await world.rewrite('ann', '/a.txt', 'again')
    await world.eventually(async () => (await world.contents('/a.txt')).length === 4)
    expect(await world.contents('/a.txt')).toEqual(['base', 'ours', 'again', 'theirs'])
  })
})

describe('what the folder refuses', () => {
  const failing = (code: string) => (): never => {
    throw Object.assign(new Error(`${code}: made up`), { code })
  }

  it.each([
    ['ENOSPC', 'server_full'],
    ['EDQUOT', 'server_full'],
    ['EROFS', 'forbidden'],
    ['EACCES', 'forbidden'],
  ])('folder §9: %s is refused before anything is recorded', async (code, refusal) => {
    world = await FolderWorld.of({ 'a.txt': 'a' })
    await world.text('ann', '/a.txt')
    world.life.before = (method) => {
      if (method === 'create') failing(code)()
    }
    expect(await world.code(world.rewrite('ann', '/a.txt', 'b'))).toBe(refusal)
    expect(await world.code(world.call('ann', 'patch_file', { path: '/a.txt', append: 'b' }))).toBe(
      refusal,
    )
    world.life.before = () => {}
    expect(await world.contents('/a.txt')).toEqual(['a'])
    expect(world.read('a.txt')).toBe('a')
    expect(leftovers()).toEqual([])
    await world.rewrite('ann', '/a.txt', 'b')
    expect(world.read('a.txt')).toBe('b')
  })

  it('folder §9: a name that is too long there', async () => {
    world = await FolderWorld.of({})
    const name = 'ä'.repeat(127)
    await world.call('ann', 'write_file', { path: `/${name}` }, 'x')
    const deep = `/${Array.from({ length: 21 }, () => 'x'.repeat(193)).join('/')}`
    expect(await world.code(world.call('ann', 'write_file', { path: deep }, 'x'))).toBe(
      'invalid_path',
    )
    expect(Object.keys(world.files())).toEqual([`/${name}`])
  })

  it.each([[2], [3]])(
    'folder §9: where the rename of the change number %i fails after the commit, all of it is taken back, and its caller told',
    async (number) => {
      world = await FolderWorld.of({ 'a.txt': 'a', 'b.txt': 'b', 'sub/c.txt': 'c' })
      for (const path of ['/a.txt', '/b.txt', '/sub/c.txt']) await world.text('ann', path)
      let count = 0
      world.life.before = (method) => {
        if (method !== 'rename') return
        count += 1
        if (count === number) failing('EACCES')()
      }
      const commit = world.call('ann', 'commit', {
        changes: [
          { op: 'write', path: '/new.txt', text: 'new' },
          { op: 'write', path: '/a.txt', text: 'A' },
          { op: 'write', path: '/b.txt', text: 'B' },
          { op: 'delete', path: '/sub/c.txt' },
        ],
      })
      const refusal = await commit.then(
        () => undefined,
        (error: Error) => error,
      )
      world.life.before = () => {}
      expect(refusal?.message).toContain('taken back')
      expect(world.files()).toEqual({ '/a.txt': 'a', '/b.txt': 'b', '/sub/c.txt': 'c' })
      expect(await world.heads()).toEqual(world.files())
      await pause(150)
      expect(await world.heads()).toEqual(world.files())
    },
  )
})
