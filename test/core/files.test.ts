import { describe, expect, it } from 'vitest'
import type { CommitChange } from '../../src/core/command.ts'
import type { Entry } from '../../src/core/file/entry.ts'
import { occupantAt, resolvePath, versionAt } from '../../src/core/file/resolve-path.ts'
import { actor, granted, World } from './world.ts'

function entry(world: World, path: string): Entry | undefined {
  return resolvePath(world.state.records, path, world.state.settings.portable_names).entry
}

function see(world: World, who: string, path: string): void {
  const found = entry(world, path)
  if (found?.kind !== 'file') throw new Error(`${path} is no file`)
  world.seen.set(`${who}:default ${found.id}`, { version: found.version, at: world.at })
}

const write = (path: string, sha256 = 'x'): CommitChange => ({
  kind: 'write',
  how: 'write',
  path,
  content: { sha256, size: sha256.length },
})
const append = (path: string, onto: number): CommitChange => ({
  kind: 'write',
  how: 'append',
  path,
  content: { sha256: 'xx', size: 2 },
  onto,
})
const move = (path: string, to: string, overwrite = false): CommitChange => ({
  kind: 'move',
  path,
  to,
  overwrite,
})
const copy = (path: string, to: string, at?: number): CommitChange => ({
  kind: 'copy',
  path,
  to,
  at,
  overwrite: false,
})

describe('write modes', () => {
  it('files §9: what nobody has written yet can be written', () => {
    const world = new World()
    expect(world.write('ann', '/f', 'a').events[0]).toMatchObject({ kind: 'files-committed' })
  })

  it('files §9: a file that was never read is not replaced', () => {
    const world = new World()
    world.write('ann', '/f', 'a')
    expect(world.write('bob', '/f', 'b').refusal).toMatchObject({
      code: 'unseen_version',
      data: { current: 1, changed_by: 'ann' },
    })
  })

  it('files §9: having read the current version is enough, having read an older one is not', () => {
    const world = new World()
    world.write('ann', '/f', 'a')
    see(world, 'bob', '/f')
    expect(world.write('bob', '/f', 'b').refusal).toBeUndefined()
    expect(world.write('bob', '/f', 'c').refusal).toBeUndefined()
    expect(world.write('ann', '/f', 'd').refusal?.code).toBe('unseen_version')
    see(world, 'ann', '/f')
    world.write('bob', '/f', 'e')
    expect(world.write('ann', '/f', 'f').refusal).toMatchObject({
      code: 'stale_version',
      data: { current: 4, changed_by: 'bob' },
    })
  })

  it('files §9: if_version names the current version, or nothing is written', () => {
    const world = new World()
    world.write('ann', '/f', 'a')
    expect(world.write('bob', '/f', 'b', { ifVersion: 1 }).refusal).toBeUndefined()
    expect(world.write('cyd', '/f', 'c', { ifVersion: 1 }).refusal?.code).toBe('stale_version')
    expect(world.write('cyd', '/none', 'c', { ifVersion: 1 }).refusal?.code).toBe('stale_version')
  })

  it('files §9: if_none makes sure that nothing is there', () => {
    const world = new World()
    expect(world.write('ann', '/f', 'a', { ifNone: true }).refusal).toBeUndefined()
    expect(world.write('ann', '/f', 'b', { ifNone: true }).refusal?.code).toBe('already_exists')
  })

  it('files §9: a covering lock is no knowledge of what stands there', () => {
    const world = new World()
    world.write('ann', '/f', 'a')
    granted(world.acquire('bob', '/f'))
    expect(world.write('bob', '/f', 'b').refusal?.code).toBe('unseen_version')
    expect(world.write('bob', '/f', 'b', { ifVersion: 1 }).refusal).toBeUndefined()
  })

  it('files §9: who appends to what it never read does not know it', () => {
    const world = new World()
    world.write('ann', '/f', 'a')
    expect(world.commit('bob', [append('/f', 1)]).refusal).toBeUndefined()
    expect(world.write('bob', '/f', 'b').refusal?.code).toBe('unseen_version')
  })

  it('files §8: locked takes a folder away only under a lock of it', () => {
    const world = new World({ write_mode: 'locked' })
    const lock = granted(world.acquire('ann', '/f', 'exclusive', { scope: 'subtree' }))
    world.write('ann', '/f/a', 'text', { ifNone: true })
    world.release('ann', lock)
    const remove = () => world.commit('ann', [{ kind: 'delete', path: '/f', recursive: true }])
    expect(remove().refusal?.code).toBe('lock_required')
    granted(world.acquire('ann', '/f', 'exclusive'))
    expect(remove().refusal).toBeUndefined()
  })

  it('files §8: locked takes writes only under a lock, open takes all', () => {
    const locked = new World({ write_mode: 'locked' })
    expect(locked.write('ann', '/f', 'a').refusal?.code).toBe('lock_required')
    granted(locked.acquire('ann', '/f'))
    expect(locked.write('ann', '/f', 'a').refusal).toBeUndefined()
    const open = new World({ write_mode: 'open' })
    open.write('ann', '/f', 'a')
    expect(open.write('bob', '/f', 'b').refusal).toBeUndefined()
    granted(open.acquire('ann', '/f'))
    expect(open.write('bob', '/f', 'c').refusal?.code).toBe('locked')
  })

  it('files §10: under somebody’s lock nothing is written, and the holder is named', () => {
    const world = new World()
    granted(world.acquire('ann', '/d', 'write', { scope: 'subtree', intent: 'refactor' }))
    expect(world.write('bob', '/d/x/y', 'b').refusal).toMatchObject({
      code: 'locked',
      data: { holders: [{ agent: 'ann', intent: 'refactor' }], queue_length: 0 },
    })
    granted(world.acquire('cyd', '/r', 'read'))
    expect(world.write('bob', '/r', 'b').refusal).toBeUndefined()
  })

  it('files §11: an append is a write of the bytes from the end on', () => {
    const levels = [
      ['write', {}],
      ['exclusive', {}],
      ['read', { stable: true }],
      ['write', { range: { start: 1 } }],
    ] as const
    for (const [level, terms] of levels) {
      const world = new World()
      world.write('ann', '/log', 'a')
      granted(world.acquire('ann', '/log', level, terms))
      expect(world.commit('bob', [append('/log', 1)]).refusal?.code).toBe('locked')
      expect(world.commit('ann', [append('/log', 1)]).refusal).toBeUndefined()
    }
  })

  it('files §11: a read, and ranges that do not reach the end, do not stop an append', () => {
    const world = new World()
    world.write('ann', '/log', 'text')
    granted(world.acquire('ann', '/log', 'read'))
    granted(world.acquire('cyd', '/log', 'write', { range: { start: 0, end: 4 } }))
    expect(world.commit('bob', [append('/log', 1)]).refusal).toBeUndefined()
  })

  it('files §11: an append worked out on an older version is not taken', () => {
    const world = new World()
    world.write('ann', '/log', 'a')
    world.write('ann', '/log', 'b')
    expect(world.commit('bob', [append('/log', 1)]).refusal?.code).toBe('stale_version')
  })
})

