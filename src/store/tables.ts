/**
 * The tables port: the part of the folded state that is too big for memory (entries, versions,
 * small contents). A cache of the fold that can be deleted and built again from the ledger.
 *
 * Reads are synchronous, so that a decision can look things up without leaving its turn. Writes
 * arrive in groups that stand for one revision and are stored whole or not at all; they need not be
 * synced, since the ledger has the same facts. What is not yet written lies in the engine's overlay.
 *
 * Once the ledger has forgotten facts, the tables alone have what came of them, small contents too:
 * before it does, `sync` makes them safe, and from then on they are not built anew.
 */
export interface Tables {
  /**
   * Opens the store and says at which revision it stands (0 when new).
   * @param isCache the ledger has every fact, so what cannot be read may be emptied; else it throws,
   *   with what to do
   */
  open(isCache: boolean): number
  get(table: TableName, key: string): unknown
  /** Rows with `from <= key < to` in key order (see `compareKeys`), at most `limit`. */
  range(table: TableName, from: string, to: string, limit: number): Row[]
  /** Stores the changes and the revision they lead to, all or nothing. */
  write(changes: readonly Change[], revision: number): void
  /** Returns when all that was written survives a loss of power. */
  sync(): void
  close(): void
}

/** `large` tables hold values of up to 64 KiB and more; the others hold small records. */
export const TABLES = {
  entry: 'small',
  version: 'small',
  content: 'large',
  state: 'large',
  /** Of a folder: what its files were like when they were last in step. */
  disk: 'small',
} as const

export type TableName = keyof typeof TABLES

/** Key and value. Values are plain data: what MessagePack can carry. */
export type Row = [key: string, value: unknown]

/** `value` undefined deletes the key. */
export interface Change {
  table: TableName
  key: string
  value: unknown
}

/**
 * Order of keys: by Unicode code point, which is the byte order of their UTF-8 form (SQLite's BINARY
 * collation). JavaScript's own `<` orders UTF-16 units and differs above U+FFFF.
 */
export function compareKeys(a: string, b: string): number {
  const end = Math.min(a.length, b.length)
  for (let i = 0; i < end; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x === y) continue
    const xIsSurrogate = x >= 0xd800 && x <= 0xdfff
    const yIsSurrogate = y >= 0xd800 && y <= 0xdfff
    if (xIsSurrogate !== yIsSurrogate) return xIsSurrogate ? 1 : -1
    return x - y
  }
  return a.length - b.length
}
