/** Contents in memory, for tests and simulations. A `MemoryBlobsDisk` is what survives. */
import { createHash } from 'node:crypto'
import { type BlobFacts, BlobMissing, type Blobs, ContentTooLarge } from '../blobs.ts'

const READ_CHUNK_BYTES = 128 * 1024

export class MemoryBlobsDisk {
  readonly contents = new Map<string, Uint8Array>()
}

export class MemoryBlobs implements Blobs {
  readonly #disk: MemoryBlobsDisk

  constructor(disk = new MemoryBlobsDisk()) {
    this.#disk = disk
  }

  async open(): Promise<void> {}

  async write(source: AsyncIterable<Uint8Array>, limitBytes: number): Promise<BlobFacts> {
    const chunks: Uint8Array[] = []
    let size = 0
    for await (const chunk of source) {
      size += chunk.length
      if (size > limitBytes) throw new ContentTooLarge(limitBytes)
      // The source may use its memory again.
      chunks.push(new Uint8Array(chunk))
    }
    const content = new Uint8Array(Buffer.concat(chunks, size))
    const sha256 = createHash('sha256').update(content).digest('hex')
    this.#disk.contents.set(sha256, content)
    return { sha256, size }
  }

  async *read(sha256: string, start: number, end: number): AsyncGenerator<Uint8Array> {
    const content = this.#disk.contents.get(sha256)
    if (!content) throw new BlobMissing(sha256)
    const stop = Math.min(end, content.length)
    for (let position = start; position < stop; position += READ_CHUNK_BYTES) {
      yield content.slice(position, Math.min(position + READ_CHUNK_BYTES, stop))
    }
  }

  async size(sha256: string): Promise<number | undefined> {
    return this.#disk.contents.get(sha256)?.length
  }

  async delete(sha256: string): Promise<void> {
    this.#disk.contents.delete(sha256)
  }

  async *list(): AsyncGenerator<string> {
    // A copy, because what is deleted or written meanwhile must not disturb the walk.
    yield* [...this.#disk.contents.keys()].sort()
  }
}
