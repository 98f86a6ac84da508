import { describe, expect, it } from 'vitest'
import { Fenced } from '../../src/store/ledger.ts'
import { gatedWorld } from './gate.ts'
import { EngineWorld, settle } from './world.ts'

async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let isDone = false
  promise.then(
    () => {
      isDone = true
    },
    () => {
      isDone = true
    },
  )
  await settle()
  return !isDone
}

describe('acknowledged means durable', () => {
  it('I14: no answer leaves before its sync', async () => {
    const { world, gate } = await gatedWorld()
    gate.isShut = true
    const write = world.call('ann', 'write_file', { path: '/f' }, 'x')
    const lock = world.call('ann', 'acquire_lock', { path: '/f' })
    expect(await isPending(write)).toBe(true)
    expect(await isPending(lock)).toBe(true)
    gate.open()
    expect((await write).created).toBe(true)
    expect((await lock).status).toBe('granted')
  })

  it('nothing is seen that could still be lost: reads, lists and refusals wait for it', async () => {
    const { world, gate } = await gatedWorld()
    await world.call('bob', 'write_file', { path: '/f' }, 'old')
    gate.isShut = true
    const write = world.call('bob', 'write_file', { path: '/f' }, 'new')
    const lock = world.call('bob', 'acquire_lock', { path: '/g' })
    await settle()
    const read = world.text('ann', '/f')
    const list = world.call('ann', 'list_locks', {})
    const refused = world.code(world.call('ann', 'acquire_lock', { path: '/g' }))
    for (const one of [read, list, refused]) expect(await isPending(one)).toBe(true)
    gate.open()
    expect(await read).toBe('new')
    expect((await list).locks).toHaveLength(1)
    expect(await refused).toBe('lock_conflict')
    await Promise.all([write, lock])
  })

  it('nothing is seen that could still be lost: an absence waits too', async () => {
    const { world, gate } = await gatedWorld()
    await world.call('bob', 'write_file', { path: '/f' }, 'x')
    gate.isShut = true
    const gone = world.call('bob', 'delete_file', { path: '/f' })
    await settle()
    const read = world.code(world.text('ann', '/f'))
    expect(await isPending(read)).toBe(true)
    gate.open()
    expect(await read).toBe('not_found')
    await gone
  })

  it('a refusal waits for nobody’s sync when it saw nothing new', async () => {
    const { world, gate } = await gatedWorld()
    await world.call('bob', 'acquire_lock', { path: '/g' })
    gate.isShut = true
    expect(await world.code(world.call('ann', 'acquire_lock', { path: '/g' }))).toBe(
      'lock_conflict',
    )
    gate.open()
  })

  it('what gathers while a batch is written is the next batch, in one append', async () => {
    const { world, gate } = await gatedWorld()
    gate.isShut = true
    const calls = Array.from({ length: 50 }, (_, i) =>
      world.call('ann', 'acquire_lock', { path: `/f${i}` }),
    )
    await settle()
    gate.open()
    await Promise.all(calls)
    const verified = await world.call('admin', 'verify_audit', {})
    expect(verified).toMatchObject({ ok: true, to: 50 })
    expect(verified.batches).toBeLessThanOrEqual(3)
  })

  it('I13, I14: after a crash everything acknowledged is there, in the same state', async () => {
    const { world } = await gatedWorld()
    await world.call('ann', 'write_file', { path: '/d/f' }, 'x')
    const { lock, token } = await world.lock('ann', '/d/f', { intent: 'edit' })
    await world.call('bob', 'acquire_lock', { path: '/d/f', queue: true })
    await world.crash()
    expect(await world.text('cyd', '/d/f')).toBe('x')
    const { locks, waiting } = await world.call('cyd', 'list_locks', {})
    expect(locks).toMatchObject([{ id: lock.id, owner: 'ann', intent: 'edit' }])
    expect(waiting).toMatchObject([{ agent: 'bob', paths: ['/d/f'] }])
    const terms = { path: '/d/f', locks: [token], if_version: 1 }
    await world.call('bob', 'write_file', terms, 'y')
    await world.restart()
    expect(await world.text('cyd', '/d/f')).toBe('y')
  })

  it('I13, I14: a start that is cut off folds nothing into the tables twice', async () => {
    const world = await EngineWorld.start()
    await world.call('ann', 'write_file', { path: '/a' }, 'first')
    // Contents of more than the tables are given at once, before it and none after it.
    for (let i = 0; i < 60; i++) {
      await world.call('bob', 'write_file', { path: `/fill/${i}` }, `${i}`.padEnd(40_000))
    }
    // Folded twice, the second file would have moved as well.
    await world.call('ann', 'commit', {
      changes: [
        { op: 'move', path: '/a', to: '/b' },
        { op: 'write', path: '/a', text: 'second' },
      ],
    })
    const folders = Array.from({ length: 600 }, (_, i) => `/folders/${i}`)
    await world.call('bob', 'commit', {
      changes: folders.map((path) => ({ op: 'make_folder', path })),
    })
    await settle()
    for (let crash = 0; crash < 3; crash++) {
      await world.crash()
      await settle()
      expect([await world.text('ann', '/b'), await world.text('ann', '/a')]).toEqual([
        'first',
        'second',
      ])
    }
  })
})

