import { type ErrorCode, type Refusal, refuse, SluiceError } from '../contract/errors.ts'
import { codeOf } from '../store/file-system.ts'

/** What the file system says no to, in words that say what to do (folder §9). */
export function diskRefusal(path: string, error: unknown): Refusal | undefined {
  if (error instanceof SluiceError) return error.refusal
  const code = codeOf(error)
  const row = code === undefined ? undefined : REASONS[code]
  if (row === undefined) return undefined
  const [as, said] = row
  return refuse(as, `${path}: ${said} (${code}).`, { path, reason: code })
}

/** The same to be thrown; what is no refusal of the file system is thrown as it is. */
export function refusedByDisk(path: string, error: unknown): unknown {
  if (error instanceof SluiceError) return error
  const refusal = diskRefusal(path, error)
  return refusal === undefined ? error : SluiceError.of(refusal)
}

/** Whether the server may not look there: then nobody can say what is there, or is not. */
export function isShut(error: unknown): boolean {
  const code = codeOf(error)
  return code === 'EACCES' || code === 'EPERM'
}

/** Whether a file went, or became something else, since it was looked at. */
export function isGone(error: unknown): boolean {
  const code = codeOf(error)
  return code === 'ENOENT' || code === 'ELOOP' || code === 'EINVAL'
}

const REASONS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  EACCES: [
    'forbidden',
    'the user that the server runs as has no permission for that there. Change its permissions',
  ],
  EPERM: [
    'forbidden',
    'the file system does not allow that there. Look at its permissions and flags',
  ],
  EROFS: [
    'forbidden',
    'the file system is mounted read-only. Mount it writable, or write elsewhere',
  ],
  ENOSPC: ['server_full', 'the disk of the folder is full. Make room, then do it again'],
  EDQUOT: ['server_full', 'the disk quota of the user is used up. Make room, then do it again'],
  ENAMETOOLONG: ['invalid_path', 'the name is too long for this file system. Choose a shorter one'],
  EISDIR: ['is_folder', 'a folder has that name by now. List it, and choose another name'],
  ENOTDIR: ['not_folder', 'a file stands where a folder would have to. Move it away first'],
  EEXIST: ['already_exists', 'something has that name by now. Look at it first'],
  ENOTEMPTY: [
    'already_exists',
    'a folder that is not empty has that name by now. Look at it first',
  ],
  EXDEV: [
    'unsupported',
    'it lies on another file system than its new place. Copy it, then delete it',
  ],
  EBUSY: ['forbidden', 'the system uses it, as a mount point perhaps. Choose another'],
  ELOOP: ['invalid_path', 'links lead in a circle there. Use the real path'],
  EMFILE: ['server_full', 'the server has too many files open. Try again in a moment'],
  ENFILE: ['server_full', 'the machine has too many files open. Try again in a moment'],
  EINVAL: ['invalid_path', 'the file system refuses that name. Choose another'],
}
