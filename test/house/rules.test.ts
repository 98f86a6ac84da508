import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { CASES } from './cases.ts'
import { RULES, rulesIn, rulesPage, testsByRule } from './rules.ts'
import { ROOT } from './source.ts'

describe('rules', () => {
  it('every rule that this release keeps has a test of its name', () => {
    const tests = testsByRule()
    expect(Object.keys(RULES).filter((rule) => !tests.has(rule))).toEqual([])
  })

  it('every input that clients really send has a test of its name', () => {
    const tests = testsByRule()
    expect(Object.keys(CASES).filter((id) => !tests.has(id))).toEqual([])
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
    expect(rulesIn('A4+, files §9: a folder’s lock')).toEqual(['A4', 'files §9'])
    expect(rulesIn('E1 (SDK): never')).toEqual(['E1'])
    expect(rulesIn('A folder: listed')).toEqual([])
    expect(rulesIn('lists folders')).toEqual([])
  })
})
