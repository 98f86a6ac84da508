import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { VERSION } from '../../src/contract/version.ts'
import { PLACES } from '../fixtures/toy/places.ts'
import { filesIn, headingsIn, ROOT, type SourceFile } from './source.ts'

const code = (): SourceFile[] =>
  ['src', 'test', 'bench', 'sim'].flatMap((folder) => filesIn(folder, '.ts'))
const prose = (): SourceFile[] => [
  ...['docs', 'sim', 'bench'].flatMap((folder) => filesIn(folder, '.md')),
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'AGENTS.md', 'CHANGELOG.md'].map((path) => ({
    path,
    text: readFileSync(join(ROOT, path), 'utf8'),
  })),
]

describe('style', () => {
  it('files are of one concept: at most 500 lines', () => {
    const long = code().filter((file) => file.text.split('\n').length > 501)
    expect(long.map((file) => file.path)).toEqual([])
  })

  it('file names are kebab-case and say what is in them', () => {
    const vague = /(^|\/)(utils?|helpers?|common|manager|misc)(\.|\/|$)/
    const odd = code().filter(({ path }) => vague.test(path) || !/^[a-z0-9/.-]+\.ts$/.test(path))
    expect(odd.map((file) => file.path)).toEqual([])
  })

  it('no test is switched off or left alone', () => {
    const marked = code().filter(({ text }) =>
      /\b(?:it|test|describe)\.(?:only|todo)\b|\bx(?:it|describe)\(/.test(text),
    )
    expect(marked.map((file) => file.path)).toEqual([])
  })

  it('the root stays readable: at most 22 entries', () => {
    const left = ['.git', 'node_modules', 'dist', 'data']
    const entries = readdirSync(ROOT).filter((name) => !left.includes(name))
    expect(entries.length).toBeLessThanOrEqual(22)
  })
})

describe('documents', () => {
  it('links lead somewhere', () => {
    const dead: string[] = []
    for (const file of prose()) {
      for (const [, target] of file.text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
        const to = target as string
        if (/^[a-z]+:/.test(to)) continue
        if (!existsSync(join(ROOT, file.path, '..', to))) dead.push(`${file.path} → ${to}`)
      }
    }
    expect(dead).toEqual([])
  })

  it('links to a heading find it', () => {
    const dead: string[] = []
    for (const file of prose()) {
      for (const [, target = '', anchor] of file.text.matchAll(
        /\]\(([^)#\s]*\.md|)#([^)\s]+)\)/g,
      )) {
        const to = target === '' ? file.path : join(file.path, '..', target)
        const headings = headingsIn(readFileSync(join(ROOT, to), 'utf8'))
        if (!headings.some((one) => one.anchor === anchor)) {
          dead.push(`${file.path} → ${target}#${anchor}`)
        }
      }
    }
    expect(dead).toEqual([])
  })

  it('files that documents name exist', () => {
    const missing: string[] = []
    for (const file of prose()) {
      for (const [, path] of file.text.matchAll(
        /`((?:src|test|bench|bin|docs)\/[\w./-]+\.\w+)`/g,
      )) {
        const isToy = PLACES.some(({ file }) => file === path)
        if (!isToy && !existsSync(join(ROOT, path as string)))
          missing.push(`${file.path} names ${path}`)
      }
    }
    expect(missing).toEqual([])
  })

  it('the release has one number', () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      version: string
    }
    expect(version).toBe(VERSION)
    expect(readFileSync(join(ROOT, 'CHANGELOG.md'), 'utf8')).toContain(`## ${VERSION}`)
  })
})
