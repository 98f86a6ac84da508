import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
} from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { FolderWorld } from './world.ts'

let world: FolderWorld
afterEach(() => world.end())

describe('what a folder workspace is', () => {
  it('files §2, folder §1: its data lie in .sluice, for its owner alone, and git is told to leave it out', async () => {
    world = await FolderWorld.of({ 'a.txt': 'a' })
    expect(world.read('.sluice/.gitignore')).toBe('*\n')
    expect(world.shell('stat -c %a .sluice').trim()).toBe('700')
  })

  it('folder §2: a path from the root and the absolute one are the same', async () => {
    world = await FolderWorld.of({ 'src/a.txt': 'a' })
    const { version } = await world.call('ann', 'read_text', { path: '/src/a.txt' })
    const real = await world.call('ann', 'read_text', { path: `${world.root}/src/a.txt` })
    expect(real).toMatchObject({ version, path: '/src/a.txt' })
    await world.lock('ann', `${world.root}/src/a.txt`, { level: 'exclusive' })
    expect(await world.code(world.call('bob', 'write_file', { path: '/src/a.txt' }, 'b'))).toBe(
      'locked',
    )
  })

  it('folder §2: links inside are followed, and lock, version and history belong to the real place', async () => {
    world = await FolderWorld.of({ 'real/a.txt': 'a' })
    symlinkSync('real', world.path('link'))
    symlinkSync('real/a.txt', world.path('b.txt'))
    expect(await world.text('ann', '/link/a.txt')).toBe('a')
    await world.call('ann', 'write_file', { path: '/b.txt' }, 'through the link')
    expect(world.read('real/a.txt')).toBe('through the link')
    expect((await world.history('/link/a.txt')).length).toBe(2)
    await world.lock('ann', '/link/a.txt', { level: 'write' })
    expect(await world.code(world.call('bob', 'patch_file', { path: '/b.txt', append: 'x' }))).toBe(
      'locked',
    )
    expect(world.shell('readlink b.txt').trim()).toBe('real/a.txt')
  })

  it('folder §2: what leads out of the folder is refused, by whatever way', async () => {
    world = await FolderWorld.of({ 'a.txt': 'a' })
    symlinkSync('/etc', world.path('out'))
    symlinkSync('/etc/passwd', world.path('file'))
    symlinkSync('/nowhere/at/all', world.path('dangling'))
    for (const path of ['/out/passwd', '/file', '/out/new.txt', '/out']) {
      expect(await world.code(world.call('ann', 'read_text', { path })), path).toBe('forbidden')
      expect(await world.code(world.call('ann', 'write_file', { path }, 'x')), path).toBe(
        'forbidden',
      )
      expect(await world.code(world.call('ann', 'acquire_lock', { path })), path).toBe('forbidden')
    }
    expect(await world.code(world.call('ann', 'write_file', { path: '/dangling' }, 'x'))).toBe(
      'not_found',
    )
    const moved = { changes: [{ op: 'move' as const, path: '/a.txt', to: '/out/a.txt' }] }
    expect(await world.code(world.call('ann', 'commit', moved))).toBe('forbidden')
  })

  it('folder §2: a folder that is a link out by now is no way out', async () => {
    world = await FolderWorld.of({ 'sub/passwd': 'ours' })
    expect(await world.text('ann', '/sub/passwd')).toBe('ours')
    renameSync(world.path('sub'), world.path('was'))
    symlinkSync('/etc', world.path('sub'))
    expect(await world.code(world.call('ann', 'read_text', { path: '/sub/passwd' }))).toBe(
      'forbidden',
    )
  })

  it('folder §2: with several roots, paths are the absolute ones, and one commit may touch them all', async () => {
    world = new FolderWorld()
    const [first, second] = [world.path('one'), world.path('two')]
    world.write('one/a.txt', 'a')
    world.write('two/b.txt', 'b')
    world.roots = [first, second]
    await world.begin()
    expect(await world.text('ann', `${first}/a.txt`)).toBe('a')
    const { revision } = await world.call('ann', 'commit', {
      changes: [
        { op: 'append', path: `${first}/a.txt`, text: '1' },
        { op: 'append', path: `${second}/b.txt`, text: '2' },
      ],
    })
    expect(world.read('one/a.txt') + world.read('two/b.txt')).toBe('a1b2')
    expect((await world.history(`${second}/b.txt`))[0]?.version).toBe(revision)
    expect(await world.code(world.call('ann', 'read_text', { path: '/a.txt' }))).toBe('forbidden')
    expect(await world.code(world.call('ann', 'read_text', { path: world.path('c') }))).toBe(
      'forbidden',
    )
    world.roots = [world.root]
  })

  it('folder §2: a name in another composition is the same file', async () => {
    world = await FolderWorld.of({ 'cafe\u0301/me\u0301nu.txt': 'soup' })
    expect(await world.text('ann', '/caf\u00e9/m\u00e9nu.txt')).toBe('soup')
    await world.call('ann', 'write_file', { path: '/caf\u00e9/m\u00e9nu.txt' }, 'salad')
    expect(world.read('cafe\u0301/me\u0301nu.txt')).toBe('salad')
  })

  it('folder §1: what is ours is not served, listed or written', async () => {
    world = await FolderWorld.of({ 'a.txt': 'a' })
    for (const path of ['/.sluice', '/.sluice/secret', `${world.root}/.sluice/x`]) {
      expect(await world.code(world.call('ann', 'read_text', { path }))).toBe('invalid_path')
      expect(await world.code(world.call('ann', 'write_file', { path }, 'x'))).toBe('invalid_path')
    }
    expect(Object.keys(await world.heads())).toEqual(['/a.txt'])
  })
})

