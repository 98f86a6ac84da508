/**
 * The ledger in memory, for tests and simulations. A `MemoryLedgerDisk` is what survives; any number
 * of `MemoryLedger`s may be opened over one, and the one opened last fences the others.
 */

import type { StoredBatch } from '../ledger.ts'
import { type Batch, Fenced, type Ledger, LedgerDamaged, type LedgerHead } from '../ledger.ts'
import {
  chainHash,
  checkContiguous,
  decodeAttachments,
  encodeAttachments,
  follow,
  GENESIS,
  type Link,
  ownsMemory,
  type Row,
  toHex,
} from './chain.ts'

/** All fields are open, so that a simulation can damage what is stored. */
export class MemoryLedgerDisk {
  epoch = 0
  /** The last trimmed batch. */
  floor: Link = GENESIS
  rows: Row[] = []

  get end(): Link {
    const row = this.rows.at(-1)
    return row ? { revision: row.last, hash: row.hash } : this.floor
  }
}

export class MemoryLedger implements Ledger {
  readonly limits = { batchEvents: 2048, batchBytes: 8 * 1024 * 1024 }
  readonly #disk: MemoryLedgerDisk
  #epoch: number | undefined

  constructor(disk = new MemoryLedgerDisk()) {
    this.#disk = disk
  }

  async open(): Promise<LedgerHead> {
    if (this.#epoch !== undefined) throw new Error('The ledger is open already.')
    const disk = this.#disk
    const first = disk.rows[0]
    const last = disk.rows.at(-1)
    if (first && first.first !== disk.floor.revision + 1) {
      throw new LedgerDamaged(disk.floor.revision + 1, `the oldest batch starts at ${first.first}`)
    }
    if (last) follow(this.#linkBefore(disk.rows.length - 1), last)
    disk.epoch += 1
    this.#epoch = disk.epoch
    return { epoch: disk.epoch, revision: disk.end.revision, oldest: disk.floor.revision + 1 }
  }

  async append(epoch: number, after: number, batch: Batch): Promise<void> {
    this.#checkOpen()
    this.#checkEpoch(epoch)
    const disk = this.#disk
    const { first, last } = batch
    checkContiguous(disk.end.revision, after, first, last)
    const attachments = encodeAttachments(batch.attachments)
    const bounded = { first, last, payload: handOver(batch.payload), attachments }
    disk.rows.push({ ...bounded, hash: chainHash(disk.end.hash, bounded) })
  }

  async *read(from: number, to = this.#disk.end.revision): AsyncGenerator<StoredBatch> {
    this.#checkOpen()
    const end = Math.min(to, this.#disk.end.revision)
    let next = Math.max(from, this.#disk.floor.revision + 1)
    while (next <= end) {
      if (next <= this.#disk.floor.revision) {
        throw new Error(`Revision ${next} was trimmed while it was being read.`)
      }
      const index = this.#indexOf(next)
      const row = this.#disk.rows[index]
      if (!row) throw new LedgerDamaged(next, 'the batch is missing')
      next = follow(this.#linkBefore(index), row).revision + 1
      const { first, last, hash } = row
      const attachments = decodeAttachments(row.attachments.slice())
      yield { first, last, payload: row.payload.slice(), attachments, hash: toHex(hash) }
    }
  }

  async trim(before: number): Promise<void> {
    this.#checkOpen()
    const disk = this.#disk
    this.#checkEpoch(this.#epoch!)
    const kept = disk.rows.findIndex((row) => row.last >= before)
    const trimmed = disk.rows.splice(0, kept === -1 ? disk.rows.length : kept).at(-1)
    if (trimmed) disk.floor = { revision: trimmed.last, hash: trimmed.hash }
  }

  async close(): Promise<void> {
    this.#epoch = undefined
  }

  /** The first row that ends at `revision` or later. */
  #indexOf(revision: number): number {
    let low = 0
    let high = this.#disk.rows.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#disk.rows[middle]!.last < revision) low = middle + 1
      else high = middle
    }
    return low
  }

  #linkBefore(index: number): Link {
    const row = this.#disk.rows[index - 1]
    return row ? { revision: row.last, hash: row.hash } : this.#disk.floor
  }

  #checkOpen(): void {
    if (this.#epoch === undefined) throw new Error('The ledger is not open.')
  }

  #checkEpoch(epoch: number): void {
    if (epoch === this.#disk.epoch) return
    throw new Fenced(`The ledger stands at epoch ${this.#disk.epoch}, not ${epoch}.`)
  }
}

/** As in the SQLite ledger, a payload that fills its memory is empty for the caller afterwards, so
 * that code which goes on using it fails here too. */
function handOver(payload: Uint8Array): Uint8Array {
  return ownsMemory(payload) ? new Uint8Array(payload.buffer.transfer()) : new Uint8Array(payload)
}
