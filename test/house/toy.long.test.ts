import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PLACES } from '../fixtures/toy/places.ts'
import { ToyTree } from './toy-tree.ts'

/** Each place of the toy, and each insertion of it, left out once: somebody misses it. */
const LEFT_OUT = PLACES.flatMap((place) => {
  const { file, lines = [], missedBy } = place
  if (lines.length < 2) return [{ what: file, place, at: undefined, missedBy }]
  // Of several in one file none goes without the others.
  const each = lines.map(({ text }, at) => {
    const what = `${file}: ${text.trim().split('\n')[0]}`
    return { what, place, at, missedBy: 'types' as const }
  })
  return [{ what: file, place, at: undefined, missedBy }, ...each]
})

describe('a toy operation and a toy event', () => {
  let tree: ToyTree
  beforeAll(async () => {
    tree = await ToyTree.grow()
  })
  afterAll(() => tree.fell())

  it('are in the style of the house', async () => {
    expect(await tree.lint()).toBe('')
  })

  it('are walked by what walks every operation and every event', async () => {
    const walks = ['engine/every-operation', 'engine/visible', 'face/roles']
    const files = walks.map((name) => `test/${name}.test.ts`)
    expect(await tree.failing(files, 'poke')).toEqual({})
  })

  it.each(LEFT_OUT)('$what, left out, is missed', async ({ place, at, missedBy }) => {
    tree.leaveOut(place, at)
    const types = await tree.types()
    if (missedBy === 'types') return expect(types).toContain('error TS')
    expect(types).toBe('')
    expect(Object.keys(await tree.failing(missedBy)).sort()).toEqual([...missedBy].sort())
  })
})
