import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { OWN_TEST, PLACES } from '../fixtures/toy/places.ts'
import { ROOT } from './source.ts'
import { placeOf, ToyTree } from './toy-tree.ts'

/** A toy operation and a toy event; toy.long.test.ts leaves out each of their places. */
describe('an operation and an event that are added', () => {
  let tree: ToyTree
  beforeAll(async () => {
    tree = await ToyTree.grow()
  })
  afterAll(() => tree.fell())

  it('compile, and work through every door', { timeout: 120_000 }, async () => {
    const tests = new Set(PLACES.flatMap(({ missedBy }) => (missedBy === 'types' ? [] : missedBy)))
    const [types, failing] = await Promise.all([tree.types(), tree.failing([...tests])])
    expect(types).toBe('')
    expect(failing).toEqual({})
    expect([...tests]).toContain(OWN_TEST)
  })

  it('do not compile without the fold', { timeout: 60_000 }, async () => {
    tree.leaveOut(placeOf('src/core/apply.ts'))
    expect(await tree.types()).toMatch(/apply.ts.*Property '"path-poked"' is missing/)
  })

  it('are missed by a test without the command', { timeout: 60_000 }, async () => {
    tree.leaveOut(placeOf('src/cli/commands.ts'))
    const test = 'test/cli/reference.test.ts'
    expect(Object.keys(await tree.failing([test]))).toEqual([test])
  })
})

describe('CONTRIBUTING.md', () => {
  const page = readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8')

  it.each(PLACES)('names $file, and shows what belongs there', ({ file, lines = [], whole }) => {
    expect(page).toContain(`\`${file}\``)
    const shown = page.replaceAll(/^ +/gm, '')
    for (const text of [...lines.map((line) => line.text), whole ?? '']) {
      // The head of a file is imports, of which the compiler speaks.
      const said = text.replaceAll(/^import .*\n/gm, '').replaceAll(/^ +/gm, '')
      expect(shown).toContain(said.trim())
    }
  })
})
