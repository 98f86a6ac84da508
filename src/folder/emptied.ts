import { codeOf, type FileSystem } from '../store/file-system.ts'

/**
 * A folder that was served before, and is empty now or not there at all: its disk is not mounted,
 * perhaps (folder §9). With the data elsewhere, a start would record all of it as deleted. Our own folder
 * in it says that it is the one.
 */
export function assertNotEmptied(fs: FileSystem, workspace: string, root: string): void {
  if (namesIn(fs, root).length === 0) throw new FolderEmptied(workspace, root)
}

function namesIn(fs: FileSystem, root: string): readonly unknown[] {
  try {
    return fs.list(root)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}

/** Nothing is recorded, and nothing made there. */
export class FolderEmptied extends Error {
  override name = 'FolderEmptied'
  constructor(workspace: string, root: string) {
    super(
      `The folder ${root} of the workspace "${workspace}" is empty or not there, and it was served before: ` +
        'is its disk mounted? Where it is meant to be empty, make a folder .sluice in it, and start again.',
    )
  }
}
