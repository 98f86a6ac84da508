import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { AMOUNTS } from '../amount.ts'
import { filesIn, ROOT } from './source.ts'

/** The smallest test of what was touched is found by its path alone: CONTRIBUTING.md. */
describe('the place of a test', () => {
  it('each folder of src has one of its name in test, with tests', () => {
    const tests = filesIn('test', '.test.ts').map(({ path }) => path)
    const folders = readdirSync(join(ROOT, 'src'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
    const bare = folders.filter((name) => !tests.some((path) => path.startsWith(`test/${name}/`)))
    expect(bare).toEqual([])
  })

  it('tests stand in test, where they are run', () => {
    const elsewhere = ['src', 'sim', 'bench'].flatMap((folder) => filesIn(folder, '.test.ts'))
    expect(elsewhere.map(({ path }) => path)).toEqual([])
  })

  it('what has an amount is there', () => {
    expect(Object.keys(AMOUNTS).filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
  })
})
