import { utimesSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { FolderWorld } from './world.ts'

let world: FolderWorld
afterEach(() => world.end())

const HOUR_MS = 3_600_000

describe('a clock that jumps', () => {
  it.each([
    ['forward', HOUR_MS],
    ['back', -HOUR_MS],
  ])(
    'folder §4, §13: %s, reads are of what is there, and ours is not taken for theirs',
    async (_, jumpMs) => {
      world = await FolderWorld.of({ 'a.txt': 'a', 'b.txt': 'b' })
      await world.text('ann', '/a.txt')
      for (const offMs of [0, jumpMs, 0, -jumpMs, jumpMs]) {
        world.clockOffMs = offMs
        await world.rewrite('ann', '/a.txt', `ours at ${offMs}`)
        expect(await world.text('ann', '/a.txt')).toBe(`ours at ${offMs}`)
        world.write('b.txt', `theirs at ${offMs}, and longer`)
        expect(await world.text('ann', '/b.txt')).toBe(`theirs at ${offMs}, and longer`)
        await world.rewrite('ann', '/b.txt', 'ours')
        expect(world.read('b.txt')).toBe('ours')
      }
      const agents = (await world.history('/a.txt')).map(({ agent }) => agent)
      expect(agents).toEqual(['ann', 'ann', 'ann', 'ann', 'ann', 'outside'])
      expect(await world.heads()).toEqual(world.files())
    },
  )

  it('folder §4: set back, a write of the same length in the same instant is found', async () => {
    world = await FolderWorld.of({ 'a.txt': 'aaaa' })
    await world.text('ann', '/a.txt')
    world.clockOffMs = -HOUR_MS
    for (let i = 0; i < 20; i++) {
      await world.rewrite('ann', '/a.txt', `our${i % 10}`)
      world.write('a.txt', `the${i % 10}`)
      expect(await world.text('ann', '/a.txt')).toBe(`the${i % 10}`)
    }
  })

  it('folder §11: files that are stamped in the future or long ago are taken in as any other', async () => {
    world = await FolderWorld.of({ 'a.txt': 'a' })
    await world.text('ann', '/a.txt')
    for (const [content, at] of [
      ['in the future', 4_000_000_000],
      ['long ago', 100_000_000],
    ] as const) {
      world.write('a.txt', content)
      utimesSync(world.path('a.txt'), at, at)
      expect(await world.text('ann', '/a.txt')).toBe(content)
      await world.rewrite('ann', '/a.txt', `after ${content}`)
    }
    await world.restart()
    expect(await world.contents('/a.txt')).toEqual([
      ...['a', 'in the future', 'after in the future', 'long ago', 'after long ago'],
    ])
  })
})
