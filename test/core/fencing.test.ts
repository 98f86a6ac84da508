import { describe, expect, it } from 'vitest'
import { granted, World } from './world.ts'

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
