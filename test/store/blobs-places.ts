/** Where the blobs' contract suite finds each adapter. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DiskBlobs } from '../../src/store/blobs/disk.ts'
import { MemoryBlobs, MemoryBlobsDisk } from '../../src/store/blobs/memory.ts'
import type { BlobsAdapter } from './blobs.ts'

export const memoryBlobs: BlobsAdapter = {
  name: 'memory',
  stages: false,
  async place() {
    const disk = new MemoryBlobsDisk()
    return { blobs: () => new MemoryBlobs(disk), remove: async () => {} }
  },
}

export const diskBlobs: BlobsAdapter = {
  name: 'disk',
  stages: true,
  async place() {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-blobs-'))
    const root = join(folder, 'data', 'blobs')
    const staging = join(root, 'staging')
    return {
      blobs: () => new DiskBlobs(root),
      staged: () => readdir(staging),
      interrupt: () => writeFile(join(staging, 'left-behind'), 'half of something'),
      remove: () => rm(folder, { recursive: true }),
    }
  },
}