describe('a ledger that fails', () => {
  it('files §7: what could not be stored is not there, and the caller is told to try again', async () => {
    const { world, gate } = await gatedWorld()
    await world.call('ann', 'write_file', { path: '/f' }, 'kept')
    gate.failure = Object.assign(new Error('disk'), { code: 'EIO' })
    const lost = world.call('ann', 'write_file', { path: '/f' }, 'lost')
    const locked = world.call('ann', 'acquire_lock', { path: '/l' })
    expect(await world.code(lost)).toBe('overloaded')
    expect(await world.code(locked)).toBe('overloaded')
    gate.failure = undefined
    await settle()
    expect(await world.text('ann', '/f')).toBe('kept')
    expect((await world.call('ann', 'list_locks', {})).locks).toHaveLength(0)
    expect((await world.call('ann', 'write_file', { path: '/f' }, 'again')).version).toBe(2)
  })

  it('I14: what was stored although the disk said no is answered as stored', async () => {
    const { world, gate } = await gatedWorld()
    gate.isShut = true
    const write = world.call('ann', 'write_file', { path: '/f' }, 'x')
    await settle()
    const late = world.call('ann', 'write_file', { path: '/g' }, 'y')
    await settle()
    gate.failLate = new Error('no answer from the disk')
    gate.open()
    expect(await write).toMatchObject({ created: true })
    expect(await world.code(late)).toBe('overloaded')
    expect(await world.text('ann', '/f')).toBe('x')
  })

  it('allocation §A24: a full disk is server_full, and reading goes on', async () => {
    const { world, gate } = await gatedWorld()
    await world.call('ann', 'write_file', { path: '/f' }, 'kept')
    gate.failure = Object.assign(new Error('disk'), { code: 'ENOSPC' })
    expect(await world.code(world.call('ann', 'write_file', { path: '/g' }, 'x'))).toBe(
      'server_full',
    )
    await settle()
    expect(await world.text('bob', '/f')).toBe('kept')
  })

  it('files §9: a version that was lost counts as seen by nobody, though its number comes again', async () => {
    const { world, gate } = await gatedWorld()
    await world.call('bob', 'write_file', { path: '/f' }, 'one')
    await world.text('ann', '/f')
    gate.failure = Object.assign(new Error('disk'), { code: 'EIO' })
    await world.code(world.call('ann', 'write_file', { path: '/f' }, 'lost'))
    gate.failure = undefined
    await settle()
    expect((await world.call('bob', 'write_file', { path: '/f' }, 'two')).version).toBe(2)
    const blind = world.call('ann', 'write_file', { path: '/f' }, 'three')
    expect(['stale_version', 'unseen_version']).toContain(await world.code(blind))
  })

  it('a fenced engine acknowledges nothing more', async () => {
    const { world, gate } = await gatedWorld()
    gate.failure = new Fenced('another epoch')
    expect(await world.code(world.call('ann', 'write_file', { path: '/f' }, 'x'))).toBe(
      'overloaded',
    )
    gate.failure = undefined
    await settle()
    expect(await world.code(world.call('ann', 'write_file', { path: '/f' }, 'x'))).toBe(
      'overloaded',
    )
  })
})
