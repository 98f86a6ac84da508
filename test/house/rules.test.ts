import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { RULES, rulesIn, rulesPage, testsByRule } from './rules.ts'
import { ROOT } from './source.ts'

describe('rules', () => {
  it('every rule that this release keeps has a test of its name', () => {
    const tests = testsByRule()
    expect(Object.keys(RULES).filter((rule) => !tests.has(rule))).toEqual([])
  })

  it('docs/rules.md is up to date', () => {
    expect(readFileSync(join(ROOT, 'docs', 'rules.md'), 'utf8')).toBe(rulesPage())
  })

  it('names of tests are read as they are written', () => {
    expect(rulesIn('locks §8, §42, I1: no broken invariant')).toEqual([
      'locks §8',
      'locks §42',
      'I1',
    ])
    expect(rulesIn('I13, I14: after a crash')).toEqual(['I13', 'I14'])
    expect(rulesIn('locks §4, files §19: %j')).toEqual(['locks §4', 'files §19'])
    expect(rulesIn('lists folders')).toEqual([])
  })
})
