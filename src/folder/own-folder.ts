import { dirname } from 'node:path'
import { codeOf, type FileSystem } from '../store/file-system.ts'
import { nameBeside, OWN_FOLDER } from './own-name.ts'

/**
 * The folder of ours in a root: new contents wait in `new/` for their place, what was replaced or
 * deleted has its last name in `held/`. Nothing of it is needed once the server has stopped in order.
 */
export class OwnFolder {
  readonly path: string
  private readonly fs: FileSystem
  private readonly device: bigint
  private number = 0

  constructor(fs: FileSystem, root: string) {
    this.fs = fs
    this.path = `${root}/${OWN_FOLDER}`
    makeFolder(fs, this.path, 0o700)
    for (const name of ['new', 'held']) makeFolder(fs, `${this.path}/${name}`, 0o700)
    const patterns = `${this.path}/.gitignore`
    if (fs.lstat(patterns) === undefined) fs.create(patterns, Buffer.from('*\n'), 0o600)
    this.device = fs.lstat(this.path)?.device ?? 0n
    // What an earlier server still holds keeps its name.
    const numbers = fs.list(`${this.path}/held`).map(({ name }) => Number(name.split('.')[2]) || 0)
    this.number = Math.max(0, ...numbers)
  }

  /** A name that nothing has, from which a file can be renamed to its place. */
  newName(place: string): string {
    return this.name('new', place, this.next())
  }

  /** The second name of what a commit replaces or deletes, by the place of the change in it. */
  heldName(place: string, revision: number, change: number): string {
    return this.name('held', place, `${revision}.${change}.${this.next()}`)
  }

  private next(): string {
    this.number += 1
    return String(this.number)
  }

  /** Where something else is mounted, names beside it serve. */
  private name(kind: 'new' | 'held', place: string, id: string): string {
    const folder = dirname(place)
    const device = this.fs.stat(folder)?.device
    if (device === undefined || device === this.device) return `${this.path}/${kind}/${id}`
    return `${folder}/${nameBeside(kind, id)}`
  }

  /** What was left by a server that was killed. */
  heldBefore(): { held: string; revision: number; change: number }[] {
    return this.fs.list(`${this.path}/held`).map(({ name }) => {
      const [revision, change] = name.split('.')
      return {
        held: `${this.path}/held/${name}`,
        revision: Number(revision),
        change: Number(change),
      }
    })
  }

  async clean(): Promise<void> {
    for (const { name } of this.fs.list(`${this.path}/new`)) {
      await this.fs.removeTree(`${this.path}/new/${name}`)
    }
  }
}

function makeFolder(fs: FileSystem, path: string, mode: number): void {
  try {
    fs.makeFolder(path)
    fs.changeMode(path, mode)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  }
}

/** Makes a folder, and those above it that are missing. */
export function makeFolders(fs: FileSystem, path: string): void {
  if (fs.stat(path)?.kind === 'folder') return
  makeFolders(fs, dirname(path))
  try {
    fs.makeFolder(path)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST' || fs.stat(path)?.kind !== 'folder') throw error
  }
}
