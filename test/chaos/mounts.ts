import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Real file systems of a test's own, in a folder of its own; only root on Linux may mount them. */
export class Mounts {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-mounts-')))
  private readonly mounted: string[] = []

  /** Why there can be none here; said once. */
  static readonly skipped = whyNot()

  path(name: string): string {
    return join(this.folder, name)
  }

  make(name: string): string {
    const path = this.path(name)
    mkdirSync(path, { recursive: true })
    return path
  }

  /** In memory, and gone with its last mount. */
  small(path: string, megabytes: number): void {
    this.mount(['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs'], path)
  }

  /**
   * A disk in a file, that keeps what it has.
   * @param madeAt seconds since 1970: all disks that are mounted one after the other are one device
   */
  image(name: string, megabytes: number, madeAt: number): string {
    const image = this.path(name)
    run('truncate', '-s', `${megabytes}M`, image)
    run('env', `E2FSPROGS_FAKE_TIME=${madeAt}`, 'mkfs.ext4', '-q', '-F', image)
    return image
  }

  attach(image: string, path: string): void {
    this.mount(['-o', 'loop', image], path)
  }

  private mount(options: readonly string[], path: string): void {
    run('mount', ...options, path)
    this.mounted.push(path)
  }

  remount(path: string, mode: 'ro' | 'rw'): void {
    run('mount', '-o', `remount,${mode}`, path)
  }

  /** Fails while somebody has something open there, unless it is to be torn out. */
  detach(path: string, { isTorn = false } = {}): void {
    run('umount', ...(isTorn ? ['-l'] : []), path)
    this.mounted.splice(this.mounted.lastIndexOf(path), 1)
  }

  end(): void {
    for (const path of this.mounted.splice(0).reverse()) run('umount', '-l', path)
    rmSync(this.folder, { recursive: true, force: true })
  }
}

function run(command: string, ...args: string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
}

function whyNot(): string | undefined {
  if (process.platform !== 'linux') return `no tmpfs on ${process.platform}`
  if (process.getuid?.() !== 0) return 'mounting needs root'
  const folder = mkdtempSync(join(tmpdir(), 'sluice-mounts-'))
  try {
    run('mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder)
    run('umount', folder)
    return undefined
  } catch (error) {
    return `mount is not possible here: ${(error as Error).message.trim()}`
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
