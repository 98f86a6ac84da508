import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A real file system of a few megabytes; only root on Linux may make one. */
export interface SmallDisk {
  folder: string
  remove(): Promise<void>
}

/** The disk, or why there can be none here. */
export async function mountSmallDisk(megabytes: number): Promise<SmallDisk | { skip: string }> {
  if (process.platform !== 'linux') return { skip: `no tmpfs on ${process.platform}` }
  if (process.getuid?.() !== 0) return { skip: 'mounting a small disk needs root' }
  const folder = await mkdtemp(join(tmpdir(), 'sluice-small-disk-'))
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder])
  } catch (error) {
    await rm(folder, { recursive: true })
    return { skip: `mount is not possible here: ${(error as Error).message.trim()}` }
  }
  return {
    folder,
    async remove() {
      await run('umount', ['-l', folder])
      await rm(folder, { recursive: true })
    },
  }
}
