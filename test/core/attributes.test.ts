import { describe, expect, it } from 'vitest'
import type { Attributes } from '../../src/contract/events.ts'
import type { CommitChange } from '../../src/core/command.ts'
import { copiedAttributes, withAttributes } from '../../src/core/file/attributes.ts'
import { resolvePath, versionAt } from '../../src/core/file/resolve-path.ts'
import { actor, World } from './world.ts'

/** A plain example of an attribute, which nothing declares. */
const RED = { colour: 'red' }

function attributesOf(world: World, path: string): Attributes | undefined {
  const { entry } = resolvePath(world.state.records, path, true)
  return entry === undefined ? undefined : entry.attributes
}

const setTo = (path: string, set: Record<string, string | null>): CommitChange => ({
  kind: 'set-attributes',
  path,
  set,
})
const copy = (path: string, to: string, at?: number): CommitChange => ({
  kind: 'copy',
  path,
  to,
  at,
  overwrite: true,
})

function red(): World {
  const world = new World()
  world.write('ann', '/f', 'a')
  expect(world.commit('ann', [setTo('/f', RED)]).refusal).toBeUndefined()
  return world
}

describe('attributes', () => {
  it('setting them makes no version', () => {
    const world = red()
    const { entry } = resolvePath(world.state.records, '/f', true)
    expect(entry).toMatchObject({ version: 1, attributes: RED })
  })

  it('survive writes', () => {
    const world = red()
    world.write('ann', '/f', 'b')
    expect(attributesOf(world, '/f')).toEqual(RED)
  })

  it('survive moves, of the entry and of the folder it lies in', () => {
    const world = red()
    world.commit('ann', [
      { kind: 'move', path: '/f', to: '/in/f', overwrite: false },
      { kind: 'move', path: '/in', to: '/out', overwrite: false },
    ])
    expect(attributesOf(world, '/out/f')).toEqual(RED)
  })

  it('are copied, but for those that belong to the one entry', () => {
    const world = red()
    world.commit('ann', [copy('/f', '/g')])
    expect(attributesOf(world, '/g')).toEqual(RED)
    const rows = { charge: { onCopy: 'dropped' as const } }
    expect(copiedAttributes({ ...RED, charge: 'ann' }, rows)).toEqual(RED)
    expect(copiedAttributes({ charge: 'ann' }, rows)).toBeUndefined()
  })

  it('stand in the version that was written with them, for an undo or a restore', () => {
    const world = red()
    world.write('ann', '/f', 'b')
    world.commit('ann', [setTo('/f', { colour: null })])
    expect(attributesOf(world, '/f')).toBeUndefined()
    const { entry } = resolvePath(world.state.records, '/f', true)
    const version = entry?.kind === 'file' ? versionAt(world.state.records, entry.id, 3) : undefined
    expect(version?.attributes).toEqual(RED)
  })

  it('of a file that is written anew after a deletion begin anew', () => {
    const world = red()
    world.commit('ann', [{ kind: 'delete', path: '/f', recursive: false }])
    world.write('ann', '/f', 'b')
    expect(attributesOf(world, '/f')).toBeUndefined()
  })

  it('a folder has some too', () => {
    const world = new World()
    world.commit('ann', [{ kind: 'make-folder', path: '/in' }, setTo('/in', RED)])
    expect(attributesOf(world, '/in')).toEqual(RED)
  })

  it('locks §6: wait for whoever holds them, and not for the content', () => {
    const world = red()
    world.acquire('bob', '/f', 'exclusive')
    expect(world.commit('ann', [setTo('/f', { colour: 'blue' })]).refusal).toBeUndefined()
    const items = [{ path: '/f', level: 'write' as const, key: 'metadata' as const }]
    world.run({ kind: 'acquire-lock', actor: actor('bob'), items, renew: 'activity', queue: false })
    expect(world.commit('ann', [setTo('/f', RED)]).refusal?.code).toBe('locked')
  })

  it('of nothing are refused', () => {
    expect(new World().commit('ann', [setTo('/f', RED)]).refusal?.code).toBe('not_found')
  })

  it('one is set, changed and taken away', () => {
    expect(withAttributes(undefined, RED)).toEqual(RED)
    expect(withAttributes(RED, { size: 3 })).toEqual({ ...RED, size: 3 })
    expect(withAttributes(RED, { colour: null })).toBeUndefined()
  })
})
