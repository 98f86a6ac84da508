/**
 * The blobs port: contents of more than 64 KiB, by their SHA-256. Content is written once and never
 * changed; what names it decides whether it is visible.
 */
export interface Blobs {
  /** Makes the store ready and removes what interrupted writes left behind. */
  open(): Promise<void>
  /** Streams content in, in constant memory. Resolves when it is on stable storage under its hash.
   * Rejects with `ContentTooLarge` past `limitBytes`, or with the source's or the storage's error;
   * then nothing is stored. Content that is already there is stored once. */
  write(source: AsyncIterable<Uint8Array>, limitBytes: number): Promise<BlobFacts>
  /** Bytes `start` (inclusive) to `end` (exclusive). Throws `BlobMissing` before the first chunk. */
  read(sha256: string, start: number, end: number): AsyncIterable<Uint8Array>
  /** The size in bytes, or undefined when it is not stored. */
  size(sha256: string): Promise<number | undefined>
  /** Deleting what is not there is not an error. */
  delete(sha256: string): Promise<void>
  list(): AsyncIterable<string>
}

export interface BlobFacts {
  /** Lower-case hex. */
  sha256: string
  size: number
}

export class ContentTooLarge extends Error {
  override name = 'ContentTooLarge'
  readonly limitBytes: number
  constructor(limitBytes: number) {
    super(`The content is larger than ${limitBytes} bytes.`)
    this.limitBytes = limitBytes
  }
}

export class BlobMissing extends Error {
  override name = 'BlobMissing'
  readonly sha256: string
  constructor(sha256: string) {
    super(`No content with SHA-256 ${sha256} is stored.`)
    this.sha256 = sha256
  }
}
