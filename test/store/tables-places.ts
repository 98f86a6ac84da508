/** Where the tables' contract suite finds each adapter. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MemoryTables, MemoryTablesDisk } from '../../src/store/tables/memory.ts'
import { SqliteTables } from '../../src/store/tables/sqlite.ts'
import type { TablesAdapter } from './tables.ts'

export const memoryTables: TablesAdapter = {
  name: 'memory',
  hasFile: false,
  async place() {
    const disk = new MemoryTablesDisk()
    return { tables: () => new MemoryTables(disk), remove: async () => {} }
  },
}

export const sqliteTables: TablesAdapter = {
  name: 'sqlite',
  hasFile: true,
  async place() {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-tables-'))
    const file = join(folder, 'data', 'tables.db')
    return {
      file,
      tables: () => new SqliteTables(file),
      remove: () => rm(folder, { recursive: true }),
    }
  },
}
