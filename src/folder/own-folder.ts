import { dirname } from 'node:path'
import { codeOf, type FileStat, type FileSystem } from '../store/file-system.ts'
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
  /** Files of ours that nobody else has open: writing to one costs a tenth of making one. */
  private readonly spare: string[] = []
  /** What a new file is like here: whose, and with the user's mask. */
  readonly plain: Pick<FileStat, 'mode' | 'uid' | 'gid'>

  constructor(fs: FileSystem, root: string) {
    this.fs = fs
    this.path = `${root}/${OWN_FOLDER}`
    makeFolder(fs, this.path, 0o700)
    for (const name of ['new', 'held']) makeFolder(fs, `${this.path}/${name}`, 0o700)
    const patterns = `${this.path}/.gitignore`
    if (fs.lstat(patterns) === undefined) fs.create(patterns, Buffer.from('*\n'), 0o600)
    this.device = fs.lstat(this.path)?.device ?? 0n
    // What an earlier server has left keeps its name until it is looked at.
    const left = ['new', 'held'].flatMap((name) => fs.list(`${this.path}/${name}`))
    this.number = Math.max(0, ...left.map(({ name }) => Number(/\d+$/.exec(name)?.[0]) || 0))
    const probe = `${this.path}/new/${this.next()}`
    fs.create(probe, new Uint8Array(), NEW_FILE)
    this.plain = fs.lstat(probe) ?? { mode: NEW_FILE, uid: 0, gid: 0 }
    fs.remove(probe)
  }

  /** A name that nothing has, from which a file can be renamed to its place. */
  newName(place: string, device?: bigint): string {
    return this.name('new', place, this.next(), device)
  }

  /**
   * A new file with this content, on its way to a place.
   * @param device of the folder that it will lie in
   */
  put(place: string, device: bigint, content: Uint8Array): string {
    const { fs } = this
    const spare = device === this.device ? this.spare.pop() : undefined
    const name = spare ?? this.newName(place, device)
    try {
      if (spare === undefined) fs.create(name, content, NEW_FILE)
      else fs.overwrite(name, content)
      return name
    } catch (error) {
      // A disk may have had room for the file and none for what is in it.
      if (fs.lstat(name) !== undefined) fs.remove(name)
      throw error
    }
  }

  /** What was replaced serves again, where nobody else knows it any more. False: it may be known. */
  takeBack(held: string, stat: FileStat): boolean {
    const { rare } = this.fs
    const isPlain = stat.links === 1 && stat.uid === this.plain.uid && stat.gid === this.plain.gid
    const isFit = isPlain && stat.size <= SPARE_BYTES && this.spare.length < SPARE_MOST
    if (rare === undefined || !isFit || stat.device !== this.device) return false
    if (!rare.isAlone(held) || rare.hasAttributes(held)) return false
    if (stat.mode !== this.plain.mode) this.fs.changeMode(held, this.plain.mode)
    // What is new and what is held are told apart after a crash.
    const name = `${this.path}/new/${this.next()}`
    this.fs.rename(held, name)
    this.spare.push(name)
    return true
  }

  /** Nothing is kept for later. */
  close(): void {
    for (const spare of this.spare.splice(0)) {
      try {
        this.fs.remove(spare)
      } catch (error) {
        // With all of the folder: the next start looks at what is left of it.
        if (codeOf(error) !== 'ENOENT') throw error
      }
    }
  }

  /** The second name of what a commit replaces or deletes, by the place of the change in it. */
  heldName(
    place: string,
    device: bigint | undefined,
    of: [revision: number, change: number],
  ): string {
    return this.name('held', place, `${of.join('.')}.${this.next()}`, device)
  }

  private next(): string {
    this.number += 1
    return String(this.number)
  }

  /** Where something else is mounted, names beside it serve. */
  private name(
    kind: 'new' | 'held',
    place: string,
    id: string,
    device = this.fs.stat(dirname(place))?.device,
  ): string {
    if (device === undefined || device === this.device) return `${this.path}/${kind}/${id}`
    return `${dirname(place)}/${nameBeside(kind, id)}`
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

/** Makes a folder, and those above it that are missing, also while somebody removes them. */
export function makeFolders(fs: FileSystem, path: string): void {
  for (let tries = 0; fs.stat(path)?.kind !== 'folder'; tries++) {
    makeFolders(fs, dirname(path))
    try {
      fs.makeFolder(path)
    } catch (error) {
      const code = codeOf(error)
      const isThere = code === 'EEXIST' && fs.stat(path)?.kind === 'folder'
      if (!isThere && (code !== 'ENOENT' || tries >= TRIES)) throw error
    }
  }
}

/** The mode that a program gives a new file, before the user's mask. */
export const NEW_FILE = 0o666
const SPARE_MOST = 64
const SPARE_BYTES = 1024 * 1024
const TRIES = 8
