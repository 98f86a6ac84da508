import type { Storage } from '../../src/engine/engine.ts'
import { MemoryBlobs, MemoryBlobsDisk } from '../../src/store/blobs/memory.ts'
import { MemoryTables, MemoryTablesDisk } from '../../src/store/tables/memory.ts'
import { TABLES, type TableName, type Tables } from '../../src/store/tables.ts'
import type { Chance } from '../chance.ts'
import type { Loop, Program } from '../loop.ts'
import { type DiskHealth, type FaultCount, LedgerDisk, SimLedger } from './ledger.ts'

/** Ledger and tables of one stream, as they lie on the disk. */
interface StreamDisk {
  ledger: LedgerDisk
  tables: MemoryTablesDisk
}

/** The data folder: it outlives the server that works on it. */
export class Disk {
  readonly streams = new Map<string | undefined, StreamDisk>()
  private readonly blobs = new MemoryBlobsDisk()

  streamOf(workspace: string | undefined): StreamDisk {
    let stream = this.streams.get(workspace)
    if (stream === undefined) {
      stream = { ledger: new LedgerDisk(), tables: new MemoryTablesDisk() }
      this.streams.set(workspace, stream)
    }
    return stream
  }

  /** What is the same at the start of every run is made once and copied. */
  copy(): Disk {
    const disk = new Disk()
    for (const [name, { ledger, tables }] of this.streams) {
      disk.streams.set(name, { ledger: ledger.copy(), tables: copyOf(tables) })
    }
    return disk
  }

  crash(now: number, chance: Chance, faults: FaultCount): void {
    for (const { ledger } of this.streams.values()) ledger.crash(now, chance, faults)
  }

  /** As a server program sees it. */
  storage(
    loop: Loop,
    program: Program,
    chance: Chance,
    health: DiskHealth,
    tablesFail: () => boolean,
    faults: FaultCount,
  ): Storage {
    return {
      blobs: new MemoryBlobs(this.blobs),
      secret: SECRET,
      streamOf: (workspace) => {
        const { ledger, tables } = this.streamOf(workspace)
        return {
          ledger: new SimLedger(ledger, loop, program, chance, health, faults),
          tables: failing(new MemoryTables(tables), tablesFail),
        }
      },
    }
  }
}

const SECRET = new Uint8Array(32).fill(7)

function failing(tables: Tables, fails: () => boolean): Tables {
  return {
    open: (isCache) => tables.open(isCache),
    get: (table, key) => tables.get(table, key),
    range: (table, from, to, limit) => tables.range(table, from, to, limit),
    write(changes, revision) {
      if (fails()) throw new Error('ENOSPC: no space left on device, write')
      tables.write(changes, revision)
    },
    sync: () => tables.sync(),
    close: () => tables.close(),
  }
}

function copyOf(disk: MemoryTablesDisk): MemoryTablesDisk {
  const from = new MemoryTables(disk)
  const copy = new MemoryTablesDisk()
  const to = new MemoryTables(copy)
  const revision = from.open(true)
  to.open(true)
  const rows = (Object.keys(TABLES) as TableName[]).flatMap((table) =>
    from.range(table, '', '\u{10ffff}', 1e9).map(([key, value]) => ({ table, key, value })),
  )
  to.write(rows, revision)
  from.close()
  to.close()
  return copy
}
