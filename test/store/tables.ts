/** What every tables adapter keeps to. See src/store/tables.ts. */
import { readFile, rm, writeFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  type Change,
  compareKeys,
  TABLES,
  type TableName,
  type Tables,
} from '../../src/store/tables.ts'

export interface TablesAdapter {
  name: string
  hasFile: boolean
  place(): Promise<TablesPlace>
}

export interface TablesPlace {
  /** A new instance over what is stored here. */
  tables(): Tables
  /** The SQLite file, for adapters that have one. */
  file?: string
  remove(): Promise<void>
}

const NAMES = Object.keys(TABLES) as TableName[]
/** Above every key the suite uses. */
const TOP = '\u{10ffff}'

export function tablesContract(adapter: TablesAdapter): void {
  let place: TablesPlace
  let tables: Tables

  beforeEach(async () => {
    place = await adapter.place()
    tables = place.tables()
    tables.open(true)
  })
  afterEach(async () => {
    tables.close()
    await place.remove()
  })

  function reopen(): number {
    tables.close()
    tables = place.tables()
    return tables.open(true)
  }
  function keys(table: TableName, from: string, to: string, limit = 1000): string[] {
    return tables.range(table, from, to, limit).map(([key]) => key)
  }

  storing()
  ranging()
  writing()
  opening()
  if (adapter.hasFile) keepingAFile()

  function storing() {
    test('new tables are empty and stand at revision 0', () => {
      expect(reopen()).toBe(0)
      for (const name of NAMES) {
        expect(tables.get(name, 'a')).toBeUndefined()
        expect(tables.range(name, '', TOP, 10)).toEqual([])
      }
    })

    test.each(NAMES)(
      'what is written to %s is there, with its revision, after a reopen',
      (name) => {
        tables.write([put(name, 'a', { size: 1 })], 7)
        expect(tables.get(name, 'a')).toEqual({ size: 1 })
        expect(reopen()).toBe(7)
        expect(tables.get(name, 'a')).toEqual({ size: 1 })
      },
    )

    test('the tables do not see each other’s keys', () => {
      tables.write([put('entry', 'a', 1), put('content', 'a', 2)], 1)
      expect(NAMES.map((name) => tables.get(name, 'a'))).toEqual([
        1,
        undefined,
        2,
        undefined,
        undefined,
      ])
    })

    test.each([
      ['null', null],
      ['false', false],
      ['zero', 0],
      ['an empty string', ''],
      ['a large whole number', Number.MAX_SAFE_INTEGER],
      ['a fraction', -0.1],
      ['text', 'Grüße, 世界 \u{1f600}\0'],
      ['a nested record', { list: [1, 'two', { three: [] }], empty: {}, none: null }],
      ['a list', [1, [2, [3]]]],
    ])('%s comes back as it was', (_, value) => {
      tables.write([put('version', 'a', value)], 1)
      expect(tables.get('version', 'a')).toStrictEqual(value)
    })

    test.each([0, 5, 64 * 1024, 1_000_000])('%i bytes come back as a plain Uint8Array', (size) => {
      const bytes = new Uint8Array(size).map((_, i) => i)
      tables.write([put('content', 'a', bytes), put('content', 'b', { bytes })], 1)
      const alone = tables.get('content', 'a') as Uint8Array
      const inside = (tables.get('content', 'b') as { bytes: Uint8Array }).bytes
      for (const found of [alone, inside]) {
        expect(found.constructor).toBe(Uint8Array)
        expect(Buffer.compare(found, bytes)).toBe(0)
        expect(found.buffer.byteLength).toBeLessThan(size + 64)
      }
    })

    test('a Buffer, which may share memory, comes back as a plain Uint8Array', () => {
      tables.write([put('content', 'a', Buffer.from('hello'))], 1)
      expect(tables.get('content', 'a')).toStrictEqual(new TextEncoder().encode('hello'))
    })

    test('what is read and what was written can be altered without touching what is stored', () => {
      const value = { list: [1], bytes: new Uint8Array([1]) }
      tables.write([put('state', 'a', value)], 1)
      value.list.push(2)
      value.bytes[0] = 2
      const found = tables.get('state', 'a') as typeof value
      found.list.push(3)
      found.bytes[0] = 3
      const [ranged] = tables.range('state', 'a', 'b', 1)
      ;(ranged![1] as typeof value).bytes[0] = 4
      expect(tables.get('state', 'a')).toEqual({ list: [1], bytes: new Uint8Array([1]) })
    })

    test('ten thousand values written one by one stay apart', () => {
      for (let i = 0; i < 10_000; i += 100) {
        const some = Array.from({ length: 100 }, (_, j) => put('entry', `k${i + j}`, { n: i + j }))
        tables.write(some, i + 1)
      }
      for (let i = 0; i < 10_000; i++) expect(tables.get('entry', `k${i}`)).toEqual({ n: i })
    })
  }

  function ranging() {
    test.each(NAMES)(
      'a range of %s includes its start, excludes its end and keeps its limit',
      (name) => {
        tables.write(
          ['a', 'b', 'c', 'd', 'e'].map((key) => put(name, key, key)),
          1,
        )
        expect(keys(name, 'b', 'd')).toEqual(['b', 'c'])
        expect(keys(name, 'bb', 'dd')).toEqual(['c', 'd'])
        expect(keys(name, '', TOP, 2)).toEqual(['a', 'b'])
        expect(keys(name, 'b', TOP, 2)).toEqual(['b', 'c'])
        expect(keys(name, '', TOP, Infinity)).toEqual(['a', 'b', 'c', 'd', 'e'])
        expect(keys(name, 'b', 'd', 0)).toEqual([])
        expect(keys(name, 'c', 'c')).toEqual([])
        expect(keys(name, 'd', 'b')).toEqual([])
        expect(tables.range(name, 'a', 'b', 9)).toEqual([['a', 'a']])
      },
    )

    test.each(NAMES)('keys of %s lie in code point order, also above U+FFFF', (name) => {
      const ordered = [
        '',
        '\0',
        'a',
        'a\0',
        'a\0b',
        'a/',
        'ab',
        'b',
        'é',
        '\ud7ff',
        '\ue000',
        '\uf8ff',
      ]
      ordered.push('\uffff', '\u{10000}', '\u{1f600}', '\u{1f600}a', '\u{1f601}', '\u{10fffe}')
      tables.write(
        ordered.toReversed().map((key) => put(name, key, key)),
        1,
      )
      expect(keys(name, '', TOP)).toEqual(ordered)
      expect(keys(name, '\ue000', '\u{1f600}a')).toEqual(ordered.slice(10, 15))
      expect(ordered.toReversed().sort(compareKeys)).toEqual(ordered)
      for (const key of ordered) expect(tables.get(name, key)).toBe(key)
    })

    test('keys that differ only in Unicode form or case are different', () => {
      tables.write([put('entry', 'é', 1), put('entry', 'e\u0301', 2), put('entry', 'É', 3)], 1)
      expect([tables.get('entry', 'é'), tables.get('entry', 'e\u0301')]).toEqual([1, 2])
      expect(keys('entry', '', TOP)).toEqual(['e\u0301', 'É', 'é'])
    })

    test('a range shows keys that came and went since the last one', () => {
      tables.write([put('entry', 'b', 1), put('entry', 'd', 1)], 1)
      expect(keys('entry', '', TOP)).toEqual(['b', 'd'])
      tables.write([put('entry', 'c', 1), put('entry', 'a', 1), remove('entry', 'd')], 2)
      expect(keys('entry', '', TOP)).toEqual(['a', 'b', 'c'])
      tables.write([remove('entry', 'a'), put('entry', 'a', 2), put('entry', 'd', 1)], 3)
      expect(keys('entry', '', TOP)).toEqual(['a', 'b', 'c', 'd'])
      const many = Array.from({ length: 2000 }, (_, i) => put('entry', `k${i}`, i))
      tables.write(many, 4)
      expect(keys('entry', 'k', 'l', Infinity)).toEqual(
        many.map(({ key }) => key).sort(compareKeys),
      )
    })
  }

  function writing() {
    test('of two changes to one key the later one stays', () => {
      tables.write([put('entry', 'a', 1), put('entry', 'a', 2)], 1)
      tables.write([put('entry', 'b', 1), remove('entry', 'b')], 2)
      tables.write([remove('entry', 'c'), put('entry', 'c', 1)], 3)
      expect(['a', 'b', 'c'].map((key) => tables.get('entry', key))).toEqual([2, undefined, 1])
    })

    test('deleting what is not there is not an error', () => {
      tables.write([remove('entry', 'a')], 1)
      expect(reopen()).toBe(1)
    })

    test('a write without changes moves the revision', () => {
      tables.write([], 9)
      expect(reopen()).toBe(9)
    })

    test('a write that fails half-way changes nothing, not even the revision', () => {
      tables.write([put('entry', 'a', 1)], 1)
      const poisoned = {
        get bad(): never {
          throw new Error('unreadable')
        },
      }
      const changes = [put('entry', 'a', 2), put('content', 'b', 2), put('entry', 'c', poisoned)]
      expect(() => tables.write(changes, 2)).toThrow('unreadable')
      expect(tables.get('entry', 'a')).toBe(1)
      tables.write([put('entry', 'd', 1)], 1)
      expect(reopen()).toBe(1)
      expect(tables.get('entry', 'a')).toBe(1)
      expect(tables.get('content', 'b')).toBeUndefined()
    })

    test('a key with half of a surrogate pair is refused', () => {
      expect(() => tables.write([put('entry', 'a\ud800', 1)], 1)).toThrow(TypeError)
      expect(reopen()).toBe(0)
    })
  }

  function opening() {
    test('tables that are closed refuse to read and write', () => {
      tables.close()
      expect(() => tables.get('entry', 'a')).toThrow('not open')
      expect(() => tables.range('entry', '', TOP, 1)).toThrow('not open')
      expect(() => tables.write([], 1)).toThrow('not open')
      expect(tables.open(true)).toBe(0)
    })
  }

  function keepingAFile() {
    test('a damaged file says that it may be deleted, and after that it is new', async () => {
      tables.write([put('entry', 'a', 1)], 1)
      tables.close()
      await writeFile(place.file!, 'not a database, and long enough to be taken for one'.repeat(99))
      expect(() => tables.open(true)).toThrow('may be deleted; it is built again from the ledger')
      await writeFile(place.file!, '')
      expect(tables.open(true)).toBe(0)
    })

    test('a file of another format is emptied', () => {
      tables.write([put('entry', 'a', 1)], 1)
      tables.close()
      const database = new DatabaseSync(place.file!)
      database.exec('PRAGMA user_version = 1000')
      database.close()
      expect(tables.open(true)).toBe(0)
      expect(tables.get('entry', 'a')).toBeUndefined()
    })

    test('one that cannot be built again is left as it is, and says what to do', () => {
      tables.write([put('entry', 'a', 1)], 1)
      tables.close()
      const setFormat = (format: number): void => {
        const database = new DatabaseSync(place.file!)
        database.exec(`PRAGMA user_version = ${format}`)
        database.close()
      }
      setFormat(1000)
      expect(() => tables.open(false)).toThrow('restore the data folder from a backup')
      setFormat(1)
      expect(tables.open(false)).toBe(1)
      expect(tables.get('entry', 'a')).toBe(1)
    })

    test('what was synced is in the file itself, whatever becomes of its log', async () => {
      tables.write([put('entry', 'a', 1)], 1)
      tables.sync()
      const copy = await readFile(place.file!)
      tables.close()
      await writeFile(place.file!, copy)
      await rm(`${place.file!}-wal`, { force: true })
      expect(tables.open(false)).toBe(1)
      expect(tables.get('entry', 'a')).toBe(1)
    })
  }
}

function put(table: TableName, key: string, value: unknown): Change {
  return { table, key, value }
}

function remove(table: TableName, key: string): Change {
  return { table, key, value: undefined }
}