describe('what is tracked', () => {
  it('folder §3: what is ignored costs nothing, and agents can use it all the same', async () => {
    world = await FolderWorld.of({
      '.gitignore': 'dist/\n*.log\n!keep.log\n',
      'src/.gitignore': 'local.*\n',
      'src/.sluiceignore': '!local.txt\n',
      'src/local.js': 'j',
      'src/local.txt': 't',
      'dist/out.js': 'out',
      'a.log': 'log',
      'keep.log': 'kept',
      'node_modules/x/index.js': 'x',
      'src/a.js': 'a',
    })
    const found = await world.call('admin', 'query_audit', {})
    const told = JSON.stringify(found)
    for (const path of ['/src/a.js', '/keep.log', '/src/local.txt']) expect(told).toContain(path)
    for (const path of ['/dist/out.js', '/a.log', 'node_modules', '/src/local.js']) {
      expect(told).not.toContain(path)
    }
    expect(await world.text('ann', '/node_modules/x/index.js')).toBe('x')
    await world.call(
      'ann',
      'write_file',
      {
        path: '/dist/out.js',
        if_version: (await world.call('ann', 'read_text', { path: '/dist/out.js' })).version,
      },
      'new',
    )
    expect(world.read('dist/out.js')).toBe('new')
    world.write('dist/out.js', 'built again')
    const late = world.call('ann', 'write_file', { path: '/dist/out.js' }, 'mine')
    expect(await world.code(late)).toBe('stale_version')
  })

  it('folder §3: .git is readable and never written', async () => {
    world = await FolderWorld.of({ '.git/HEAD': 'ref: refs/heads/main\n', 'a.txt': 'a' })
    expect(await world.text('ann', '/.git/HEAD')).toBe('ref: refs/heads/main\n')
    for (const path of ['/.git/HEAD', '/.git/hooks/x', '/sub/.git/config']) {
      expect(await world.code(world.call('ann', 'write_file', { path }, 'x'))).toBe('forbidden')
      const moved = { changes: [{ op: 'move' as const, path: '/a.txt', to: path }] }
      expect(await world.code(world.call('ann', 'commit', moved))).toBe('forbidden')
    }
    expect(
      await world.code(world.call('ann', 'delete_file', { path: '/.git', recursive: true })),
    ).toBe('forbidden')
  })

  it('folder §3: pipes and sockets are listed and never opened', async () => {
    world = await FolderWorld.of({ 'a.txt': 'a' })
    world.shell('mkfifo pipe')
    const listed = await world.call('ann', 'get_entry', { path: '/' })
    expect(listed).toMatchObject({ entries: [{ path: '/a.txt' }, { path: '/pipe', size: 0 }] })
    expect(await world.code(world.call('ann', 'read_text', { path: '/pipe' }))).toBe('forbidden')
    expect(await world.code(world.call('ann', 'write_file', { path: '/pipe' }, 'x'))).toBe(
      'forbidden',
    )
  })
})

