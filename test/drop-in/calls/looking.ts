import type { Row } from '../call.ts'

/** Lists, trees, searches and facts of what is there. */
const FOLDERS = [
  ...[
    '@',
    '@/docs',
    '@/many',
    '@/unicode',
    '@/empty-folder',
    '@/.hidden',
    '@/deep',
    '@/media',
    'docs',
  ],
  ...['.', '', '@/docs/', '@/docs/../many', '@/docs/plan.md', '@/missing', '/', '../outside'],
]

const LISTS: Row[] = FOLDERS.flatMap((path): Row[] => [
  ['list_directory', `of ${path}`, { path }],
  ['list_directory_with_sizes', `of ${path}`, { path }],
  ['list_directory_with_sizes', `of ${path} by size`, { path, sortBy: 'size' }],
  ['list_directory_with_sizes', `of ${path} by name`, { path, sortBy: 'name' }],
])

const TREES: Row[] = [
  ...['@', '@/docs', '@/deep', '@/empty-folder', '@/src', 'src', '.', '', '@/src/', '@/missing'],
  ...['@/docs/plan.md', '../outside', '@/src/../docs', './src', 'src/../docs'],
].map((path): Row => ['directory_tree', `of ${JSON.stringify(path)}`, { path }])

const EXCLUDED: Row[] = [
  [],
  ['node_modules'],
  ['lib'],
  ['lib/deep'],
  ['*.md'],
  ['**/*.ts'],
  ['**/deep/**'],
  ['.cache'],
  ['README.md', 'index.ts'],
  ['*'],
  ['**'],
  ['src'],
  ['l?b'],
  ['{lib,node_modules}'],
  ['[li]ib'],
  ['!lib'],
  [''],
  ['lib/'],
  ['./lib'],
  ['LIB'],
  ['package.json'],
  ['lib/*'],
  ['*/deep'],
  ['**/?.ts'],
].map((patterns): Row => {
  return [
    'directory_tree',
    `without ${patterns.join(' ')}`,
    { path: '@/src', excludePatterns: patterns },
  ]
})

const PATTERNS = [
  ...['*', '**', '**/*', '*.ts', '**/*.ts', '**/*.{ts,js}', '*.md', 'src', 'src/**', '**/src/**'],
  ...['**/index*', '**/*.test.ts', '**/[ab].*', '**/?.js', '**/.*', '.*', '**/.cache/**', 'docs/*'],
  ...['*/plan.md', '**/plan.md', 'plan.md', './docs/*', 'docs', 'docs/', '/docs/*', '@/docs/*', ''],
  ...['!docs/**', '!**/*', '#hash.txt', '**/#hash.txt', '**/\\*star\\*.txt', '**/*[*]*', '**/*漢*'],
  ...[
    '**/\\[brackets\\].txt',
    '**/+(plan|notes).*',
    '**/@(plan|notes).*',
    '**/!(plan).md',
    '**/?*',
  ],
  ...['**/{a,b}.{ts,js}', '{docs,src}/*', '**/level-1*/**', '**/*.MD', '[', '{', '(', '**/**/**'],
  ...[
    'docs/**/plan.md',
    '*/*/*',
    'many/entry-{00..09}',
    '**/entry-[0-9]3',
    '..',
    '../**',
    '.',
    '***',
  ],
  ...['deep/**/bottom.txt', 'links/*', 'links/**', '\u{1f600}.md', '**/\u{1f600}*', '**/* *'],
  ...[
    'unicode/????',
    '**/?????',
    'unicode/[^a-z]*',
    '**/[[:upper:]]*',
    '**/*.{MD,md}',
    '**/wide*.txt',
  ],
]

const SEARCHES: Row[] = [
  ...PATTERNS.map((pattern): Row => {
    return ['search_files', `for ${pattern}`, { path: '@', pattern }]
  }),
  ['search_files', 'in a folder', { path: '@/src', pattern: '**/*.ts' }],
  ['search_files', 'in a folder by a relative path', { path: 'src', pattern: '*' }],
  ['search_files', 'in a file', { path: '@/docs/plan.md', pattern: '*' }],
  ['search_files', 'in what is missing', { path: '@/missing', pattern: '*' }],
  ['search_files', 'outside', { path: '../outside', pattern: '*' }],
  ['search_files', 'in an empty folder', { path: '@/empty-folder', pattern: '**' }],
  ...[['lib/**'], ['**/node_modules/**'], ['node_modules'], ['**/*.ts', '**/*.js'], ['**'], ['*']]
    .concat([['lib'], ['!lib'], [''], ['{lib,node_modules}/**'], ['**/.*'], ['./lib']])
    .map((patterns): Row => {
      return [
        'search_files',
        `without ${patterns.join(' ')}`,
        { path: '@/src', pattern: '**', excludePatterns: patterns },
      ]
    }),
]

const FACTS: Row[] = [
  ...['@', '@/docs', '@/docs/plan.md', '@/docs/empty', '@/large/text.txt', '@/modes/run.sh', '.'],
  ...['@/modes/private.txt', '@/modes/read-only.txt', '@/modes/group.txt', '@/modes/shut', ''],
  ...['@/modes/shared', '@/empty-folder', '@/missing', 'docs/plan.md', '@/docs/plan.md/x'],
  ...['@/unicode/ünï 漢字.txt', '../outside/secret.txt', '/', '@/.hidden/.env', '@/docs/plan.md/'],
].map((path): Row => ['get_file_info', `of ${path}`, { path }])

export const LOOKING: readonly Row[] = [
  ['list_allowed_directories', 'without arguments', {}],
  ...LISTS,
  ...TREES,
  ...EXCLUDED,
  ...SEARCHES,
  ...FACTS,
]
