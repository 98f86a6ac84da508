/**
 * Contents as files: `root/ab/cdef…` by SHA-256, and `root/staging` for what is still coming in.
 *
 *  1. A file has its final name only when it is whole and synced; so what has one can be trusted.
 *  2. `write` resolves when the name is synced too.
 *  3. Only the owner of the data folder may open the store: `open` empties the staging folder.
 */
import { createHash, randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, opendir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type BlobFacts, BlobMissing, type Blobs, ContentTooLarge } from '../blobs.ts'

const READ_CHUNK_BYTES = 128 * 1024
const SHA256 = /^[0-9a-f]{64}$/

export class DiskBlobs implements Blobs {
  readonly #root: string
  readonly #staging: string

  /** `root` is created at open when it is missing. */
  constructor(root: string) {
    this.#root = root
    this.#staging = join(root, 'staging')
  }

  async open(): Promise<void> {
    await rm(this.#staging, { recursive: true, force: true })
    await mkdir(this.#staging, { recursive: true })
    for (const prefix of prefixes()) await mkdir(join(this.#root, prefix), { recursive: true })
    await syncFolder(this.#root)
    await syncFolder(dirname(this.#root))
  }

  async write(source: AsyncIterable<Uint8Array>, limitBytes: number): Promise<BlobFacts> {
    const staged = join(this.#staging, randomUUID())
    try {
      const handle = await open(staged, 'wx')
      try {
        const facts = await copy(source, handle, limitBytes)
        // The same content may be there; then its sync is all that is needed.
        if ((await this.size(facts.sha256)) === facts.size) {
          await syncFolder(dirname(this.#path(facts.sha256)))
          return facts
        }
        await handle.sync()
        await handle.close()
        await this.#publish(staged, facts)
        return facts
      } finally {
        await handle.close()
      }
    } finally {
      await rm(staged, { force: true })
    }
  }

  async *read(sha256: string, start: number, end: number): AsyncGenerator<Uint8Array> {
    const handle = await this.#openFile(sha256)
    try {
      let position = start
      while (position < end) {
        // New memory for each chunk, because the reader may keep it.
        const chunk = new Uint8Array(Math.min(READ_CHUNK_BYTES, end - position))
        const { bytesRead } = await handle.read(chunk, 0, chunk.length, position)
        if (bytesRead === 0) return
        position += bytesRead
        yield chunk.subarray(0, bytesRead)
      }
    } finally {
      await handle.close()
    }
  }

  async size(sha256: string): Promise<number | undefined> {
    if (!SHA256.test(sha256)) return undefined
    try {
      return (await stat(this.#path(sha256))).size
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  async delete(sha256: string): Promise<void> {
    if (SHA256.test(sha256)) await rm(this.#path(sha256), { force: true })
  }

  async *list(): AsyncGenerator<string> {
    for (const prefix of prefixes()) {
      for await (const { name } of await opendir(join(this.#root, prefix))) {
        if (SHA256.test(prefix + name)) yield prefix + name
      }
    }
  }

  async #publish(staged: string, { sha256, size }: BlobFacts): Promise<void> {
    const path = this.#path(sha256)
    try {
      await rename(staged, path)
    } catch (error) {
      // Windows refuses to replace a file that is being read: another writer was first.
      if ((await this.size(sha256)) !== size) throw error
    }
    await syncFolder(dirname(path))
  }

  async #openFile(sha256: string): Promise<FileHandle> {
    if (!SHA256.test(sha256)) throw new BlobMissing(sha256)
    try {
      return await open(this.#path(sha256), constants.O_RDONLY)
    } catch (error) {
      throw isMissing(error) ? new BlobMissing(sha256) : error
    }
  }

  #path(sha256: string): string {
    return join(this.#root, sha256.slice(0, 2), sha256.slice(2))
  }
}

/** Writes one chunk before it asks for the next, so that a fast source waits for the disk. */
async function copy(
  source: AsyncIterable<Uint8Array>,
  handle: FileHandle,
  limitBytes: number,
): Promise<BlobFacts> {
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of source) {
    size += chunk.length
    if (size > limitBytes) throw new ContentTooLarge(limitBytes)
    hash.update(chunk)
    let written = 0
    while (written < chunk.length) {
      written += (await handle.write(chunk, written, chunk.length - written)).bytesWritten
    }
  }
  return { sha256: hash.digest('hex'), size }
}

function* prefixes(): Generator<string> {
  for (let prefix = 0; prefix < 256; prefix++) yield prefix.toString(16).padStart(2, '0')
}

/** Makes names in a folder durable. Windows cannot sync a folder and keeps names in its journal. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, constants.O_RDONLY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
