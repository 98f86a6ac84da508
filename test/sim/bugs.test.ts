import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { hunt, isCaught } from '../../sim/bug/hunt.ts'
import { BUGS, type Bug } from '../../sim/bug/list.ts'
import { ROOT } from '../house/source.ts'

/** Each caught within a few runs, so that the test stays short; `npm run sim -- --bugs` hunts all. */
const SAMPLE = [
  'reply before sync',
  'a watch resumes one too late',
  'a lost answer is decided anew',
  'a waiting call is not woken',
]

describe('planted bugs', () => {
  it.each(BUGS)('$name can be planted', ({ file, find, replace }: Bug) => {
    const text = readFileSync(join(ROOT, file), 'utf8')
    expect(text.split(find).length - 1, `${file}: ${find}`).toBe(1)
    expect(replace).not.toBe(find)
  })

  it.each(SAMPLE)('%s is caught', { timeout: 120_000 }, async (name) => {
    const bug = BUGS.find((one) => one.name === name) as Bug
    const found = await hunt(bug, 30, 600)
    expect(isCaught(found), JSON.stringify({ ...found, bug: name })).toBe(true)
  })
})
