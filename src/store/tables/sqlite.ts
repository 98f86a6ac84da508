/**
 * The tables in one SQLite file, on the calling thread: a point read costs about 3 µs.
 *
 *  1. One connection, exclusive from the first access.
 *  2. `synchronous = NORMAL`: a power loss may take the last writes, each of them whole and with its
 *     revision, and the fold goes on from there.
 *  3. Small values lie in the key's own tree (WITHOUT ROWID), so that a range is one walk. Large ones
 *     would make that tree deep; they lie in row order, with the keys in an index.
 *  4. A file of another format is emptied where it can be built again from the ledger; else refused.
 *  5. `sync` copies the log into the file: SQLite syncs the one before and the other after that.
 */
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { type Change, type Row, TABLES, type TableName, type Tables } from '../tables.ts'
import { checkKey, decodeValue, encodeValue } from './value.ts'

const FORMAT = 1
const NAMES = Object.keys(TABLES) as TableName[]

interface Statements {
  get: StatementSync
  range: StatementSync
  put: StatementSync
  delete: StatementSync
}

interface Opened {
  database: DatabaseSync
  tables: Record<TableName, Statements>
  setRevision: StatementSync
}

export class SqliteTables implements Tables {
  readonly #file: string
  #opened: Opened | undefined

  /** `file` is created at open, with its folder, when it is missing. */
  constructor(file: string) {
    this.#file = file
  }

  /** Throws with what to do when the file is damaged, and when another process has it open. */
  open(isCache: boolean): number {
    if (this.#opened) throw new Error('The tables are open already.')
    mkdirSync(dirname(this.#file), { recursive: true })
    const database = new DatabaseSync(this.#file, { timeout: 0 })
    try {
      prepareFile(database, isCache)
      const tables = Object.fromEntries(NAMES.map((name) => [name, statements(database, name)]))
      this.#opened = {
        database,
        tables: tables as Record<TableName, Statements>,
        setRevision: database.prepare('UPDATE meta SET revision = ?'),
      }
      return (database.prepare('SELECT revision FROM meta').get() as { revision: number }).revision
    } catch (cause) {
      database.close()
      this.#opened = undefined
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new Error(
        `The tables in ${this.#file} cannot be opened: ${reason}. If no other process has them open, ` +
          (isCache
            ? 'the file may be deleted; it is built again from the ledger.'
            : 'restore the data folder from a backup: the ledger does not have all of it any more.'),
        { cause },
      )
    }
  }

  get(table: TableName, key: string): unknown {
    const row = this.#use().tables[table].get.get(key) as unknown as [Uint8Array] | undefined
    return row && decodeValue(row[0])
  }

  range(table: TableName, from: string, to: string, limit: number): Row[] {
    // SQLite takes whole numbers only, and `Infinity` is none.
    const most = Math.min(limit, Number.MAX_SAFE_INTEGER)
    const rows = this.#use().tables[table].range.all(from, to, most) as unknown as [
      string,
      Uint8Array,
    ][]
    return rows.map(([key, value]) => [key, decodeValue(value)])
  }

  write(changes: readonly Change[], revision: number): void {
    const { database, tables, setRevision } = this.#use()
    database.exec('BEGIN')
    try {
      for (const { table, key, value } of changes) {
        checkKey(key)
        if (value === undefined) tables[table].delete.run(key)
        else tables[table].put.run(key, encodeValue(value))
      }
      setRevision.run(revision)
      database.exec('COMMIT')
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK')
      throw error
    }
  }

  sync(): void {
    const { database } = this.#use()
    const { busy } = database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() as { busy: number }
    if (busy !== 0) throw new Error(`The tables in ${this.#file} could not be synced.`)
  }

  close(): void {
    this.#opened?.database.close()
    this.#opened = undefined
  }

  #use(): Opened {
    if (!this.#opened) throw new Error('The tables are not open.')
    return this.#opened
  }
}

function prepareFile(database: DatabaseSync, isCache: boolean): void {
  database.exec('PRAGMA locking_mode = EXCLUSIVE')
  database.exec('PRAGMA journal_mode = WAL')
  database.exec('PRAGMA synchronous = NORMAL')
  const { user_version: format } = database.prepare('PRAGMA user_version').get() as {
    user_version: number
  }
  if (format === FORMAT) {
    // One that came with a later release.
    for (const name of NAMES) database.exec(definition(name))
    return
  }
  if (!isCache) throw new Error(`they have format ${format}, and this release reads ${FORMAT}`)
  database.exec('BEGIN IMMEDIATE')
  for (const name of [...NAMES, 'meta']) database.exec(`DROP TABLE IF EXISTS ${name}`)
  for (const name of NAMES) database.exec(definition(name))
  database.exec('CREATE TABLE meta (revision INTEGER NOT NULL)')
  database.exec('INSERT INTO meta VALUES (0)')
  database.exec(`PRAGMA user_version = ${FORMAT}`)
  database.exec('COMMIT')
}

function definition(name: TableName): string {
  return TABLES[name] === 'small'
    ? `CREATE TABLE IF NOT EXISTS ${name} (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID`
    : `CREATE TABLE IF NOT EXISTS ${name} (key TEXT NOT NULL UNIQUE, value BLOB NOT NULL)`
}

function statements(database: DatabaseSync, name: TableName): Statements {
  const prepared: Statements = {
    get: database.prepare(`SELECT value FROM ${name} WHERE key = ?`),
    range: database.prepare(
      `SELECT key, value FROM ${name} WHERE key >= ? AND key < ? ORDER BY key LIMIT ?`,
    ),
    put: database.prepare(
      `INSERT INTO ${name} (key, value) VALUES (?, ?)
       ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
    ),
    delete: database.prepare(`DELETE FROM ${name} WHERE key = ?`),
  }
  prepared.get.setReturnArrays(true)
  prepared.range.setReturnArrays(true)
  return prepared
}
