import type { FileSystem } from '../store/file-system.ts'
import { OwnFolder } from './own-folder.ts'

/**
 * Whether names that differ only in case are one name there (folder §2): found by trying, because no
 * system says it for a folder.
 */
export function isPortable(fs: FileSystem, root: string): boolean {
  const own = new OwnFolder(fs, root)
  const probe = `${own.path}/new/CaseProbe`
  try {
    fs.remove(probe)
  } catch {
    // It is not there, as it should be.
  }
  fs.create(probe, new Uint8Array(), 0o600)
  const isFound = fs.lstat(`${own.path}/new/caseprobe`)
  fs.remove(probe)
  return isFound !== undefined
}
