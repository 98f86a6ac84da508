/**
 * The SQLite file of a ledger, used from the ledger's worker thread only.
 *
 * Owns: the one connection and the chain's end.
 *
 *  1. One connection, exclusive from the first access: SQLite then needs no shared memory file, a
 *     second process is refused at once, and the epoch need not be read again for each append.
 *  2. An append is one INSERT that commits by itself: one write to the log, one sync.
 *  3. After a failed append the file takes no more of them until it is opened again. A sync that
 *     failed says nothing about what reached the disk; only reading it again does.
 *  4. Opening is one transaction: a ledger that is refused is left as it was, epoch and all.
 *  5. `floor` is the last trimmed batch. The chain of what is stored starts from it, so that rows
 *     missing at the front are noticed as well.
 *
 * `last_revision` and `hash` stand before the payload, which may spill over many pages: looking up
 * a link then reads one page.
 */
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { Fenced, LedgerBusy, LedgerDamaged, LedgerFull, type LedgerHead } from '../ledger.ts'
import { chainHash, checkContiguous, follow, GENESIS, type Link, type Row } from './chain.ts'
import type { Page } from './sqlite-message.ts'

const FORMAT = 1
const PAGE_BATCHES = 64
const PAGE_BYTES = 4 * 1024 * 1024
const TRIM_BATCHES = 1000
/** How many batches at the end are checked at open; the others are checked when they are read. */
const CHECKED_AT_OPEN = 8
const SQLITE_BUSY = 5
const SQLITE_CORRUPT = 11
const SQLITE_FULL = 13
const SQLITE_NOT_A_DATABASE = 26

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS meta (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    format INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    floor_revision INTEGER NOT NULL,
    floor_hash BLOB NOT NULL
  );
  CREATE TABLE IF NOT EXISTS batch (
    first_revision INTEGER PRIMARY KEY,
    last_revision INTEGER NOT NULL,
    hash BLOB NOT NULL,
    payload BLOB NOT NULL,
    attachments BLOB NOT NULL
  );
