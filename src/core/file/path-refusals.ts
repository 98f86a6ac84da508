import { type Refusal, refuse } from '../../contract/errors.ts'
import { optional } from '../../contract/optional.ts'
import type { FileEntry, FolderEntry } from './entry.ts'
import type { ResolvedPath } from './resolve-path.ts'

/** What stands in the way of a change at a path, or does not stand there. */

export function notAFile(place: ResolvedPath, path: string): Refusal | undefined {
  if (place.fileInTheWay !== undefined) {
    return refuse('not_folder', `${place.fileInTheWay} is a file, so nothing can lie in it.`, {
      path: place.fileInTheWay,
    })
  }
  if (place.clash !== undefined) {
    return refuse(
      'already_exists',
      `${place.clash} is there, and names that differ only in case are one name here. Use that name.`,
      { path, existing: place.clash },
    )
  }
  if (place.entry?.kind === 'folder') {
    return refuse('is_folder', `${path} is a folder.`, { path })
  }
  return undefined
}

export function alreadyThere(path: string, entry: FileEntry | FolderEntry): Refusal {
  const version = entry.kind === 'file' ? entry.version : undefined
  return refuse(
    'already_exists',
    `${path} is there already (${entry.kind}${version === undefined ? '' : `, version ${version}`}). ` +
      'Choose another name, or read it and write with its version.',
    { path, ...optional('current', version) },
  )
}

export function nothingThere(path: string): Refusal {
  return refuse('not_found', `There is nothing at ${path}. List its folder to see what is there.`, {
    path,
  })
}
