import { basename, dirname } from 'node:path'
import { fail } from '../contract/errors.ts'
import { childPath, isWithin } from '../contract/path.ts'
import type { FileStat, FileSystem } from '../store/file-system.ts'
import { refusedByDisk } from './disk-refusal.ts'
import { isBeside, OWN_FOLDER } from './own-name.ts'

/**
 * Where the paths of a workspace lie on the disk (folder §2). With one root, paths of the workspace
 * start in it; with several they are the absolute ones. Links are followed: a path becomes that of the
 * real place, and what leads out of the roots is refused.
 */
export class Roots {
  /** Real paths. */
  readonly paths: readonly string[]
  private readonly fs: FileSystem
  /** Of one root: names it was given by, besides its own. */
  private readonly aliases: readonly string[]
  private readonly base: string

  /** @param given existing folders, absolute; none within another */
  constructor(fs: FileSystem, given: readonly string[]) {
    this.fs = fs
    this.paths = given.map((path) => fs.realPath(path) ?? path)
    this.aliases = given.filter((path) => !this.paths.includes(path))
    this.base = this.paths.length === 1 ? (this.paths[0] as string) : ''
  }

  /** Where a path of the workspace lies on the disk. */
  diskPath(path: string): string {
    return path === '/' && this.base !== '' ? this.base : `${this.base}${path}`
  }

  /** The path in the workspace of what lies there; undefined outside of the roots. */
  pathOf(disk: string): string | undefined {
    const root = this.paths.find((one) => isWithin(one, disk))
    if (root === undefined) return undefined
    return this.base === '' ? disk : disk.slice(this.base.length) || '/'
  }

  /** The root that a path of the workspace lies in; undefined where it leads out of them. */
  rootOf(path: string): string | undefined {
    if (this.base !== '') return this.base
    return this.paths.find((one) => isWithin(one, path))
  }

  /** The roots as paths of the workspace: where it begins. */
  get tops(): readonly string[] {
    return this.base === '' ? this.paths : ['/']
  }

  /**
   * The path of the workspace that a caller means: from its root, or absolute. Links as they are. What
   * starts like a path of this machine, and like none of the folder, is one of the machine.
   *
   * @param hasTop whether the folder is known to have that name at its top
   */
  meant(given: string, hasTop: (name: string) => boolean): string {
    for (const root of [...this.paths, ...this.aliases]) {
      if (!isWithin(root, given)) continue
      const real = this.aliases.includes(root) ? (this.fs.realPath(root) ?? root) : root
      const within = given.slice(root.length)
      return this.base === '' ? `${real}${within}` : within || '/'
    }
    if (given.includes('\ufffd')) {
      fail(
        'invalid_path',
        `${given} has a sign in it that stands for one that could not be read.`,
        {
          path: given,
        },
      )
    }
    const [, top = ''] = given.split('/', 2)
    if (this.base === '' || (top !== '' && !hasTop(top) && this.isOfMachine(top)))
      this.refuse(given)
    return given
  }

  private isOfMachine(top: string): boolean {
    return (
      this.fs.lstat(`${this.base}/${top}`) === undefined && this.fs.lstat(`/${top}`) !== undefined
    )
  }

  /**
   * The real place of a path, which may not be there yet, and what is there. Throws the refusal where it leads out, or to
   * what is Sluice's own.
   */
  place(path: string): { path: string; stat: FileStat | undefined } {
    const { real, stat } = this.realPlace(this.diskPath(path), path)
    const found = this.pathOf(real)
    if (found === undefined) this.refuse(path)
    if (isOwn(found, this.tops)) {
      fail('invalid_path', `${path} is where Sluice keeps its own data, and is not served.`, {
        path,
      })
    }
    return { path: found, stat }
  }

  private realPlace(disk: string, path: string): Place {
    try {
      return this.followed(disk, path)
    } catch (error) {
      throw refusedByDisk(path, error)
    }
  }

  private followed(disk: string, path: string): Place {
    if (this.paths.includes(disk)) return this.looked(disk)
    const folder = this.realFolder(dirname(disk))
    const place = childPath(folder, basename(disk))
    const stat = this.fs.lstat(place)
    if (stat === undefined) {
      const other = this.otherForm(folder, basename(disk))
      return other === undefined ? { real: place, stat } : this.looked(other)
    }
    if (stat.kind === 'other') {
      fail(
        'forbidden',
        `${path} is a pipe, a socket or a device: it is listed, and never opened.`,
        {
          path,
        },
      )
    }
    if (stat.kind !== 'link') return { real: place, stat }
    const target = this.fs.realPath(place)
    if (target !== undefined) return this.looked(target)
    return fail('not_found', `${path} is a link that leads to nothing.`, { path })
  }

  private looked(real: string): Place {
    return { real, stat: this.fs.lstat(real) }
  }

  /** The real path of a folder as far as it is there, and the names that are missing. */
  private realFolder(disk: string): string {
    const real = this.fs.realPath(disk)
    if (real !== undefined || disk === '/') return real ?? disk
    const above = this.realFolder(dirname(disk))
    const name = this.otherForm(above, basename(disk))
    return name ?? childPath(above, basename(disk))
  }

  /** The same name in another composition, as macOS and old archives write it. */
  private otherForm(folder: string, name: string): string | undefined {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
    if (/^[\x00-\x7f]*$/.test(name) || this.fs.stat(folder)?.kind !== 'folder') return undefined
    const wanted = name.normalize('NFC')
    const found = this.fs.list(folder).find((one) => one.name.normalize('NFC') === wanted)
    return found === undefined ? undefined : `${folder}/${found.name}`
  }

  private refuse(path: string): never {
    return fail(
      'forbidden',
      `Access denied - path outside allowed directories: ${path} not in ${this.paths.join(', ')}. Name a ` +
        'path in there, from its root or absolute.',
      { path },
    )
  }
}

interface Place {
  real: string
  /** Undefined: nothing is there. */
  stat: FileStat | undefined
}

function isOwn(path: string, tops: readonly string[]): boolean {
  if (path.split('/').some(isBeside)) return true
  return tops.some((top) => isWithin(childPath(top, OWN_FOLDER), path))
}
