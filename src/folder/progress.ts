import { codeOf, type FileSystem } from '../store/file-system.ts'

/**
 * How far the folder has followed the ledger, as the name of an empty file of ours in each root:
 * `followed.58.2` says that all up to revision 58 is done, and the first two changes of that; the one
 * that is furthest counts. Another name for it is one system call, and stays when the server is killed,
 * as all it did before does.
 *
 * After a crash it says which change may have been under way. Without it, nobody could tell a move that
 * is done, and whose old name has a new file, from one that is not.
 */
export class Progress {
  private readonly fs: FileSystem
  /** The name in each folder of ours. */
  private readonly names = new Map<string, string>()
  private revision = 0
  private done = 0

  constructor(fs: FileSystem) {
    this.fs = fs
  }

  /**
   * Finds it again. What is not of this ledger says nothing: then all that is durable counts as done, and
   * what is not as it should be was left so by somebody outside.
   *
   * @param folders of ours, one in each root
   */
  open(folders: readonly string[], durable: number, isNew: boolean): void {
    for (const folder of folders) {
      for (const { name } of this.fs.list(folder)) {
        const [, revision, done] = /^followed\.(\d+)\.(\d+)$/.exec(name) ?? []
        if (revision === undefined) continue
        if (isNew || Number(revision) > durable) this.fs.remove(`${folder}/${name}`)
        else this.found(folder, name, Number(revision), Number(done))
      }
    }
    if (this.names.size > 0) return
    for (const folder of folders) this.mark(durable, Number.MAX_SAFE_INTEGER, folder)
  }

  private found(folder: string, name: string, revision: number, done: number): void {
    this.names.set(folder, name)
    if (revision < this.revision || (revision === this.revision && done <= this.done)) return
    this.revision = revision
    this.done = done
  }

  /** How many changes of a commit are done. */
  doneOf(revision: number): number {
    if (revision === this.revision) return this.done
    return revision < this.revision ? Number.MAX_SAFE_INTEGER : 0
  }

  /** @param folder of ours, in the root in which something was done */
  mark(revision: number, done: number, folder: string): void {
    const before = this.names.get(folder)
    const name = `followed.${revision}.${done}`
    if (before === undefined) this.make(folder, name)
    else {
      try {
        this.fs.rename(`${folder}/${before}`, `${folder}/${name}`)
      } catch (error) {
        if (codeOf(error) !== 'ENOENT') throw error
        this.make(folder, name)
      }
    }
    this.names.set(folder, name)
    this.revision = revision
    this.done = done
  }

  private make(folder: string, name: string): void {
    this.fs.create(`${folder}/${name}`, new Uint8Array(), 0o600)
  }
}
