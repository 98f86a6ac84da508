import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Chance } from '../../sim/chance.ts'
import { block } from './content.ts'

/** Files that all write to, in nested folders. Those at the front are written most. */
export const SHARED: readonly string[] = [
  '/src/main.ts',
  '/src/engine/run.ts',
  '/README.md',
  '/src/engine/plan.ts',
  '/src/store/rows.ts',
  '/docs/guide.md',
  '/src/store/deep/down/page.ts',
  '/src/face/http.ts',
  '/src/face/mcp.ts',
  '/test/run.test.ts',
  '/test/plan.test.ts',
  '/docs/rules/first.md',
  '/docs/rules/second.md',
  '/src/store/deep/index.ts',
  '/package.json',
  '/test/fixtures/one.json',
  '/test/fixtures/two.json',
  '/src/face/words.ts',
  '/docs/rules/deep/third.md',
  '/notes.txt',
]

/** Folders that are removed with all in them, and restored. */
export const REMOVED: readonly string[] = [
  '/src/store',
  '/docs/rules',
  '/test/fixtures',
  '/src/face',
]

/** What the build makes: ignored by git. */
export const BUILT: readonly string[] = ['/dist/main.js', '/dist/chunk/a.js', '/dist/chunk/b.js']

/** A file that is likely to be one of the first. */
export function pickShared(chance: Chance): string {
  return SHARED[Math.floor(chance.next() ** 2.2 * SHARED.length)] as string
}

/** Mostly small; up to 200 KB. */
export function pickSize(chance: Chance): number {
  const [least, most] = chance.weighted(SIZES).between
  return Math.round(chance.between(least, most))
}

const SIZES = [
  { weight: 75, between: [300, 3000] },
  { weight: 21, between: [3000, 30_000] },
  { weight: 4, between: [60_000, 200_000] },
] as const

/** A git repository with one commit of all shared files. */
export function makeTree(root: string, chance: Chance): void {
  for (const [index, path] of SHARED.entries()) {
    const place = join(root, path)
    mkdirSync(dirname(place), { recursive: true })
    writeFileSync(place, block(`first.${index}`, path, pickSize(chance)))
  }
  writeFileSync(join(root, '.gitignore'), 'dist/\n')
  git(root, 'init', '-q', '-b', 'main')
  git(root, 'config', 'user.email', 'tester@localhost')
  git(root, 'config', 'user.name', 'tester')
  git(root, 'config', 'gc.auto', '0')
  git(root, 'add', '.')
  git(root, 'commit', '-qm', 'first')
}

function git(root: string, ...words: string[]): void {
  execFileSync('git', words, { cwd: root, stdio: 'pipe' })
}
