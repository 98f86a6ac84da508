/**
 * The chain that makes a ledger tamper-evident, and the stored form of attachments. Every adapter
 * stores and checks batches with these functions, so that a ledger can move between adapters.
 *
 * The hash covers the revisions and the payload's size too. Without them the bounds of two
 * neighbouring batches, or the border between payload and attachments, could be moved unnoticed.
 */
import { createHash } from 'node:crypto'
import { type Attachment, LedgerDamaged } from '../ledger.ts'

const SHA256_BYTES = 32
const LENGTH_BYTES = 4

/** A batch as it lies in storage. */
export interface Row {
  first: number
  last: number
  payload: Uint8Array
  /** See `encodeAttachments`. */
  attachments: Uint8Array
  hash: Uint8Array
}

/** Where the chain stands after a batch. */
export interface Link {
  revision: number
  hash: Uint8Array
}

/** Where the chain of every ledger starts. */
export const GENESIS: Link = { revision: 0, hash: new Uint8Array(SHA256_BYTES) }

/** SHA-256(previous hash ‖ first ‖ last ‖ payload size ‖ payload ‖ attachments); the three numbers
 * are unsigned 64-bit, big-endian. */
export function chainHash(previous: Uint8Array, row: Omit<Row, 'hash'>): Uint8Array {
  const bounds = new DataView(new ArrayBuffer(24))
  bounds.setBigUint64(0, BigInt(row.first))
  bounds.setBigUint64(8, BigInt(row.last))
  bounds.setBigUint64(16, BigInt(row.payload.length))
  return createHash('sha256')
    .update(previous)
    .update(bounds)
    .update(row.payload)
    .update(row.attachments)
    .digest()
}

/** The link after `row`. Throws `LedgerDamaged` when the row does not continue `link`. */
export function follow(link: Link, row: Row): Link {
  const expected = link.revision + 1
  if (row.first > expected) {
    throw new LedgerDamaged(expected, `the next stored batch starts at revision ${row.first}`)
  }
  if (row.first < expected || row.last < row.first) {
    throw new LedgerDamaged(row.first, `a batch spans revisions ${row.first} to ${row.last}`)
  }
  if (!sameBytes(chainHash(link.hash, row), row.hash)) {
    throw new LedgerDamaged(row.first, 'the hash of the batch does not match what it holds')
  }
  return { revision: row.last, hash: row.hash }
}

/** Throws unless the batch continues a ledger that stands at `head`. */
export function checkContiguous(head: number, after: number, first: number, last: number): void {
  if (after === head && first === after + 1 && last >= first) return
  throw new RangeError(
    `Revisions ${first} to ${last} after ${after} do not continue a ledger that stands at ${head}.`,
  )
}

/** Each attachment as its hash (32 bytes), its size (unsigned 32-bit, big-endian) and its bytes.
 * The result owns its memory. */
export function encodeAttachments(attachments: readonly Attachment[]): Uint8Array<ArrayBuffer> {
  // Most batches have none, and each microsecond here is the engine's.
  if (attachments.length === 0) return new Uint8Array(0)
  let sizeBytes = 0
  for (const { bytes } of attachments) sizeBytes += SHA256_BYTES + LENGTH_BYTES + bytes.length
  const encoded = new Uint8Array(sizeBytes)
  const buffer = Buffer.from(encoded.buffer)
  let offset = 0
  for (const { sha256, bytes } of attachments) {
    if (buffer.write(sha256, offset, SHA256_BYTES, 'hex') !== SHA256_BYTES) {
      throw new TypeError(`"${sha256}" is not a SHA-256 in hex.`)
    }
    offset = buffer.writeUInt32BE(bytes.length, offset + SHA256_BYTES)
    encoded.set(bytes, offset)
    offset += bytes.length
  }
  return encoded
}

/** The inverse of `encodeAttachments`; the bytes are views of `encoded`. */
export function decodeAttachments(encoded: Uint8Array): Attachment[] {
  const attachments: Attachment[] = []
  const view = new DataView(encoded.buffer, encoded.byteOffset, encoded.byteLength)
  let offset = 0
  while (offset < encoded.length) {
    const sha256 = toHex(encoded.subarray(offset, offset + SHA256_BYTES))
    const start = offset + SHA256_BYTES + LENGTH_BYTES
    offset = start + view.getUint32(offset + SHA256_BYTES)
    attachments.push({ sha256, bytes: encoded.subarray(start, offset) })
  }
  return attachments
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

/** True when nothing else can lie in the memory behind `bytes`, so that it can be handed over. */
export function ownsMemory(bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
