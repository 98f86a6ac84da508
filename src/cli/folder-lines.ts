import type { Output } from '../contract/operations.ts'

export type FolderReport = NonNullable<Output<'get_workspace'>['folder']>

/** How a folder is kept in step, as names and values. */
export function folderFacts({ roots, scan, watching }: FolderReport): [string, string][] {
  return [
    ...roots.map((root): [string, string] => ['folder', root]),
    ['tracked', trackedText(scan)],
    ['watched', watchedText(watching)],
  ]
}

export function trackedText({
  done,
  files,
  folders,
  untracked,
  unnamed,
}: FolderReport['scan']): string {
  const found = `${count(files, 'file')} in ${count(folders, 'folder')}`
  const left = [
    ...(untracked > 0 ? [`${count(untracked, 'entry', 'entries')} ignored`] : []),
    ...(unnamed > 0 ? [`${count(unnamed, 'name')} that no path can have`] : []),
  ].join(', ')
  return `${found}${left === '' ? '' : `; ${left}`}${done ? '' : ' so far: the scan goes on'}`
}

export function watchedText({ folders, fault }: FolderReport['watching']): string {
  return fault === undefined ? count(folders, 'folder') : `no: ${fault}`
}

function count(number: number, one: string, more = `${one}s`): string {
  return `${number.toLocaleString('en')} ${number === 1 ? one : more}`
}
