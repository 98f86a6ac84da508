import { describe, expect, it } from 'vitest'
import type { CommitChange } from '../../src/core/command.ts'
import { actor, granted, World } from './world.ts'

describe('fencing', () => {
  it('locks §32, §36, I2: fences only grow in a workspace', () => {
    const world = new World()
    const fences = ['/a', '/b', '/c'].map((path) => granted(world.acquire('ann', path)))
    expect(fences).toEqual([...fences].sort((a, b) => a - b))
    expect(new Set(fences).size).toBe(3)
  })

  it('locks §33, I3, I4: a commit needs exactly the hold it names, alive, even before the next one writes', () => {
    const world = new World()
    const lock = granted(world.acquire('ann', '/f', 'write', { ttlMs: 1000 }))
    expect(world.write('ann', '/f', '1', { locks: [lock] }).refusal).toBeUndefined()
    world.at += 1000
    world.expire()
    expect(world.write('ann', '/f', '2', { locks: [lock] }).refusal).toMatchObject({
      code: 'lock_lost',
      data: { reason: 'expired' },
    })
    granted(world.acquire('bob', '/f'))
    expect(world.write('ann', '/f', '2', { locks: [lock] }).refusal?.code).toBe('lock_lost')
  })

  it('locks §33, I3: a named lock has to cover what is written, with write or exclusive', () => {
    const world = new World()
    const read = granted(world.acquire('ann', '/a', 'read'))
    const other = granted(world.acquire('ann', '/b', 'write'))
    for (const lock of [read, other]) {
      expect(world.write('ann', '/a', 'x', { locks: [lock] }).refusal).toMatchObject({
        code: 'lock_required',
        data: { path: '/a', locks: [`L${lock}`] },
      })
    }
    expect(world.write('ann', '/a', 'x').events).toHaveLength(1)
    // A second hold covers it; the one that is named beside it only has to be alive.
    world.acquire('ann', '/a', 'write')
    expect(world.write('ann', '/a', 'y', { locks: [other] }).events).toHaveLength(1)
  })

  it('locks §33: a late write without a token is told that its lock was lost, not just locked', () => {
    const world = new World()
    granted(world.acquire('ann', '/f', 'exclusive', { ttlMs: 1000 }))
    world.acquire('bob', '/f', 'exclusive', { queue: true })
    world.at += 1000
    expect(world.expire().events.at(-1)).toMatchObject({ kind: 'lock-acquired', agent: 'bob' })
    expect(world.write('ann', '/f', 'late').refusal?.code).toBe('lock_lost')
    expect(world.write('cyd', '/f', 'other').refusal?.code).toBe('locked')
  })

  it('locks §33: under a lock the base must be current: somebody’s append is not overwritten', () => {
    const world = new World()
    world.write('bob', '/log', 'a')
    const append = {
      kind: 'write' as const,
      how: 'append' as const,
      path: '/log',
      content: { sha256: 'ab', size: 2 },
      onto: 1,
    }
    world.seen.set('bob:default 2', { version: 1, at: world.at })
    expect(world.commit('cyd', [append]).refusal).toBeUndefined()
    granted(world.acquire('bob', '/log'))
    expect(world.write('bob', '/log', 'z').refusal?.code).toBe('stale_version')
  })

  it('locks §33: a token lets another session write under the hold', () => {
    const world = new World()
    const lock = granted(world.acquire('ann', '/f'))
    expect(world.write('bob', '/f', 'x').refusal?.code).toBe('locked')
    expect(world.write('bob', '/f', 'x', { locks: [lock] }).refusal).toBeUndefined()
  })

  it('locks §35: commit and release are one decision', () => {
    const world = new World()
    const lock = granted(world.acquire('ann', '/f'))
    world.acquire('bob', '/f', 'write', { queue: true })
    const result = world.commit(
      'ann',
      [{ kind: 'write', how: 'write', path: '/f', content: { sha256: 'x', size: 1 } }],
      { locks: [lock], release: true },
    )
    expect(result.events.map((event) => event.kind)).toEqual([
      'files-committed',
      'lock-released',
      'lock-acquired',
    ])
  })

  it('locks §44: a refusal names holder, level, intent, since and expiry', () => {
    const world = new World()
    granted(world.acquire('ann', '/f', 'write', { intent: 'merge results' }))
    const { refusal } = world.acquire('bob', '/f')
    expect(refusal?.detail).toContain('ann:default (write) ("merge results") until 20')
    expect(refusal?.data).toMatchObject({
      holders: [{ agent: 'ann', intent: 'merge results', level: 'write', path: '/f' }],
    })
  })
})

describe('whatever comes after a lost lock', () => {
  /** Ann wrote /in/f and lost her lock on all of /in; what she does next would be late. */
  function lost(): World {
    const world = new World()
    world.write('ann', '/in/f', 'a')
    world.write('ann', '/g', 'a')
    const lock = granted(world.acquire('ann', '/in', 'exclusive', { scope: 'subtree' }))
    world.run({
      kind: 'release-lock',
      actor: { ...actor('sue'), role: 'supervisor' },
      lock,
      force: true,
      reason: 'needed',
    })
    return world
  }

  const LATE: Record<string, CommitChange> = {
    'a move from it': { kind: 'move', path: '/in/f', to: '/h', overwrite: false },
    'a move onto it': { kind: 'move', path: '/g', to: '/in/f', overwrite: true },
    'a move of the folder': { kind: 'move', path: '/in', to: '/out', overwrite: false },
    'a copy onto it': { kind: 'copy', path: '/g', to: '/in/f', overwrite: true },
    'a deletion of the file': { kind: 'delete', path: '/in/f', recursive: false },
    'a deletion of the folder': { kind: 'delete', path: '/in', recursive: true },
    'a new folder in it': { kind: 'make-folder', path: '/in/new' },
  }

  it.each(Object.entries(LATE))('locks §33: %s is lock_lost', (_, change) => {
    expect(lost().commit('ann', [change]).refusal?.code).toBe('lock_lost')
  })

  it('locks §33: elsewhere it may go on', () => {
    expect(lost().write('ann', '/else', 'a').refusal).toBeUndefined()
  })
})

it('files §8: in a workspace that asks for locks a folder is made under one', () => {
  const world = new World({ write_mode: 'locked' })
  const change: CommitChange = { kind: 'make-folder', path: '/new' }
  expect(world.commit('ann', [change]).refusal?.code).toBe('lock_required')
  granted(world.acquire('ann', '/new'))
  expect(world.commit('ann', [change]).refusal).toBeUndefined()
})
