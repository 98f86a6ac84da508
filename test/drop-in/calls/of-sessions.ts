import { type Call, callsOf, type Row } from '../call.ts'
import { DEPTH } from '../folder/other.ts'

/** Calls that need a folder or a client of their own: few, and seen from a clean beginning. */
const ROUND: Row[] = [
  ['list_allowed_directories', 'now', {}],
  ...['@', '@/docs', '@/src', '@@/outside', '@@/linked', ''].map((path): Row => {
    return ['list_directory', `of ${path}`, { path }]
  }),
  ...['@/docs/plan.md', '@/src/index.ts', '@@/outside/secret.txt', '@@/linked/docs/plan.md']
    .concat(['docs/plan.md', 'plan.md', 'index.ts', 'secret.txt'])
    .map((path): Row => ['read_text_file', `at ${path}`, { path }]),
]

function roundOf(group: string, more: readonly Row[] = []): Call[] {
  return callsOf(group, [...ROUND, ...more])
}

/** The folder is served by a link to it. */
export const BY_LINK: readonly Call[] = roundOf('by link', [
  ['directory_tree', 'by the name of the link', { path: '@@/linked' }],
  ['search_files', 'by the name of the link', { path: '@@/linked', pattern: '**' }],
  ['search_files', 'by the name of the folder', { path: '@', pattern: '**' }],
  ['write_file', 'by the name of the link', { path: '@@/linked/new.txt', content: 'new\n' }],
  ['read_text_file', 'by the other name', { path: '@/new.txt' }],
  ['write_file', 'by the name of the folder', { path: '@/new.txt', content: 'newer\n' }],
  [
    'edit_file',
    'by the name of the link',
    { path: '@@/linked/new.txt', edits: [{ oldText: 'newer', newText: 'newest' }] },
  ],
  ['create_directory', 'by the name of the link', { path: '@@/linked/made' }],
  ['move_file', 'by both names', { source: '@@/linked/new.txt', destination: '@/made/new.txt' }],
  ['get_file_info', 'by the name of the link', { path: '@@/linked' }],
])

/** Other roots of the client, and what the official server allows from then on. */
export interface RootsStep {
  roots: readonly string[]
  allowed: readonly string[]
}

export const ROOTS_AT_START: RootsStep = { roots: ['file://@/docs'], allowed: ['@/docs'] }

export const CHANGING_ROOTS: readonly (Call | RootsStep)[] = [
  ...roundOf('roots'),
  { roots: ['file://@/src', 'file://@/empty-folder'], allowed: ['@/src', '@/empty-folder'] },
  ...roundOf('two roots'),
  { roots: [], allowed: ['@/src', '@/empty-folder'] },
  ...roundOf('no roots'),
  {
    roots: ['file://@/missing', 'file://@/docs/plan.md'],
    allowed: ['@/src', '@/empty-folder'],
  },
  ...roundOf('roots that are no folders'),
  { roots: ['file://@/docs', 'https://example.com/'], allowed: ['@/src', '@/empty-folder'] },
  ...roundOf('a root that is no file'),
  { roots: ['file://@/missing', 'file://@/to-docs'], allowed: ['@/docs'] },
  ...roundOf('roots by a link'),
  { roots: ['file://@'], allowed: ['@'] },
  ...roundOf('roots as served'),
]

/** Roots beside what is served. */
export const ROOTS_BESIDE: RootsStep = { roots: ['file://@@/outside'], allowed: ['@@/outside'] }

export const BESIDE: readonly Call[] = roundOf('roots beside', [
  ['write_file', 'in roots beside', { path: '@@/outside/new.txt', content: 'new\n' }],
])

const DEEP = `@/deep/${'d/'.repeat(DEPTH)}bottom.txt`

/** Answers that are longer than any should be. */
export const LARGE: readonly Call[] = callsOf('large', [
  ['list_directory', 'of many', { path: '@/wide' }],
  ['list_directory_with_sizes', 'of many', { path: '@/wide' }],
  ['list_directory_with_sizes', 'of many by size', { path: '@/wide', sortBy: 'size' }],
  ['directory_tree', 'of many', { path: '@/wide' }],
  ['directory_tree', 'of few of many', { path: '@/wide', excludePatterns: ['file-0[0-8]*'] }],
  ['search_files', 'for many', { path: '@', pattern: '**/*.txt' }],
  ['search_files', 'for few of many', { path: '@/wide', pattern: '*7.txt' }],
  ['directory_tree', 'of what is deep', { path: '@/deep' }],
  ['search_files', 'for what is deep', { path: '@/deep', pattern: '**/bottom.txt' }],
  ['read_text_file', 'what is deep', { path: DEEP }],
  ['get_file_info', 'of what is deep', { path: DEEP }],
])

/** Longer than a message to the official server may be: it ends. */
export const LONG: readonly Call[] = callsOf('long', [
  ['write_file', '10 MB', { path: '@/ten.txt', content: 'ten megabytes\n'.repeat(748_983) }],
  ['read_text_file', 'after a long message', { path: '@/docs/plan.md' }],
]).map((call) => ({ ...call, mayEnd: true }))

const ODD_NAMES = [
  ...['@/caf\u00e9.txt', '@/cafe\u0301.txt', '@/both/\u00e9', '@/both/e\u0301', '@/case/Readme'],
  ...['@/case/readme', '@/case/README', '@/line\nend.txt', '@/back\\slash.txt', '@/"quoted"'],
  ...['@/percent%2Fslash.txt', '@/blank-at-end ', '@/blank-at-end', '@/ blank-in-front'],
  ...['@/~/home.txt', '~/home.txt', '@/C:/drive.txt', 'C:/drive.txt', '@/con', '@/dot-at-end.'],
  ...['@/...', '...', '"quoted"', '@/bytes-\ufffd\ufffd.txt', '@/plain.txt'],
]

/** Names that are hard to say. */
export const ODD: readonly Call[] = callsOf('odd', [
  ['list_directory', 'of odd names', { path: '@' }],
  ['list_directory', 'of names of two forms', { path: '@/both' }],
  ['list_directory', 'of names of two cases', { path: '@/case' }],
  ['list_directory_with_sizes', 'of odd names', { path: '@' }],
  ['directory_tree', 'of odd names', { path: '@' }],
  ['search_files', 'for odd names', { path: '@', pattern: '**' }],
  ...ODD_NAMES.flatMap((path): Row[] => [
    ['read_text_file', `at ${JSON.stringify(path)}`, { path }],
    ['get_file_info', `at ${JSON.stringify(path)}`, { path }],
  ]),
  ...ODD_NAMES.map((path): Row => ['write_file', `over ${path}`, { path, content: 'written\n' }]),
  ['move_file', 'a decomposed name', { source: '@/caf\u00e9.txt', destination: '@/tea.txt' }],
  ['list_directory', 'of odd names once more', { path: '@' }],
])
