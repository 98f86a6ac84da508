import type { Row } from '../call.ts'

/** Arguments that are missing, of another type, or of no tool, for each tool and each argument. */
const RIGHT: Record<string, Record<string, unknown>> = {
  read_file: { path: '@/docs/plan.md', head: 1, tail: 1 },
  read_text_file: { path: '@/docs/plan.md', head: 1, tail: 1 },
  read_media_file: { path: '@/media/pixel.png' },
  read_multiple_files: { paths: ['@/docs/plan.md'] },
  write_file: { path: '@/docs/written.txt', content: 'written\n' },
  edit_file: {
    path: '@/docs/repeated.txt',
    edits: [{ oldText: 'not there', newText: 'x' }],
    dryRun: true,
  },
  create_directory: { path: '@/made' },
  list_directory: { path: '@/made' },
  list_directory_with_sizes: { path: '@/made', sortBy: 'size' },
  directory_tree: { path: '@/made', excludePatterns: ['x'] },
  move_file: { source: '@/missing', destination: '@/elsewhere' },
  search_files: { path: '@/made', pattern: '*', excludePatterns: ['x'] },
  get_file_info: { path: '@/docs' },
  list_allowed_directories: {},
}

const WRONG: unknown[] = [null, 7, '7', true, '', [], {}, ['@/docs/plan.md'], [7], [null]]

const FORMS: Row[] = Object.entries(RIGHT).flatMap(([tool, right]): Row[] => [
  [tool, 'all arguments', right],
  [tool, 'no arguments', {}],
  [tool, 'arguments left out', undefined],
  [tool, 'null for arguments', null],
  [tool, 'text for arguments', 'path'],
  [tool, 'a list for arguments', []],
  [tool, 'an argument more', { ...right, more: 1 }],
  ...Object.keys(right).flatMap((name): Row[] => {
    const { [name]: _, ...others } = right
    return [
      [tool, `without ${name}`, others],
      // Both of these at once are refused, so each is tried alone.
      ...WRONG.map((value): Row => {
        const rest = name === 'head' || name === 'tail' ? { path: right.path } : others
        return [tool, `${name}: ${JSON.stringify(value)}`, { ...rest, [name]: value }]
      }),
    ]
  }),
])

const EDITS: Row[] = [
  [{}],
  [{ oldText: 'one' }],
  [{ newText: 'one' }],
  [{ oldText: 'one', newText: 7 }],
  [{ oldText: null, newText: 'x' }],
  [{ oldText: 'never', newText: 'x', more: 1 }],
  ['one'],
  [['one', 'two']],
  { oldText: 'one', newText: 'two' },
  '[{"oldText":"never","newText":"two"}]',
].map((edits): Row => {
  return ['edit_file', `edits: ${JSON.stringify(edits)}`, { path: '@/docs/dollars.txt', edits }]
})

export const BAD_ARGUMENTS: readonly Row[] = [
  ...FORMS,
  ...EDITS,
  ['list_directory_with_sizes', 'no such order', { path: '@/made', sortBy: 'date' }],
  ['list_directory_with_sizes', 'an order in capitals', { path: '@/made', sortBy: 'SIZE' }],
  ['edit_file', 'a dry run in words', { ...RIGHT.edit_file, dryRun: 'yes' }],
  ['no_such_tool', 'no such tool', {}],
  ['Read_Text_File', 'a tool in capitals', { path: '@/docs/plan.md' }],
]
