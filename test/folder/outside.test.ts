import { mkdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import type { Event } from '../../src/contract/events.ts'
import { FolderWorld } from './world.ts'

let world: FolderWorld
afterEach(() => world.end())

/** Commits of the workspace, without those of agents. */
async function outsideCommits(since = 0) {
  const commits: Extract<Event, { kind: 'files-committed' }>[] = []
  for await (const { events } of world.engine.streamOf('main').history(1)) {
    for (const event of events) {
      if (event.kind === 'files-committed' && event.agent === 'outside' && event.revision > since) {
        commits.push(event)
      }
    }
  }
  return commits
}

const revisionNow = (): number => world.engine.streamOf('main').state.revision

describe('changes from outside', () => {
  it('folder §10, §11: a change is taken in by itself, as a commit of outside', async () => {
    world = await FolderWorld.of({ 'a.txt': 'a' })
    const since = revisionNow()
    world.write('a.txt', 'changed')
    await world.eventually(async () => (await outsideCommits(since)).length === 1)
    const [commit] = await outsideCommits(since)
    expect(commit?.changes).toMatchObject([{ op: 'write', path: '/a.txt', size: 7 }])
    expect(await world.contents('/a.txt')).toEqual(['(not kept)', 'changed'])
  })

  it('folder §11: what belongs together is one commit', async () => {
    world = await FolderWorld.of({ 'a/1': '', 'b/1': '' })
    const since = revisionNow()
    for (let i = 0; i < 20; i++) world.write(`${i % 2 === 0 ? 'a' : 'b'}/${i}`, `file ${i}`)
    await world.eventually(async () => {
      const commits = await outsideCommits(since)
      return commits.flatMap(({ changes }) => changes).length === 20
    })
    expect((await outsideCommits(since)).length).toBeLessThanOrEqual(2)
  })

  it('folder §11: renames are recognised, of files and folders, and history follows them', async () => {
    world = await FolderWorld.of({ 'a.txt': 'a', 'sub/deep/b.txt': 'b', 'c.txt': 'c' })
    for (const path of ['/a.txt', '/sub/deep/b.txt']) await world.text('ann', path)
    const since = revisionNow()
    renameSync(world.path('a.txt'), world.path('sub/renamed.txt'))
    renameSync(world.path('sub'), world.path('moved'))
    await world.eventually(async () => (await world.heads())['/moved/renamed.txt'] === 'a')
    await world.eventually(async () => (await outsideCommits(since)).length > 0)
    await pause(150)
    const ops = (await outsideCommits(since)).flatMap(({ changes }) => changes.map(({ op }) => op))
    expect(ops).toEqual(['move', 'move'])
    expect(await world.contents('/moved/renamed.txt')).toEqual(['a'])
    expect(await world.contents('/moved/deep/b.txt')).toEqual(['b'])
    world.write('moved/deep/b.txt', 'still watched')
    await world.eventually(async () => (await world.contents('/moved/deep/b.txt')).length === 2)
  })

  it.each([
    ['a file that is deleted', { op: 'delete', path: '/a.txt' }],
    ['a folder that is deleted', { op: 'delete', path: '/sub', recursive: true }],
    ['a file that is moved', { op: 'move', path: '/a.txt', to: '/moved.txt' }],
    ['a folder that is moved', { op: 'move', path: '/sub', to: '/moved' }],
  ] as const)(
    'folder §13: %s right now is not new to whoever looks through the folder',
    async (_, change) => {
      world = await FolderWorld.of({ 'a.txt': 'a', 'sub/b.txt': 'b' })
      for (const path of ['/a.txt', '/sub/b.txt']) await world.text('ann', path)
      const since = revisionNow()
      const stored = Promise.withResolvers<void>()
      world.life.stores = stored.promise
      const commit = world.call('ann', 'commit', { changes: [change] })
      // Other patterns: all is looked through.
      world.write('.gitignore', 'ignored')
      await pause(300)
      stored.resolve()
      await commit
      await world.eventually(async () => (await outsideCommits(since)).length > 0)
      await pause(150)
      const taken = (await outsideCommits(since)).flatMap(({ changes }) => changes)
      expect(taken.map(({ path }) => path)).toEqual(['/.gitignore'])
      expect(await world.heads()).toEqual(world.files())
    },
  )

  it('folder §11: a file that was renamed and changed keeps its history', async () => {
    world = await FolderWorld.of({ 'a.txt': 'a' })
    await world.text('ann', '/a.txt')
    renameSync(world.path('a.txt'), world.path('b.txt'))
    world.write('b.txt', 'a and more')
    await world.eventually(
      async () => (await world.contents('/b.txt').catch(() => [])).length === 2,
    )
    expect(await world.contents('/b.txt')).toEqual(['a', 'a and more'])
  })

  it('folder §11: the server recognises what was renamed while it did not run', async () => {
    world = await FolderWorld.of({ 'a.txt': 'a', 'sub/b.txt': 'b', 'gone.txt': 'g' })
    for (const path of ['/a.txt', '/sub/b.txt']) await world.text('ann', path)
    await world.engine.close()
    renameSync(world.path('a.txt'), world.path('z.txt'))
    renameSync(world.path('sub'), world.path('moved'))
    rmSync(world.path('gone.txt'))
    world.write('new.txt', 'new')
    await world.begin()
    expect(await world.heads()).toEqual(world.files())
    expect(await world.contents('/z.txt')).toEqual(['a'])
    expect(await world.contents('/moved/b.txt')).toEqual(['b'])
    expect((await world.contents('/gone.txt')).at(-1)).toBe('(deleted)')
  })

  it('folder §11: rm -rf and restore give what stood there', async () => {
    world = await FolderWorld.of({ 'sub/a.txt': 'a', 'sub/deep/b.txt': 'b' })
    for (const path of ['/sub/a.txt', '/sub/deep/b.txt']) await world.text('ann', path)
    world.shell('cp -r sub /tmp/$$ && rm -rf sub && mv /tmp/$$ sub')
    await pause(200)
    await world.eventually(
      async () => JSON.stringify(await world.heads()) === JSON.stringify(world.files()),
    )
    expect((await world.contents('/sub/deep/b.txt')).at(-1)).toBe('b')
    world.write('sub/deep/b.txt', 'and on')
    await world.eventually(
      async () => (await world.contents('/sub/deep/b.txt')).at(-1) === 'and on',
    )
  })

  it('folder §11: files in a folder that was just made are not missed', async () => {
    world = await FolderWorld.of({})
    world.shell(
      'for i in 1 2 3 4 5; do mkdir -p d$i/e/f; echo $i > d$i/e/f/x; echo $i > d$i/y; done',
    )
    await world.eventually(async () => Object.keys(await world.heads()).length === 10)
    await world.eventually(
      async () => (await outsideCommits()).flatMap(({ changes }) => changes).length >= 25,
    )
  })

  it('folder §5, §11: what comes with a new folder is kept, though nobody of ours has read it', async () => {
    world = await FolderWorld.of({ 'a.txt': 'a' })
    world.shell('mkdir -p x/deep; printf one > x/deep/b.txt; mv x y')
    await world.eventually(async () =>
      (await outsideCommits()).some(({ changes }) =>
        changes.some(({ path }) => path === '/y/deep/b.txt'),
      ),
    )
    world.write('y/deep/b.txt', 'two')
    await world.eventually(async () => (await world.contents('/y/deep/b.txt')).at(-1) === 'two')
    expect(await world.contents('/y/deep/b.txt')).toEqual(['one', 'two'])
  })

  it('folder §10: a folder that an agent deletes and makes anew is watched', async () => {
    world = await FolderWorld.of({ 'sub/deep/a.txt': 'a' })
    await world.text('ann', '/sub/deep/a.txt')
    await world.call('ann', 'delete_file', { path: '/sub', recursive: true })
    await world.call('ann', 'write_file', { path: '/sub/deep/b.txt' }, 'b')
    await pause(300)
    const since = revisionNow()
    world.write('sub/deep/b.txt', 'from outside')
    await world.eventually(async () => (await outsideCommits(since)).length === 1)
  })

  it('folder §11: truncate and write is one version, none half and none empty', async () => {
    world = await FolderWorld.of({ 'a.txt': 'first' })
    await world.text('ann', '/a.txt')
    for (let i = 0; i < 5; i++) {
      world.shell(': > a.txt; printf half >> a.txt; sleep 0.01; printf " and half" >> a.txt')
      expect(await world.text('ann', '/a.txt')).toBe('half and half')
      await world.rewrite('ann', '/a.txt', `first ${i}`)
    }
    const contents = await world.contents('/a.txt')
    expect(contents.filter((one) => one === '' || one === 'half')).toEqual([])
  })

  it('folder §4, §11: what was emptied between the look and the reading is not a version', async () => {
    world = await FolderWorld.of({ 'a.txt': 'first' })
    await world.text('ann', '/a.txt')
    world.write('a.txt', 'second')
    let isOpened = false
    world.life.before = (method, path) => {
      if (method !== 'open' || path !== world.path('a.txt') || isOpened) return
      isOpened = true
      writeFileSync(path, '')
      setTimeout(() => writeFileSync(path, 'third'), 15)
    }
    await world.eventually(async () => (await world.contents('/a.txt')).at(-1) === 'third')
    expect(await world.contents('/a.txt')).toEqual(['first', 'third'])
  })

  it('folder §4, §11: what was emptied and still has its old time is not a version', async () => {
    world = await FolderWorld.of({ 'a.txt': 'first' })
    await world.text('ann', '/a.txt')
    const path = world.path('a.txt')
    const { atime, mtime } = statSync(path)
    await pause(80)
    writeFileSync(path, '')
    utimesSync(path, atime, mtime)
    setTimeout(() => writeFileSync(path, 'second'), 20)
    expect(await world.text('bob', '/a.txt')).toBe('second')
    expect(await world.contents('/a.txt')).toEqual(['first', 'second'])
  })

  it.each([
    ['vim', 'cp a.txt a.txt~; : > a.txt; printf TEXT > a.txt; rm a.txt~'],
    ['vim with a backup', 'mv a.txt a.txt~; printf TEXT > a.txt; rm a.txt~'],
    ['VS Code', 'printf TEXT > a.txt'],
    [
      'JetBrains',
      'printf TEXT > a.txt___jb_tmp___; mv a.txt a.txt___jb_old___; mv a.txt___jb_tmp___ a.txt; rm a.txt___jb_old___',
    ],
    ['emacs', 'mv a.txt a.txt~; printf TEXT > a.txt'],
    ['sed -i', "sed -i 's/.*/TEXT/' a.txt"],
    ['a formatter', 'printf TEXT > .a.tmp && mv .a.tmp a.txt'],
  ])('folder §11: what %s saves goes on with the history of its file', async (_, save) => {
    world = await FolderWorld.of({ 'a.txt': 'base' })
    await world.text('ann', '/a.txt')
    for (let i = 1; i <= 3; i++) {
      world.shell(save.replaceAll('TEXT', `text${i}`))
      await world.eventually(
        async () => (await world.contents('/a.txt')).at(-1)?.trim() === `text${i}`,
      )
    }
    const contents = (await world.contents('/a.txt')).map((one) => one.trim())
    expect(contents.filter((one) => one !== '(deleted)')).toEqual([
      'base',
      'text1',
      'text2',
      'text3',
    ])
  })

  it('folder §11: who has read a file is told with its next answer that it changed', async () => {
    world = await FolderWorld.of({ 'a.txt': 'a' })
    await world.text('ann', '/a.txt')
    const caller = await world.caller('ann')
    world.engine.takeNotices(caller, 'main')
    world.write('a.txt', 'changed')
    await world.eventually(() => world.engine.untoldNotices(caller, 'main') > 0)
    const told = world.engine.takeNotices(caller, 'main').map(({ text }) => text)
    expect(told.join()).toContain('/a.txt')
    expect(told.join()).toContain('outside')
  })

  it('folder §12: a write from outside under a lock is told to its holder and those who wait', async () => {
    world = await FolderWorld.of({ 'a.txt': 'a' })
    await world.text('ann', '/a.txt')
    const { lock } = await world.lock('ann', '/a.txt', { level: 'write' })
    await world.call('bob', 'acquire_lock', { path: '/a.txt', level: 'write', queue: true })
    const callers = [await world.caller('ann'), await world.caller('bob')]
    await pause(30)
    world.write('a.txt', 'past the lock')
    for (const caller of callers) world.engine.takeNotices(caller, 'main')
    for (const caller of callers) {
      await world.eventually(() => world.engine.untoldNotices(caller, 'main') > 0)
      const told = world.engine.takeNotices(caller, 'main').map(({ text }) => text)
      expect(told.join()).toContain('/a.txt')
      expect(told.join()).toContain('outside')
    }
    const { rows } = await world.call('admin', 'query_audit', {
      workspace: 'main',
      kind: 'lock-bypassed',
    })
    expect(rows).toMatchObject([{ paths: ['/a.txt'], detail: `${lock.id}, /a.txt` }])
    expect(await world.code(world.rewrite('ann', '/a.txt', 'mine'))).toBe('stale_version')
  })

  it('folder §13: nothing that was written through Sluice comes back as a change from outside', async () => {
    world = await FolderWorld.of({ 'a.txt': '0', 'sub/b.txt': 'b' })
    for (const path of ['/a.txt', '/sub/b.txt']) await world.text('ann', path)
    const since = revisionNow()
    for (let i = 1; i < 40; i++) await world.rewrite('ann', '/a.txt', String(i))
    await world.call('ann', 'commit', {
      changes: [
        { op: 'move', path: '/sub', to: '/moved' },
        { op: 'copy', path: '/moved/b.txt', to: '/c.txt' },
        { op: 'write', path: '/new/deep/d.txt', text: 'd' },
        { op: 'delete', path: '/moved/b.txt' },
      ],
    })
    await pause(400)
    expect(await outsideCommits(since)).toEqual([])
  })

  it('folder §13: a write from outside right after ours is never taken for ours', async () => {
    world = await FolderWorld.of({ 'a.txt': 'base' })
    await world.text('ann', '/a.txt')
    for (let i = 0; i < 30; i++) {
      await world.call('ann', 'patch_file', { path: '/a.txt', append: `ours${i}` })
      writeFileSync(world.path('a.txt'), `theirs${i}`)
      expect(await world.text('bob', '/a.txt')).toBe(`theirs${i}`)
    }
    const contents = await world.contents('/a.txt')
    for (let i = 0; i < 30; i++) expect(contents).toContain(`theirs${i}`)
  })

  it('folder §10: without watches, all is looked through by time, and said once', async () => {
    world = new FolderWorld()
    world.write('a.txt', 'a')
    world.fs = {
      ...world.fs,
      watch() {
        throw Object.assign(new Error('no space'), { code: 'ENOSPC' })
      },
    }
    await world.begin()
    const { folder } = await world.call('admin', 'get_workspace', { workspace: 'main' })
    expect(folder?.watching.fault).toContain('max_user_watches')
    expect(world.logged.filter((line) => line.includes('cannot be watched')).length).toBe(1)
    world.write('a.txt', 'changed')
    expect(await world.text('ann', '/a.txt')).toBe('changed')
  })

  it('folder §3: a changed .gitignore counts from then on', async () => {
    world = await FolderWorld.of({ '.gitignore': 'out/\n', 'out/a.txt': 'a' })
    expect(await outsideCommits()).not.toMatchObject([{ changes: [{ path: '/out/a.txt' }] }])
    world.write('.gitignore', '')
    await world.eventually(async () =>
      (await outsideCommits()).some(({ changes }) =>
        changes.some(({ path }) => path === '/out/a.txt'),
      ),
    )
  })

  it('folder §11: git switches branches under a commit of ours', async () => {
    world = new FolderWorld()
    for (let i = 0; i < 30; i++) world.write(`src/f${i}.txt`, `main ${i}`)
    world.shell(
      'git init -q -b main . && git add . && git -c user.name=x -c user.email=x@x commit -qm main',
    )
    world.shell(
      'git switch -qc other && for f in src/*; do echo other > $f; done && rm src/f0.txt && git -c user.name=x -c user.email=x@x commit -qam other && git switch -q main',
    )
    await world.begin()
    await world.text('ann', '/src/f1.txt')
    const switching = new Promise<void>((resolve) => {
      setTimeout(() => {
        world.shell('git switch -q other')
        resolve()
      })
    })
    for (let i = 0; i < 10; i++)
      await world.call('ann', 'patch_file', { path: '/notes.md', append: `${i}\n` })
    await switching
    await world.eventually(async () => (await world.heads())['/src/f29.txt'] === 'other\n')
    await world.eventually(async () => !('/src/f0.txt' in (await world.heads())))
    await pause(200)
    const heads = await world.heads()
    for (const [path, text] of Object.entries(world.files())) {
      if (!path.startsWith('/.git/')) expect(heads[path], path).toBe(text)
    }
    mkdirSync(world.path('x'))
  })

  it('folder §12: with guard "mode" nobody has the write bit of what is locked, and has it back after', async () => {
    world = await FolderWorld.of(
      { 'a.txt': 'a', 'sub/b.sh': 'b', 'free.txt': 'f' },
      { guard: 'mode' },
    )
    world.shell('chmod 640 a.txt; chmod 755 sub/b.sh')
    await world.text('ann', '/a.txt')
    const modes = (): string =>
      world.shell('stat -c %a a.txt sub/b.sh free.txt').split('\n').join(' ').trim()
    const [, , free] = modes().split(' ')
    const { lock } = await world.lock('ann', '/a.txt', { level: 'write' })
    const folder = await world.lock('ann', '/sub', { level: 'exclusive' })
    await world.eventually(() => modes() === `440 555 ${free}`)
    await world.rewrite('ann', '/a.txt', 'written all the same')
    expect(world.read('a.txt')).toBe('written all the same')
    await world.eventually(() => modes() === `440 555 ${free}`)
    await world.crash()
    await world.eventually(() => modes() === `440 555 ${free}`)
    await world.call('ann', 'release_lock', { id: lock.id })
    await world.eventually(() => modes() === `640 555 ${free}`)
    await world.call('ann', 'release_lock', { id: folder.lock.id })
    await world.eventually(() => modes() === `640 755 ${free}`)
    expect(await world.contents('/a.txt')).toEqual(['a', 'written all the same'])
  })

  it('folder §12: the bits come back when the server stops', async () => {
    world = await FolderWorld.of({ 'a.txt': 'a' }, { guard: 'mode' })
    const before = world.shell('stat -c %a a.txt')
    await world.lock('ann', '/a.txt', { level: 'write' })
    await world.eventually(() => world.shell('stat -c %a a.txt') === '444\n')
    await world.engine.close()
    world.life.end()
    expect(world.shell('stat -c %a a.txt')).toBe(before)
  })
})