describe('versions', () => {
  it('I5: versions of a file are each based on the one before, through deletion too', () => {
    const world = new World()
    world.write('ann', '/f', 'a')
    world.write('ann', '/f', 'b')
    world.commit('ann', [{ kind: 'delete', path: '/f', recursive: false }])
    world.write('ann', '/f', 'c')
    const file = entry(world, '/f')
    if (file?.kind !== 'file') throw new Error('no file')
    const chain: number[] = []
    for (let at = file.version; at > 0; ) {
      const version = versionAt(world.state.records, file.id, at)
      chain.push(version?.version as number)
      at = version?.base as number
    }
    expect(chain).toEqual([4, 3, 2, 1])
  })

  it('files §16: deleted files stay readable as of an earlier revision', () => {
    const world = new World()
    world.write('ann', '/d/f', 'a')
    const revision = world.state.revision
    world.commit('ann', [{ kind: 'delete', path: '/d', recursive: true }])
    expect(entry(world, '/d/f')).toBeUndefined()
    const { records } = world.state
    const was = occupantAt(records, '/d/f', revision, true)
    expect(versionAt(records, was?.id as number, revision)?.sha256).toBe('a')
    expect(occupantAt(records, '/d/f', world.state.revision, true)).toBeUndefined()
    expect(world.commit('ann', [copy('/d/f', '/back', revision)]).refusal).toBeUndefined()
    expect(entry(world, '/back')).toMatchObject({ sha256: 'a' })
  })

  it('files §16: a path is followed through moves as of any revision', () => {
    const world = new World()
    world.write('ann', '/a/f', 'one')
    const early = world.state.revision
    world.commit('ann', [move('/a', '/b')])
    world.write('ann', '/a/f', 'two')
    const { records } = world.state
    const idOf = (path: string, at: number) => occupantAt(records, path, at, true)?.id
    expect(idOf('/a/f', early)).toBe(idOf('/b/f', world.state.revision))
    expect(idOf('/a/f', world.state.revision)).not.toBe(idOf('/a/f', early))
    expect(idOf('/b/f', early)).toBeUndefined()
  })
})

