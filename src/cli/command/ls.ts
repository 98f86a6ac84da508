import type { Output } from '../../contract/operations.ts'
import { operationCommand } from '../operation-command.ts'
import type { Column, Screen } from '../screen.ts'
import { sizeText, timeText } from '../text.ts'

type Folder = Extract<Output<'get_entry'>, { kind: 'folder' }>
type Entry = Folder['entries'][number]

export const ls = operationCommand({
  operation: 'get_entry',
  summary: 'List a folder, or show the facts of a file.',
  arguments: '[path]',
  async complete(input) {
    return { ...input, path: (input.path as string | undefined) ?? '/' }
  },
  print(answer, screen) {
    if (answer.kind === 'file') return printFile(answer, screen)
    const prefix = answer.path === '/' ? 1 : answer.path.length + 1
    if (answer.entries.length === 0) return screen.line('Empty.')
    screen.table(columnsFor(prefix), answer.entries)
    if (answer.cursor !== undefined) screen.line(`There is more: --cursor '${answer.cursor}'`)
  },
})

function columnsFor(prefix: number): readonly Column<Entry>[] {
  return [
    {
      title: 'VERSION',
      cell: (one) => fileText(one, (file) => String(file.version)),
      align: 'right',
    },
    { title: 'SIZE', cell: (one) => fileText(one, (file) => sizeText(file.size)), align: 'right' },
    { title: 'CHANGED', cell: (one) => fileText(one, (file) => timeText(file.modified_at)) },
    { title: 'BY', cell: (one) => fileText(one, (file) => file.modified_by.agent) },
    { title: 'LOCKED BY', cell: ({ lock }) => (lock === undefined ? '' : lock.agent) },
    {
      title: 'NAME',
      cell: ({ path, kind }) => path.slice(prefix) + (kind === 'folder' ? '/' : ''),
    },
  ]
}

function fileText(entry: Entry, text: (file: Extract<Entry, { kind: 'file' }>) => string): string {
  return entry.kind === 'file' ? text(entry) : ''
}

function printFile(file: Extract<Output<'get_entry'>, { kind: 'file' }>, screen: Screen): void {
  const { path, version, size, sha256, created_at, modified_at, modified_by, lock } = file
  screen.facts([
    ['path', path],
    ['version', String(version)],
    ['size', `${size} bytes`],
    ...(sha256 === undefined ? [] : [['sha256', sha256] as const]),
    ['created', timeText(created_at)],
    ['changed', `${timeText(modified_at)} by ${modified_by.session}`],
    ...(lock === undefined
      ? []
      : [['locked', `${lock.level}, ${lock.lock} of ${lock.session}`] as const]),
  ])
}
