import { createRequire } from 'node:module'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileGlob, compileGlobs } from '../../src/face/mcp/glob.ts'

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
  expect(compileGlob(`${'**/'.repeat(40)}x`).matches(`${'a/'.repeat(60)}b`)).toBe(false)
})

/** Patterns of at most the length that is taken, of all the kinds that make other matchers go back. */
const HOSTILE = [
  '*a'.repeat(500),
  '?*'.repeat(500),
  `${'**/*/'.repeat(200)}**/c`,
  `${'**/*a*/'.repeat(140)}**/b`,
  `${'{**/a,a/**/a,*/**/a}/'.repeat(5)}${'**/a/'.repeat(150)}**/[bc]/**/*`,
  `${'*(a'.repeat(32)}b${')'.repeat(32)}*`,
  `${'+(a|aa|'.repeat(32)}b${')'.repeat(32)}`,
  `${'!(*a'.repeat(32)}${')'.repeat(32)}b*`,
  '*!(*a*)'.repeat(32),
  '*!(*!(*a*)*)'.repeat(16),
  '@(a|ab|*)'.repeat(32),
  '[!b]*'.repeat(200),
  `{${',a*'.repeat(250)}}`,
  `${'{a,'.repeat(32)}b${'}'.repeat(32)}`,
  '{1..99}{1..9}',
  '[{1..1000000}]',
  '{'.repeat(1000),
  '['.repeat(1000),
  '!'.repeat(1000),
  '\\'.repeat(1000),
]
/** As long and as deep as paths may be. */
const LONG = [
  'a'.repeat(255),
  `${'a/'.repeat(2047)}a`,
  `${'ab'.repeat(127)}/`.repeat(16).slice(0, 4095),
  '{'.repeat(255),
]

test('files §20: whatever a glob is, it is refused or takes its turn in time', () => {
  for (const pattern of HOSTILE) {
    const spent = leastMs(() => {
      try {
        const glob = compileGlob(pattern)
        for (const path of LONG) glob.matches(path)
        for (const path of LONG) glob.mayMatchBelow(path)
        for (const path of LONG) glob.coversBelow(path)
      } catch (error) {
        expect(error, pattern).toMatchObject({ code: 'invalid_request' })
      }
    })
    // A matcher that goes back needs minutes, or years.
    expect(spent, pattern.slice(0, 60)).toBeLessThan(200)
  }
})

/** Of some tries, in the CPU time of this process: others run here too. */
function leastMs(deed: () => void): number {
  const tries = [1, 2, 3].map(() => {
    const before = process.cpuUsage()
    deed()
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1000
  })
  return Math.min(...tries)
}

test('files §20: a glob that could take too long is refused with what to do instead', () => {
  const refusals: [() => unknown, RegExp][] = [
    [() => compileGlob('a'.repeat(64 * 1024)), /65536 characters is too long; it may have 1024/],
    [() => compileGlob('{a,b}'.repeat(30)), /more than 256 alternatives/],
    [() => compileGlob('{'.repeat(64)), /too many braces; it may have 32/],
    [() => compileGlob(`${'*(a'.repeat(200)}${')'.repeat(200)}`), /too many groups such as/],
    [() => compileGlob(`${'{**/a,b}/'.repeat(8)}**/*x`), /too many wildcards/],
    [
      () => compileGlobs(Array.from({ length: 20 }, () => 'a'.repeat(1000))),
      /together they may have/,
    ],
    [() => compileGlobs(Array.from({ length: 400 }, () => '**/*a*/**')), /parts/],
  ]
  for (const [deed, words] of refusals) {
    expect(deed).toThrow(words)
    expect(deed).toThrow(/fewer or simpler patterns/)
  }
})

test('files §20: classes, ranges and extended globs are those of the official matcher', () => {
  const paths = ['a.ts', 'b.tsx', 'c', 'dir/a.ts', 'é', '7', 'x-y', ']', 'a]', 'file12', '!a', 'ab']
  const patterns = [
    '+([ab]).ts',
    '@(a|b).@(ts|tsx)',
    '!(a).ts*',
    '?(dir/)a.ts',
    '*.!(tsx)',
    '[[:alpha:]]',
    '[[:digit:]]',
    '[!]]',
    '[]]',
    '[]a]*',
    '[a-',
    '[z-a]',
    'file{1..20}',
    'file{01..20}',
    '{a..c}*',
    '\\!a',
    'dir/**/!(b).ts',
    '!(dir)/**',
  ]
  for (const path of paths) for (const pattern of patterns) expectSame(path, pattern)
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
