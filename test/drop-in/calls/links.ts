import type { Row } from '../call.ts'

/** Links that stay in the folder, lead out of it, or lead nowhere. */
const LINKS = [
  ...['to-file', 'to-folder', 'absolute', 'chain', 'up', 'here', 'loop', 'dangling', 'out-file'],
  ...['out-absolute', 'out-folder', 'out-dangling'],
].map((name) => `@/links/${name}`)

const BELOW = [
  ...['to-folder/plan.md', 'to-folder/crlf.txt', 'up/docs/plan.md', 'here/target.txt'],
  ...['here/here/up/links/to-file', 'out-folder/secret.txt', 'out-folder/folder/more.txt'],
  ...['out-folder/missing', 'dangling/x', 'loop/x', 'to-file/x', 'to-folder/../target.txt'],
].map((name) => `@/links/${name}`)

const LOOKED_AT: Row[] = LINKS.flatMap((path): Row[] => [
  ['read_text_file', `at ${path}`, { path }],
  ['read_media_file', `at ${path}`, { path }],
  ['get_file_info', `at ${path}`, { path }],
  ['list_directory', `at ${path}`, { path }],
  ['list_directory_with_sizes', `at ${path}`, { path, sortBy: 'size' }],
  ['directory_tree', `at ${path}`, { path, excludePatterns: ['links'] }],
  ['search_files', `at ${path}`, { path, pattern: '*' }],
])

const ALL: Row[] = [
  ['list_directory', 'of links', { path: '@/links' }],
  ['list_directory_with_sizes', 'of links', { path: '@/links' }],
  ['directory_tree', 'of links', { path: '@/links' }],
  ['search_files', 'for links', { path: '@/links', pattern: '**' }],
  ['read_multiple_files', 'by links', { paths: [...LINKS, ...BELOW] }],
  ...BELOW.flatMap((path): Row[] => [
    ['read_text_file', `below a link, ${path}`, { path }],
    ['get_file_info', `below a link, ${path}`, { path }],
  ]),
]

const CHANGED: Row[] = [
  ['write_file', 'through a link that was read', { path: '@/links/to-file', content: 'through\n' }],
  ['read_text_file', 'what a link leads to', { path: '@/links/target.txt' }],
  ['edit_file', 'through a link', edit('@/links/to-file', 'through', 'edited')],
  ['edit_file', 'through a link of a link', edit('@/links/chain', 'edited', 'once more')],
  ['edit_file', 'through a link, as a dry run', edit('@/links/chain', 'once', 'twice', true)],
  ['edit_file', 'in a folder behind a link', edit('@/links/to-folder/blanks.txt', 'End', 'end')],
  ['edit_file', 'through a link out', edit('@/links/out-file', 'secret', 'told')],
  ['write_file', 'a new file behind a link', { path: '@/links/to-folder/new.txt', content: 'x\n' }],
  ['write_file', 'a new file behind a link out', { path: '@/links/out-folder/x', content: 'x' }],
  ['write_file', 'over what a link out leads to', { path: '@/links/out-file', content: 'x' }],
  ['write_file', 'where a link leads nowhere', { path: '@/links/dangling', content: 'x' }],
  [
    'write_file',
    'where a link leads nowhere outside',
    { path: '@/links/out-dangling', content: 'x' },
  ],
  ['write_file', 'through a link in a circle', { path: '@/links/loop', content: 'x' }],
  ['create_directory', 'behind a link', { path: '@/links/to-folder/made/behind' }],
  ['create_directory', 'where a link to a folder is', { path: '@/links/to-folder' }],
  ['create_directory', 'where a link to a file is', { path: '@/links/to-file' }],
  ['create_directory', 'behind a link out', { path: '@/links/out-folder/made' }],
  ['create_directory', 'where a link leads nowhere', { path: '@/links/dangling' }],
  ['create_directory', 'where a link leads out', { path: '@/links/out-dangling' }],
  ...[
    ['onto a link', '@/docs/plan.md', '@/links/to-file'],
    ['onto a link that leads nowhere', '@/docs/plan.md', '@/links/dangling'],
    ['behind a link', '@/docs/new.txt', '@/links/to-folder/newer.txt'],
    ['behind a link out', '@/docs/plan.md', '@/links/out-folder/plan.md'],
    ['from behind a link', '@/links/to-folder/newer.txt', '@/links/from-behind.txt'],
    ['from behind a link out', '@/links/out-folder/secret.txt', '@/links/secret.txt'],
    ['a link that leads out', '@/links/out-file', '@/links/out-2'],
    ['a link that leads nowhere', '@/links/dangling', '@/links/dangling-2'],
    ['a link in a circle', '@/links/loop', '@/links/loop-2'],
    ['a link to a file', '@/links/absolute', '@/links/moved-link'],
    ['a folder of links', '@/links', '@/moved-links'],
  ].map(([title, source, destination]): Row => {
    return ['move_file', title as string, { source, destination }]
  }),
  ['list_directory', 'of links that were moved', { path: '@/moved-links' }],
  ['read_text_file', 'a link that was moved', { path: '@/moved-links/to-file' }],
]

function edit(path: string, oldText: string, newText: string, dryRun?: boolean): unknown {
  return { path, edits: [{ oldText, newText }], ...(dryRun === undefined ? {} : { dryRun }) }
}

export const LINKED: readonly Row[] = [...LOOKED_AT, ...ALL, ...CHANGED]
