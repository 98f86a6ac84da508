/**
 * The tables in memory, for tests and simulations. A `MemoryTablesDisk` is what survives a close.
 * Values are kept encoded, so that the same values work, and come back as copies, as with SQLite.
 */
import {
  type Change,
  compareKeys,
  type Row,
  TABLES,
  type TableName,
  type Tables,
} from '../tables.ts'
import { checkKey, decodeValue, encodeValue } from './value.ts'

/** From about here on, sorting all keys is cheaper than moving them for each change. */
const MOST_SINGLE_CHANGES = 256

export class MemoryTablesDisk {
  revision = 0
  readonly tables = Object.fromEntries(
    Object.keys(TABLES).map((name) => [name, new SortedMap()]),
  ) as Record<TableName, SortedMap>
}

export class MemoryTables implements Tables {
  readonly #disk: MemoryTablesDisk
  #isOpen = false

  constructor(disk = new MemoryTablesDisk()) {
    this.#disk = disk
  }

  open(_isCache: boolean): number {
    if (this.#isOpen) throw new Error('The tables are open already.')
    this.#isOpen = true
    return this.#disk.revision
  }

  get(table: TableName, key: string): unknown {
    const encoded = this.#use().tables[table].get(key)
    return encoded && decodeValue(encoded.slice())
  }

  range(table: TableName, from: string, to: string, limit: number): Row[] {
    return this.#use()
      .tables[table].range(from, to, limit)
      .map(([key, encoded]) => [key, decodeValue(encoded.slice())])
  }

  write(changes: readonly Change[], revision: number): void {
    const disk = this.#use()
    // Everything that can fail comes before the first change.
    const encoded = changes.map(({ table, key, value }) => {
      checkKey(key)
      const bytes = value === undefined ? undefined : Uint8Array.from(encodeValue(value))
      return { rows: disk.tables[table], key, bytes }
    })
    for (const { rows, key, bytes } of encoded) {
      if (bytes) rows.set(key, bytes)
      else rows.delete(key)
    }
    disk.revision = revision
  }

  sync(): void {
    this.#use()
  }

  close(): void {
    this.#isOpen = false
  }

  #use(): MemoryTablesDisk {
    if (!this.#isOpen) throw new Error('The tables are not open.')
    return this.#disk
  }
}

/**
 * A map with its keys in order. Keys that come and go are noted and worked in when a range asks: a
 * few of them one by one, many by sorting anew.
 */
class SortedMap {
  readonly #values = new Map<string, Uint8Array>()
  #keys: string[] = []
  /** Keys that came or went since `#keys` was put in order. */
  readonly #changed = new Set<string>()

  get(key: string): Uint8Array | undefined {
    return this.#values.get(key)
  }

  set(key: string, value: Uint8Array): void {
    if (!this.#values.has(key)) this.#changed.add(key)
    this.#values.set(key, value)
  }

  delete(key: string): void {
    if (this.#values.delete(key)) this.#changed.add(key)
  }

  range(from: string, to: string, limit: number): [string, Uint8Array][] {
    this.#putInOrder()
    const start = this.#indexOf(from)
    const end = Math.min(this.#indexOf(to), start + limit)
    return this.#keys.slice(start, end).map((key) => [key, this.#values.get(key)!])
  }

  #putInOrder(): void {
    if (this.#changed.size > MOST_SINGLE_CHANGES) {
      this.#keys = [...this.#values.keys()].sort(compareKeys)
    } else {
      for (const key of this.#changed) {
        const index = this.#indexOf(key)
        const isListed = this.#keys[index] === key
        if (isListed && !this.#values.has(key)) this.#keys.splice(index, 1)
        if (!isListed && this.#values.has(key)) this.#keys.splice(index, 0, key)
      }
    }
    this.#changed.clear()
  }

  /** The index of the first key that is not before `key`. */
  #indexOf(key: string): number {
    let low = 0
    let high = this.#keys.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compareKeys(this.#keys[middle]!, key) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}
