import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ERRORS } from '../../src/contract/errors.ts'
import { DEFAULT_SETTINGS } from '../../src/contract/events.ts'
import { CASES } from './cases.ts'
import { citedIn, pointsIn, rulesIn } from './citation.ts'
import { namedTests, namesIn, rulesPage, testsByRule } from './rules.ts'
import { filesIn, ROOT, type SourceFile } from './source.ts'
import { type Page, pages, rowsOf, rules, rulesOf } from './spec.ts'

const parts = pages().map((page) => page.part)

describe('rules', () => {
  it('every rule that is built has a test of its name', () => {
    const tests = testsByRule(15)
    const untested = rules().filter(({ id, isBuilt }) => isBuilt && !tests.has(id))
    expect(untested.map(({ id }) => id)).toEqual([])
  })

  it('every input that clients really send has a test of its name', () => {
    const tests = testsByRule()
    expect(Object.keys(CASES).filter((id) => !tests.has(id))).toEqual([])
  })

  it('tests are named after rules and cases that there are', () => {
    const known = new Set([...rules().map(({ id }) => id), ...Object.keys(CASES), ...parts])
    const wrong = namedTests().flatMap(({ name, file }) =>
      rulesIn(name, parts)
        .filter((id) => !known.has(id))
        .map((id) => `${file}: ${id}`),
    )
    expect(wrong).toEqual([])
  })

  it('code and documents cite rules that there are', () => {
    const known = new Set(rules().map(({ id }) => id))
    const wrong = cited().flatMap(({ path, text, usual }) =>
      citedIn(text, parts, usual)
        .filter((id) => !known.has(id))
        .map((id) => `${path}: ${id}`),
    )
    expect(wrong).toEqual([])
  })

  it('code and documents cite points of decisions that there are', () => {
    const known = new Set(
      filesIn('docs/decisions', '.md').flatMap(({ path, text }) =>
        [...text.matchAll(/^(\d+)\. /gm)].map(
          ([, point]) => `${/\/(\d{4})-/.exec(path)?.[1]} no. ${point}`,
        ),
      ),
    )
    const wrong = cited().flatMap(({ path, text }) =>
      pointsIn(text)
        .map(({ decision, point }) => `${decision} no. ${point}`)
        .filter((id) => !known.has(id))
        .map((id) => `${path}: ${id}`),
    )
    expect(wrong).toEqual([])
  })

  it('docs/rules.md is up to date', () => {
    expect(readFileSync(join(ROOT, 'docs', 'rules.md'), 'utf8')).toBe(rulesPage())
  })
})

describe('the pages of rules', () => {
  it('number each rule once, in order, and the README names each page', () => {
    const all = rules().map(({ id }) => id)
    expect(all).toEqual([...new Set(all)])
    for (const page of pages()) {
      const numbers = rulesOf(page).map(({ id }) => [id.startsWith('I'), Number(/\d+$/.exec(id))])
      expect(numbers).toEqual(numbers.toSorted(byNumber))
    }
    const readme = readFileSync(join(ROOT, 'docs', 'spec', 'README.md'), 'utf8')
    for (const { path, part } of pages()) {
      expect(readme).toContain(`](${path.replace('docs/spec/', '')}) | \`${part} §`)
    }
    expect(pages().length).toBe(filesIn('docs/spec', '.md').length - 1)
  })

  it('name every setting with the default that it has', () => {
    const told = new Map(
      pages().flatMap(({ text }) => [...rowsOf(text.slice(text.indexOf('\n## Settings\n')))]),
    )
    const said = Object.fromEntries([...told].map(([name, [value]]) => [name, value]))
    const so = Object.entries(DEFAULT_SETTINGS).map(([name, value]) => [name, String(value)])
    expect(said).toMatchObject(Object.fromEntries(so))
  })

  it('name every error with its status', () => {
    const page = pages().find(({ part }) => part === 'contract')
    const said = [...rowsOf(page?.text ?? '')].map(([code, [status]]) => [code, Number(status)])
    expect(Object.fromEntries(said)).toEqual(
      Object.fromEntries(Object.entries(ERRORS).map(([code, { status }]) => [code, status])),
    )
  })

  it('are read as they are written', () => {
    const text =
      '# Locks\n### §1 One `level`\nText, §2.\n\n**Not built:** more.\n### §2 Two\n**Not built.** Text.\n' +
      '```\n### §3 No heading\n```\n## Other\n### I1 None overlap\nText.\n'
    const page: Page = { path: 'docs/spec/locks.md', text, part: 'locks' }
    expect(rulesOf(page)).toMatchObject([
      {
        id: 'locks §1',
        says: 'One `level`',
        anchor: '1-one-level',
        isBuilt: true,
        isPartial: true,
      },
      { id: 'locks §2', says: 'Two', isBuilt: false, isPartial: false },
      {
        id: 'I1',
        says: 'None overlap',
        anchor: 'i1-none-overlap',
        isBuilt: true,
        isPartial: false,
      },
    ])
  })

  it('names of tests are found behind tables, in templates and in stories', () => {
    expect(
      namesIn(
        [
          "it('locks §1: plain', () => {",
          'test(`locks §2: (' + '$' + '{era})`, async () => {',
          "  it.each([['a', f()], ['b', g(h())]])('locks §3: %s', (x) => {",
          'test.skipIf(isSlow())(',
          "  'locks §4: later',",
          "    title: 'locks §5: a story',",
          "    title:\n      'locks §6: a long story',",
        ].join('\n'),
      ).map((name) => rulesIn(name, parts)[0]),
    ).toEqual([1, 2, 3, 4, 5, 6].map((number) => `locks §${number}`))
  })
})

function byNumber(a: unknown[], b: unknown[]): number {
  return Number(a[0]) - Number(b[0]) || Number(a[1]) - Number(b[1])
}

/** All that is read by people, with the page that a bare number is of. */
function cited(): (SourceFile & { usual: string })[] {
  const own = new Map(pages().map(({ path, part }) => [path, part]))
  const texts = [
    ...['src', 'sim', 'test', 'bench', 'bin'].flatMap((folder) => filesIn(folder, '.ts')),
    ...['docs', 'sim', 'bench'].flatMap((folder) => filesIn(folder, '.md')),
    ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'AGENTS.md', 'CHANGELOG.md'].map((path) => ({
      path,
      text: readFileSync(join(ROOT, path), 'utf8'),
    })),
  ]
  return texts
    .filter(({ path }) => !path.startsWith('test/house/') && path !== 'docs/rules.md')
    .map((file) => ({ ...file, usual: own.get(file.path) ?? 'locks' }))
}
