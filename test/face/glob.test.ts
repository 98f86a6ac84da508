import { createRequire } from 'node:module'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileGlob } from '../../src/face/mcp/glob.ts'

/** The matcher that the official filesystem server itself uses. */
const official = createRequire(
  new URL(
    '../../node_modules/@modelcontextprotocol/server-filesystem/dist/lib.js',
    import.meta.url,
  ),
)
const { minimatch } = official('minimatch') as {
  minimatch: (path: string, pattern: string, options: { dot: boolean }) => boolean
}

function expectSame(path: string, pattern: string): void {
  const wanted = minimatch(path, pattern, { dot: true })
  expect(compileGlob(pattern).matches(path), `${pattern} on ${path}`).toBe(wanted)
}

test('files §20: globs mean what they mean to the official filesystem server', () => {
  const paths = [
    'a',
    'a.ts',
    '.env',
    'a/b.ts',
    'a/.b/c.ts',
    'src/deep/er/x.test.ts',
    'x{y}',
    'a/b/a/b',
  ]
  const patterns = [
    '*',
    '**',
    '*.ts',
    '**/*.ts',
    '**/*.test.ts',
    'a/**',
    'a/*',
    '?',
    '?.ts',
    '[ab].ts',
    '[!a]*',
    '[a-c]/*.ts',
    '*.{ts,env}',
    '{a,src}/**',
    'src/**/x*',
    '**/.b/**',
    '.*',
    '!*.ts',
    '#a',
    '',
    'a/**/b',
    '**/a/**/b',
    'x\\{y\\}',
    'x{y}',
    '{a,b',
    'a.{t{s,x},js}',
    '/a',
    '[',
    '[]',
    '***',
    'a**',
    '**a/b.ts',
    '*/**',
    '**/**',
    '{a',
    '{}',
    '{,a}',
    'a/',
  ]
  for (const path of paths) for (const pattern of patterns) expectSame(path, pattern)
})

test('files §20: a glob may start with "./", which the official server takes literally', () => {
  expect(compileGlob('./*.ts').matches('a.ts')).toBe(true)
})

test('files §20: random globs agree with the official matcher', () => {
  const character = fc.constantFrom('a', 'b', '.')
  const name = fc
    .string({ unit: character, minLength: 1, maxLength: 4 })
    .filter((one) => !/^\.{1,2}$/.test(one))
  const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'))
  const piece = fc.oneof(
    { weight: 4, arbitrary: character },
    fc.constantFrom('*', '?', '[ab]', '[!b]', '{a,b.}', '{,a}'),
  )
  const segment = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.array(piece, { minLength: 1, maxLength: 4 }).map((all) => all.join('')),
    },
    fc.constant('**'),
  )
  const pattern = fc
    .array(segment, { minLength: 1, maxLength: 4 })
    .map((segments) => segments.join('/'))
    .filter((one) => !/(^|\/)[.{},a]*\.[.{},a]*(\/|$)/.test(one))
  fc.assert(fc.property(path, pattern, expectSame), { numRuns: 3000 })
})

test('files §20: a hostile glob takes no longer than its length', () => {
  const glob = compileGlob(`${'*a'.repeat(60)}b`).matches
  expect(glob('a'.repeat(255))).toBe(false)
  expect(compileGlob('{a,b}'.repeat(30)).matches('a'.repeat(30))).toBe(false)
  expect(compileGlob(`${'**/'.repeat(40)}x`).matches(`${'a/'.repeat(60)}b`)).toBe(false)
})

test('D3: many stars on a deep path take time in proportion, not to its square', () => {
  const glob = compileGlob(`${'**/a/'.repeat(60)}x`)
  const deep = 'a/'.repeat(2000)
  for (let depth = 0; depth < 200; depth++) expect(glob.matches(`${deep}b${depth}`)).toBe(false)
  expect(compileGlob('**/**/**').matches(deep.slice(0, -1))).toBe(true)
})

test('D3: what a glob says of all below a folder holds for every path there', () => {
  const name = fc.constantFrom('a', 'b', '.c', 'a.ts')
  const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'))
  const segment = fc.constantFrom('*', '**', 'a', 'b', '*.ts', '?', '[ab]', '{a,b}')
  const pattern = fc
    .tuple(fc.constantFrom('', '', '', '!', '/'), fc.array(segment, { minLength: 1, maxLength: 4 }))
    .map(([front, segments]) => front + segments.join('/'))
  fc.assert(
    fc.property(pattern, path, path, (pattern, folder, below) => {
      const glob = compileGlob(pattern)
      const isMatch = glob.matches(`${folder}/${below}`)
      if (isMatch) expect(glob.mayMatchBelow(folder)).toBe(true)
      if (!glob.coversBelow(folder)) return
      // A folder that is taken takes along what is in it.
      const [first = ''] = below.split('/')
      expect(isMatch || glob.matches(`${folder}/${first}`)).toBe(true)
    }),
    { numRuns: 3000 },
  )
})