describe('reading', () => {
  it('files §4, folder §4: a read answers with what the file holds, and the version that stands for it', async () => {
    world = await FolderWorld.of({ 'a.txt': 'one' })
    const first = await world.call('ann', 'read_text', { path: '/a.txt' })
    for (const text of ['two', 'three', 'four!', 'five', '']) {
      world.write('a.txt', text)
      const read = await world.call('ann', 'read_text', { path: '/a.txt' })
      expect(read.text).toBe(text)
      expect(read.version).toBeGreaterThan(first.version)
      expect(await world.text('ann', '/a.txt', read.version)).toBe(text)
    }
  })

  it('folder §4: a file that goes between the look and the reading is not found, which is no fault', async () => {
    world = await FolderWorld.of({ 'a.txt': 'a' })
    await world.text('ann', '/a.txt')
    await world.rewrite('ann', '/a.txt', 'written an instant ago')
    world.life.before = (method, path) => {
      if (method === 'open' && path === world.path('a.txt')) rmSync(path, { force: true })
    }
    expect(await world.code(world.text('bob', '/a.txt'))).toBe('not_found')
  })

  it.each([20, 4])(
    'folder §4: what a program writes to every %i ms is read as it is',
    async (everyMs) => {
      world = await FolderWorld.of({ 'a.log': 'first\n', 'b.txt': 'b' })
      await world.text('ann', '/a.log')
      const writing = setInterval(() => appendFileSync(world.path('a.log'), 'more\n'), everyMs)
      try {
        await pause(100)
        expect(await world.text('ann', '/a.log')).toMatch(/^first\n(more\n)+$/)
        world.write('b.txt', 'changed')
        await world.eventually(async () => (await world.contents('/b.txt')).includes('changed'))
      } finally {
        clearInterval(writing)
      }
    },
  )

  it('folder §3, §4: an untracked file that changes while its version is stored is read as it was found', async () => {
    world = await FolderWorld.of({ '.gitignore': 'dist/\n', 'dist/a.js': 'one' })
    await pause(80)
    let opened = 0
    world.life.before = (method, path) => {
      if (method !== 'open' || path !== world.path('dist/a.js')) return
      opened += 1
      // After what is read here is read, and before its version is stored.
      queueMicrotask(() => world.write('dist/a.js', 'another'))
    }
    expect(await world.text('ann', '/dist/a.js')).toBe('one')
    expect(opened).toBe(1)
  })

  it('folder §3, §4: an untracked file that goes while it is read has changed, which is no fault', async () => {
    world = await FolderWorld.of({ '.gitignore': 'dist/\n', 'dist/a.js': 'one' })
    await pause(80)
    world.life.before = (method, path) => {
      if (method === 'open' && path === world.path('dist/a.js')) rmSync(path)
    }
    expect(await world.code(world.text('ann', '/dist/a.js'))).toBe('stale_version')
  })

  it('folder §4: a write of the same length in the same instant is found', async () => {
    world = await FolderWorld.of({ 'a.txt': '0000' })
    for (let i = 1; i < 60; i++) {
      const text = String(i).padStart(4, '0')
      world.write('a.txt', text)
      expect((await world.call('ann', 'read_text', { path: '/a.txt' })).text).toBe(text)
    }
  })

  it('folder §4: right after a commit, a write from outside is found', async () => {
    world = await FolderWorld.of({ 'a.txt': '0000' })
    await world.text('ann', '/a.txt')
    for (let i = 1; i < 60; i++) {
      await world.rewrite('ann', '/a.txt', `a${String(i).padStart(3, '0')}`)
      world.write('a.txt', `o${String(i).padStart(3, '0')}`)
      expect(await world.text('ann', '/a.txt')).toBe(`o${String(i).padStart(3, '0')}`)
    }
  })

  it('folder §4: another date, mode or name of the same content is no new version', async () => {
    world = await FolderWorld.of({ 'a.txt': 'a' })
    const { version } = await world.call('ann', 'read_text', { path: '/a.txt' })
    chmodSync(world.path('a.txt'), 0o755)
    utimesSync(world.path('a.txt'), 1000, 1000)
    linkSync(world.path('a.txt'), world.path('b.txt'))
    expect((await world.call('ann', 'read_text', { path: '/a.txt' })).version).toBe(version)
  })

  it('folder §4: what was deleted outside is not there, what was made is', async () => {
    world = await FolderWorld.of({ 'a.txt': 'a', 'sub/b.txt': 'b' })
    world.shell('rm -rf a.txt sub; mkdir a.txt; echo c > sub')
    expect(await world.code(world.call('ann', 'read_text', { path: '/sub/b.txt' }))).toBe(
      'not_found',
    )
    expect(await world.code(world.call('ann', 'read_text', { path: '/a.txt' }))).toBe('is_folder')
    expect(await world.text('ann', '/sub')).toBe('c\n')
    mkdirSync(world.path('deep/er'), { recursive: true })
    world.write('deep/er/c.txt', 'c')
    expect(await world.text('ann', '/deep/er/c.txt')).toBe('c')
  })

  it('folder §5: the scan copies no content; what an agent reads is kept', async () => {
    world = await FolderWorld.of({ 'a.txt': 'a', 'b.txt': 'b' })
    expect(await world.contents('/a.txt')).toEqual(['(not kept)'])
    await world.text('ann', '/a.txt')
    expect(await world.contents('/a.txt')).toEqual(['a'])
    expect(await world.contents('/b.txt')).toEqual(['(not kept)'])
  })

  it('folder §5: what is replaced is kept, also where nobody had read it', async () => {
    world = await FolderWorld.of(
      { 'a.txt': 'old', 'b.txt': 'gone', 'sub/c.txt': 'deep' },
      { write_mode: 'open' },
    )
    await world.rewrite('ann', '/a.txt', 'new')
    await world.call('ann', 'delete_file', { path: '/b.txt' })
    expect(await world.contents('/a.txt')).toEqual(['old', 'new'])
    expect(await world.contents('/b.txt')).toEqual(['gone', '(deleted)'])
  })

  it('files §6: a large file is read in parts, and never taken into memory whole', async () => {
    const large = Buffer.alloc(3 * 1024 * 1024, 'line of text\n')
    world = await FolderWorld.of({ 'large.txt': large })
    const head = await world.call('ann', 'read_text', { path: '/large.txt', head: 2 })
    expect(head.text).toBe('line of text\nline of text')
    const tail = await world.call('ann', 'read_text', { path: '/large.txt', tail: 2 })
    expect(tail.size).toBe(large.length)
    expect((await world.text('ann', '/large.txt')).length).toBe(large.length)
  })

  it('folder §14: a read that finds nothing changed costs three looks and no more', async () => {
    world = await FolderWorld.of({ 'sub/a.txt': 'a' })
    await world.text('ann', '/sub/a.txt')
    await new Promise((resolve) => setTimeout(resolve, 60))
    await world.text('ann', '/sub/a.txt')
    const calls: string[] = []
    world.life.before = (method) => calls.push(method)
    await world.text('ann', '/sub/a.txt')
    expect(calls).toEqual(['lstat', 'realPath', 'lstat'])
  })
})