describe('commits', () => {
  it('files §14: many changes are all or nothing, one revision', () => {
    const world = new World()
    world.write('bob', '/taken', 'b')
    const before = world.state.revision
    const result = world.commit('ann', [write('/1'), write('/2'), write('/taken')])
    expect(result.refusal?.code).toBe('unseen_version')
    expect(world.state.revision).toBe(before)
    expect(entry(world, '/1')).toBeUndefined()
    const fine = world.commit('ann', [write('/1'), write('/2'), move('/1', '/3'), copy('/2', '/4')])
    expect(fine.events).toHaveLength(1)
    expect(entry(world, '/3')).toMatchObject({ kind: 'file', version: before + 1 })
    expect(entry(world, '/4')).toMatchObject({ kind: 'file' })
    expect(entry(world, '/1')).toBeUndefined()
  })

  it('files §14: each change sees the ones before it', () => {
    const world = new World()
    const result = world.commit('ann', [
      { kind: 'make-folder', path: '/d/e' },
      write('/d/e/f'),
      { kind: 'delete', path: '/d', recursive: false },
    ])
    expect(result.refusal?.code).toBe('not_empty')
  })

  it('files §15: moving a folder is one change whatever lies in it', () => {
    const world = new World()
    world.commit(
      'ann',
      Array.from({ length: 500 }, (_, i) => write(`/big/f${i}`)),
    )
    const [event] = world.commit('ann', [move('/big', '/moved/here')]).events
    expect(event?.kind === 'files-committed' && event.changes.map((change) => change.op)).toEqual([
      'make-folder',
      'move',
    ])
    expect(entry(world, '/moved/here/f499')).toMatchObject({ kind: 'file' })
    expect(entry(world, '/big/f0')).toBeUndefined()
  })

  it('files §15: a copy names the same content', () => {
    const world = new World()
    world.commit('ann', [write('/d/1', 'one'), write('/d/s/2', 'two')])
    world.commit('ann', [copy('/d', '/e')])
    expect(entry(world, '/e/s/2')).toMatchObject({ sha256: 'two', kind: 'file' })
    const ids = ['/d/1', '/e/1'].map((path) => entry(world, path))
    expect(ids[0]?.kind === 'file' && ids[1]?.kind === 'file' && ids[0].id !== ids[1].id).toBe(true)
  })
})

describe('bad input changes nothing', () => {
  const cases: [string, CommitChange, string][] = [
    ['delete of nothing', { kind: 'delete', path: '/none', recursive: false }, 'not_found'],
    ['delete of the root', { kind: 'delete', path: '/', recursive: true }, 'invalid_path'],
    ['move of the root', move('/', '/x'), 'invalid_path'],
    ['move into itself', move('/d', '/d/e'), 'invalid_path'],
    ['move of nothing', move('/none', '/x'), 'not_found'],
    ['move onto something', move('/f', '/d/g'), 'already_exists'],
    ['copy into itself', copy('/d', '/d/e'), 'invalid_path'],
    ['copy onto the root', copy('/f', '/'), 'already_exists'],
    ['write on a folder', write('/d'), 'is_folder'],
    ['write on the root', write('/'), 'is_folder'],
    ['write below a file', write('/f/x'), 'not_folder'],
    ['a folder where a file is', { kind: 'make-folder', path: '/f' }, 'already_exists'],
    ['a folder below a file', { kind: 'make-folder', path: '/f/x' }, 'not_folder'],
    ['a full folder', { kind: 'delete', path: '/d', recursive: false }, 'not_empty'],
  ]
  it.each(cases)('files §19: %s', (_name, change, code) => {
    const world = new World()
    world.commit('ann', [write('/f'), write('/d/g')])
    const { revision } = world.state
    const result = world.commit('ann', [change])
    expect(result.refusal?.code).toBe(code)
    expect(result.refusal?.detail.length).toBeGreaterThan(10)
    expect(world.state.revision).toBe(revision)
  })

  it('files §19: names that differ only in case are one name, unless told otherwise', () => {
    const world = new World()
    world.write('ann', '/Docs/Read.md', 'a')
    expect(world.write('ann', '/Docs/READ.md', 'b').refusal).toMatchObject({
      code: 'already_exists',
      data: { existing: '/Docs/Read.md' },
    })
    expect(world.write('ann', '/docs/new.md', 'b').refusal?.data).toMatchObject({
      existing: '/Docs',
    })
    const exact = new World({ portable_names: false })
    exact.write('ann', '/a', 'a')
    expect(exact.write('ann', '/A', 'b').refusal).toBeUndefined()
  })

  it('files §19: the case of a name can be changed by a move', () => {
    const world = new World()
    world.write('ann', '/readme', 'a')
    expect(world.commit('ann', [move('/readme', '/README')]).refusal).toBeUndefined()
    expect(entry(world, '/README')).toMatchObject({ name: 'README' })
    expect(entry(world, '/readme')).toBeUndefined()
  })

  it('files §19: a file above the size limit is refused', () => {
    const world = new World({ file_bytes: 10 })
    const big: CommitChange = {
      kind: 'write',
      how: 'write',
      path: '/f',
      content: { sha256: 'x', size: 11 },
    }
    expect(world.commit('ann', [big]).refusal).toMatchObject({
      code: 'too_large',
      data: { limit: 10, size: 11 },
    })
  })
})

