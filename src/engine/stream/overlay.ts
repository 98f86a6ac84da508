import { BoundedMap } from '../../core/bounded-map.ts'
import type { Records } from '../../core/file/entry.ts'
import { compareKeys, type Row, TABLES, type TableName, type Tables } from '../../store/tables.ts'

/**
 * The tables as the state sees them: what is stored, and on top what is not written back yet.
 *
 * Owns: generations of changes. `current` takes what is applied now; `freeze` closes it at a revision;
 * a frozen generation is written back, whole, once that revision is durable. So the stored tables
 * always stand at one durable revision, and dropping the overlay loses nothing that the ledger lacks.
 */
export class Overlay implements Records {
  private readonly tables: Tables
  private current: Generation = newGeneration()
  private frozen: Generation[] = []
  /** `null`: there is no such row. Locks on paths that do not exist ask again and again. */
  private readonly cache = new BoundedMap<string, object | null>(CACHED_ROWS)

  /** The revision that the stored tables stand at. */
  storedAt: number

  constructor(tables: Tables, storedAt: number) {
    this.tables = tables
    this.storedAt = storedAt
  }

  get(table: TableName, key: string): unknown {
    const own = `${table} ${key}`
    if (this.current.changes.has(own)) return this.current.changes.get(own)?.value
    for (let i = this.frozen.length - 1; i >= 0; i--) {
      const change = this.frozen[i]?.changes.get(own)
      if (change !== undefined) return change.value
    }
    if (!isCached(table)) return this.tables.get(table, key)
    const cached = this.cache.get(own)
    if (cached !== undefined) return cached ?? undefined
    const value = this.tables.get(table, key)
    this.remember(own, value)
    return value
  }

  private remember(own: string, value: unknown): void {
    this.cache.set(own, (value as object | undefined) ?? null)
  }

  put(table: TableName, key: string, value: unknown): void {
    this.current.changes.set(`${table} ${key}`, { table, key, value })
    this.current.bytes += value instanceof Uint8Array ? value.length : 200
  }

  range(table: TableName, from: string, to: string, limit: number): Row[] {
    const stored = this.tables.range(table, from, to, limit)
    const rows = new Map<string, unknown>(stored)
    let isChanged = false
    for (const generation of [...this.frozen, this.current]) {
      for (const change of generation.changes.values()) {
        if (change.table !== table) continue
        if (compareKeys(change.key, from) < 0 || compareKeys(change.key, to) >= 0) continue
        rows.set(change.key, change.value)
        isChanged = true
      }
    }
    if (!isChanged) return stored
    return [...rows].sort(([a], [b]) => compareKeys(a, b)).slice(0, limit)
  }

  /** Whether enough has gathered to be worth a write of its own. */
  get isFull(): boolean {
    return this.current.changes.size >= GENERATION_ROWS || this.current.bytes >= GENERATION_BYTES
  }

  /** So much waits to be written back that no more should be taken: the tables' disk must be full. */
  get isBehind(): boolean {
    return this.frozen.length >= GENERATIONS
  }

  get isEmpty(): boolean {
    return this.current.changes.size === 0 && this.frozen.length === 0
  }

  /** Whether something waits to be written back. */
  get hasFrozen(): boolean {
    return this.frozen.length > 0
  }

  /** Closes the current generation: it leads to `revision`. Call between decisions only. */
  freeze(revision: number): void {
    this.current.revision = revision
    this.frozen.push(this.current)
    this.current = newGeneration()
  }

  /** Writes back the oldest generation if it is durable; says whether there may be more to do. */
  writeBack(durable: number): boolean {
    const [oldest] = this.frozen
    if (oldest === undefined || oldest.revision > durable) return false
    this.tables.write([...oldest.changes.values()], oldest.revision)
    this.frozen.shift()
    this.storedAt = oldest.revision
    for (const [own, { table, value }] of oldest.changes) {
      if (isCached(table)) this.remember(own, value)
    }
    return this.frozen.length > 0
  }
}

/** Small rows, asked for again and again. */
function isCached(table: TableName): boolean {
  return TABLES[table] === 'small'
}

/** Small enough that writing one back holds up the thread for about a millisecond. */
const GENERATION_ROWS = 512
const GENERATION_BYTES = 2 * 1024 * 1024
const GENERATIONS = 64
const CACHED_ROWS = 30_000

interface Generation {
  revision: number
  bytes: number
  changes: Map<string, { table: TableName; key: string; value: unknown }>
}

function newGeneration(): Generation {
  return { revision: 0, bytes: 0, changes: new Map() }
}