`

export class LedgerFile {
  #database: DatabaseSync
  #insert: StatementSync
  #rowsAfter: StatementSync
  #linksUpTo: StatementSync
  #epoch: number
  #floor: Link
  #end: Link
  #failure: Error | undefined

  /** Throws `LedgerBusy` and `LedgerDamaged`. */
  constructor(file: string) {
    this.#database = new DatabaseSync(file, { timeout: 0 })
    try {
      lock(this.#database)
      this.#database.exec('BEGIN IMMEDIATE')
      const { epoch, floor } = readMeta(this.#database)
      this.#epoch = epoch + 1
      this.#floor = floor
      this.#insert = this.#database.prepare('INSERT INTO batch VALUES (?, ?, ?, ?, ?)')
      this.#rowsAfter = this.#database.prepare(
        `SELECT first_revision AS first, last_revision AS last, hash, payload, attachments
         FROM batch WHERE first_revision > ? ORDER BY first_revision`,
      )
      this.#linksUpTo = this.#database.prepare(
        `SELECT last_revision AS revision, hash
         FROM batch WHERE first_revision <= ? ORDER BY first_revision DESC LIMIT 2`,
      )
      this.#end = this.#checkedEnd()
      this.#database.prepare('UPDATE meta SET epoch = ?').run(this.#epoch)
      this.#database.exec('COMMIT')
    } catch (error) {
      this.#database.close()
      throw named(error, 0)
    }
  }

  get head(): LedgerHead {
    const { revision } = this.#end
    return { epoch: this.#epoch, revision, oldest: this.#floor.revision + 1 }
  }

  /** Throws `Fenced`, `RangeError` when the batch does not continue the ledger, or SQLite's error. */
  append(epoch: number, after: number, batch: Omit<Row, 'hash'>): void {
    if (this.#failure) throw this.#failure
    if (epoch !== this.#epoch) {
      throw new Fenced(`The ledger stands at epoch ${this.#epoch}, not ${epoch}.`)
    }
    checkContiguous(this.#end.revision, after, batch.first, batch.last)
    const hash = chainHash(this.#end.hash, batch)
    try {
      this.#insert.run(batch.first, batch.last, hash, batch.payload, batch.attachments)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      const message = `The ledger could not be written: ${reason}.`
      // SQLite rolls back by itself what it has no room for; of other failures only reading tells.
      if (codeOf(error) === SQLITE_FULL) throw new LedgerFull(message)
      this.#failure = new Error(message)
      throw this.#failure
    }
    this.#end = { revision: batch.last, hash }
  }

  /** Checked batches from the one that holds `from`, as many as a page takes and at least one.
   * Throws `LedgerDamaged`. `resumed` pages must not have a gap to the one before. */
  page(from: number, to: number, resumed: boolean): Page {
    if (resumed && from <= this.#floor.revision) {
      throw new Error(`Revision ${from} was trimmed while it was being read.`)
    }
    const end = Math.min(to, this.#end.revision)
    const rows: Row[] = []
    if (from > end) return { rows, to: end, next: undefined }
    let sizeBytes = 0
    for (const row of this.#walk(from, end)) {
      rows.push(row)
      sizeBytes += row.payload.length + row.attachments.length
      if (rows.length === PAGE_BATCHES || sizeBytes >= PAGE_BYTES) {
        return { rows, to: end, next: row.last < end ? row.last + 1 : undefined }
      }
    }
    return { rows, to: end, next: undefined }
  }

  /** Forgets some of the oldest batches that end before `before`; true when there may be more. */
  trim(before: number): boolean {
    const last = this.#database
      .prepare(
        `SELECT first_revision AS first, last_revision AS revision, hash FROM (
           SELECT first_revision, last_revision, hash FROM batch
           WHERE first_revision < ? ORDER BY first_revision LIMIT ?
         ) WHERE last_revision < ? ORDER BY first_revision DESC LIMIT 1`,
      )
      .get(before, TRIM_BATCHES, before) as unknown as (Link & { first: number }) | undefined
    if (!last) return false
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      this.#database.prepare('DELETE FROM batch WHERE first_revision <= ?').run(last.first)
      this.#database
        .prepare('UPDATE meta SET floor_revision = ?, floor_hash = ?')
        .run(last.revision, last.hash)
      this.#database.exec('COMMIT')
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
    this.#floor = { revision: last.revision, hash: last.hash }
    return true
  }

  close(): void {
    this.#database.close()
  }

  *#walk(from: number, end: number): Generator<Row> {
    let link = this.#linkBefore(from)
    try {
      for (const found of this.#rowsAfter.iterate(link.revision)) {
        const row = found as unknown as Row
        if (row.first > end) break
        link = follow(link, row)
        yield row
        if (link.revision >= end) return
      }
    } catch (error) {
      throw named(error, link.revision + 1)
    }
    if (link.revision < end) throw new LedgerDamaged(link.revision + 1, 'the batch is missing')
  }

  /** Where the chain stands before the batch that holds `from`. */
  #linkBefore(from: number): Link {
    const [nearest, second] = this.#linksUpTo.all(from) as unknown as Link[]
    if (!nearest) return this.#floor
    return nearest.revision < from ? nearest : (second ?? this.#floor)
  }

  #checkedEnd(): Link {
    const bounds = this.#database
      .prepare('SELECT min(first_revision) AS first FROM batch')
      .get() as unknown as { first: number | null }
    if (bounds.first === null) return this.#floor
    if (bounds.first !== this.#floor.revision + 1) {
      throw new LedgerDamaged(
        this.#floor.revision + 1,
        `the oldest batch starts at ${bounds.first}`,
      )
    }
    const tail = this.#database
      .prepare(
        `SELECT first_revision AS first, last_revision AS revision, hash
         FROM batch ORDER BY first_revision DESC LIMIT ?`,
      )
      .all(CHECKED_AT_OPEN) as unknown as (Link & { first: number })[]
    const end = tail[0]!
    for (const _ of this.#walk(tail.at(-1)!.first, end.revision));
    return { revision: end.revision, hash: end.hash }
  }
}

/** The first access takes the lock for as long as the connection lives. */
function lock(database: DatabaseSync): void {
  database.exec('PRAGMA locking_mode = EXCLUSIVE')
  database.exec('PRAGMA journal_mode = WAL')
  database.exec('PRAGMA synchronous = FULL')
  if (process.platform === 'darwin') {
    // A plain fsync on macOS leaves the data in the drive's cache.
    database.exec('PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON')
  }
}

function readMeta(database: DatabaseSync): { epoch: number; floor: Link } {
  database.exec(SCHEMA)
  database
    .prepare('INSERT OR IGNORE INTO meta VALUES (1, ?, 0, ?, ?)')
    .run(FORMAT, GENESIS.revision, GENESIS.hash)
  const { format, epoch, revision, hash } = database
    .prepare('SELECT format, epoch, floor_revision AS revision, floor_hash AS hash FROM meta')
    .get() as unknown as Link & { format: number; epoch: number }
  if (format !== FORMAT) {
    throw new Error(`The ledger has format ${format}; this release reads format ${FORMAT}.`)
  }
  return { epoch, floor: { revision, hash } }
}

/** SQLite's error in the port's terms. `revision` is where the reading had come to. */
function named(error: unknown, revision: number): unknown {
  if (!(error instanceof Error)) return error
  const code = codeOf(error)
  if (code === SQLITE_FULL) return new LedgerFull(error.message)
  if (code === SQLITE_BUSY) return new LedgerBusy('Another process has this ledger open.')
  if (code === SQLITE_CORRUPT || code === SQLITE_NOT_A_DATABASE) {
    return new LedgerDamaged(revision, error.message)
  }
  return error
}

/** SQLite's primary code: the low byte; the rest is detail. */
function codeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined
  return Number(error.errcode) & 0xff
}
