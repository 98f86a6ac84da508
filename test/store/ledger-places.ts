/** Where the ledger's contract suite finds each adapter, and how what it stores is damaged. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { MemoryLedger, MemoryLedgerDisk } from '../../src/store/ledger/memory.ts'
import { SqliteLedger } from '../../src/store/ledger/sqlite.ts'
import type { Damage, LedgerAdapter } from './ledger.ts'

export const memoryLedger: LedgerAdapter = {
  name: 'memory',
  secondOpen: 'fences',
  spansProcesses: false,
  canFillDisk: false,
  async place() {
    const disk = new MemoryLedgerDisk()
    return {
      ledger: () => new MemoryLedger(disk),
      damage: async (what, first) => damageRows(disk, what, first),
      remove: async () => {},
    }
  },
}

function damageRows(disk: MemoryLedgerDisk, what: Damage, first: number): void {
  const index = disk.rows.findIndex((row) => row.first === first)
  const row = disk.rows[index]!
  if (what === 'missing') disk.rows.splice(index, 1)
  else if (what === 'bounds') row.last += 1
  else row[what] = row[what].map((byte, i) => (i === 0 ? byte ^ 1 : byte))
}

export const sqliteLedger: LedgerAdapter = {
  name: 'sqlite',
  secondOpen: 'is refused',
  spansProcesses: true,
  canFillDisk: process.platform !== 'win32',
  async place() {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-ledger-'))
    const file = join(folder, 'data', 'ledger.db')
    const children: ChildProcess[] = []
    const run = (program: string, ...args: string[]) => {
      const child = spawn(program, args)
      children.push(child)
      child.stderr.pipe(process.stderr)
      return child
    }
    const onFullDisk = (command: string) =>
      run('/bin/sh', '-c', LIMITED, process.execPath, CHILD, file, command)
    return {
      ledger: () => new SqliteLedger(file),
      damage: async (what, first) => damageFile(file, what, first),
      process: async (command) => run(process.execPath, CHILD, file, command),
      processOnFullDisk: async (command) => onFullDisk(command),
      remove: async () => {
        for (const child of children) {
          if (child.exitCode !== null || child.signalCode !== null) continue
          child.kill('SIGKILL')
          await once(child, 'exit')
        }
        await rm(folder, { recursive: true })
      },
    }
  },
}

const CHILD = join(import.meta.dirname, 'ledger-child.ts')
/** No file may grow beyond some 200 to 400 kB; a write past that fails, as on a full disk. */
const LIMITED = `trap '' XFSZ; ulimit -f 400; exec "$0" "$@"`

function damageFile(file: string, what: Damage, first: number): void {
  const database = new DatabaseSync(file)
  if (what === 'missing') {
    database.prepare('DELETE FROM batch WHERE first_revision = ?').run(first)
  } else if (what === 'bounds') {
    database
      .prepare('UPDATE batch SET last_revision = last_revision + 1 WHERE first_revision = ?')
      .run(first)
  } else {
    const { bytes } = database
      .prepare(`SELECT ${what} AS bytes FROM batch WHERE first_revision = ?`)
      .get(first) as { bytes: Uint8Array }
    bytes[0]! ^= 1
    database.prepare(`UPDATE batch SET ${what} = ? WHERE first_revision = ?`).run(bytes, first)
  }
  database.close()
}