describe('rights', () => {
  const rights = [
    { workspace: '*', path: '/', access: 'read' as const },
    { workspace: '*', path: '/own', access: 'write' as const },
    { workspace: '*', path: '/own/secret', access: 'none' as const },
    { workspace: 'other', path: '/', access: 'write' as const },
  ]
  const limited = { ...actor('ann'), rights }

  it('contract §10: the most specific rule decides what may be written and locked', () => {
    const world = new World()
    const tryWrite = (path: string) =>
      world.run({
        kind: 'commit',
        actor: limited,
        changes: [write(path)],
        locks: [],
        release: false,
      })
    expect(tryWrite('/own/f').refusal).toBeUndefined()
    expect(tryWrite('/f').refusal).toMatchObject({ code: 'forbidden', data: { needed: 'write' } })
    expect(tryWrite('/own/secret/f').refusal?.code).toBe('forbidden')
    const lock = (path: string, level: 'read' | 'write') =>
      world.run({
        kind: 'acquire-lock',
        actor: limited,
        items: [{ path, level }],
        renew: 'activity',
        queue: false,
      })
    expect(lock('/f', 'write').refusal?.code).toBe('forbidden')
    expect(lock('/f', 'read').refusal).toBeUndefined()
    // Part of the subtree is forbidden, so the whole cannot be locked or moved.
    expect(lock('/own', 'write').refusal?.code).toBe('forbidden')
  })

  it('contract §10: a folder with a forbidden part is neither moved nor copied', () => {
    const world = new World()
    world.commit('bob', [write('/own/secret/f'), write('/own/g')])
    const run = (change: CommitChange) =>
      world.run({ kind: 'commit', actor: limited, changes: [change], locks: [], release: false })
    expect(run(move('/own', '/own2')).refusal?.code).toBe('forbidden')
    expect(run(copy('/own', '/own/copy')).refusal?.code).toBeDefined()
    expect(run(copy('/own/secret/f', '/own/x')).refusal?.code).toBe('forbidden')
  })
})

describe('rights come first', () => {
  const blind = {
    ...actor('eve'),
    rights: [{ workspace: '*', path: '/x', access: 'none' as const }],
  }

  it('contract §10: a move, a copy or a lock of what may not be seen does not say whether it is there', () => {
    const world = new World()
    world.commit('bob', [write('/x/there/f')])
    const run = (change: CommitChange) =>
      world.run({ kind: 'commit', actor: blind, changes: [change], locks: [], release: false })
    for (const path of ['/x/there', '/x/nothing']) {
      expect(run(move(path, '/y')).refusal?.code).toBe('forbidden')
      expect(run(copy(path, '/y')).refusal?.code).toBe('forbidden')
      const lock = world.run({
        kind: 'acquire-lock',
        actor: blind,
        items: [{ path, level: 'read', scope: 'file' }],
        renew: 'activity',
        queue: false,
      })
      expect(lock.refusal?.code).toBe('forbidden')
    }
  })
})
