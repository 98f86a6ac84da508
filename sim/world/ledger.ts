import {
  chainHash,
  checkContiguous,
  follow,
  GENESIS,
  type Link,
} from '../../src/store/ledger/chain.ts'
import {
  type Attachment,
  type Batch,
  Fenced,
  type Ledger,
  LedgerDamaged,
  LedgerFull,
  type LedgerHead,
  type StoredBatch,
} from '../../src/store/ledger.ts'
import type { Chance } from '../chance.ts'
import type { Loop, Program } from '../loop.ts'

interface SimRow {
  first: number
  last: number
  payload: Uint8Array
  attachments: readonly Attachment[]
}

/** How a disk behaves at the moment. Faults change it; rates are shares of appends. */
export interface DiskHealth {
  syncMs: number
  full: number
  failed: number
  /** Stored, and reported as failed. */
  unknown: number
  slow: number
}

export interface FaultCount {
  count(kind: string): void
}

/**
 * What survives the server. The chain of hashes is worked out only when a bit flips: checking it on
 * every append would cost more than the rest of a run, and proves nothing while nothing flips.
 */
export class LedgerDisk {
  epoch = 0
  rows: SimRow[] = []
  /** The chain as it was before a bit flipped. */
  private links: Uint8Array[] | undefined
  /** An append under way: on stable storage from `storedAt` on. */
  private pending: { row: SimRow; storedAt: number } | undefined

  get end(): number {
    return this.rows.at(-1)?.last ?? 0
  }

  copy(): LedgerDisk {
    const disk = new LedgerDisk()
    disk.epoch = this.epoch
    disk.rows = [...this.rows]
    return disk
  }

  begin(row: SimRow, storedAt: number): void {
    this.pending = { row, storedAt }
  }

  finish(isStored: boolean): void {
    if (isStored && this.pending !== undefined) this.rows.push(this.pending.row)
    this.pending = undefined
  }

  /**
   * Power is gone. What was synced is there; what was not is there whole, or not at all: a torn batch
   * is found by its checksum at the next start and cut off, as SQLite does with a torn WAL frame.
   */
  crash(now: number, chance: Chance, faults: FaultCount): void {
    const { pending } = this
    if (pending === undefined) return
    if (now >= pending.storedAt || chance.happens(0.4)) {
      faults.count('crash after the write, before its answer')
      this.finish(true)
    } else {
      faults.count(chance.happens(0.5) ? 'unsynced write lost' : 'torn write')
      this.finish(false)
    }
  }

  /** Flips one bit in a row that holds revision `from` or a later one; says whether there was one. */
  flip(from: number, chance: Chance): boolean {
    const start = this.rows.findIndex((row) => row.last >= from)
    if (start < 0) return false
    const links: Uint8Array[] = []
    for (const row of this.rows) links.push(chainHash(links.at(-1) ?? GENESIS.hash, bounded(row)))
    this.links = links
    const index = start + chance.int(this.rows.length - start)
    const row = this.rows[index] as SimRow
    const payload = row.payload.slice()
    const at = chance.int(payload.length)
    payload[at] = (payload[at] as number) ^ (1 << chance.int(8))
    this.rows[index] = { ...row, payload }
    return true
  }

  check(index: number): void {
    if (this.links === undefined) return
    const row = this.rows[index] as SimRow
    const before = this.rows[index - 1]
    const link: Link =
      before === undefined
        ? GENESIS
        : { revision: before.last, hash: this.links[index - 1] as Uint8Array }
    follow(link, { ...bounded(row), hash: this.links[index] as Uint8Array })
  }
}

/** Attachments are not flipped, so their bytes need not be in the sum. */
function bounded({ first, last, payload }: SimRow) {
  return { first, last, payload, attachments: new Uint8Array(0) }
}

export class SimLedger implements Ledger {
  readonly limits = { batchEvents: 2048, batchBytes: 8 * 1024 * 1024 }
  private readonly disk: LedgerDisk
  private readonly loop: Loop
  private readonly program: Program
  private readonly chance: Chance
  private readonly health: DiskHealth
  private readonly faults: FaultCount
  private epoch: number | undefined

  constructor(
    disk: LedgerDisk,
    loop: Loop,
    program: Program,
    chance: Chance,
    health: DiskHealth,
    faults: FaultCount,
  ) {
    this.disk = disk
    this.loop = loop
    this.program = program
    this.chance = chance
    this.health = health
    this.faults = faults
  }

  async open(): Promise<LedgerHead> {
    if (this.epoch !== undefined) throw new Error('The ledger is open already.')
    if (this.health.syncMs > 0) await this.pass(this.chance.around(this.health.syncMs * 5))
    const { disk } = this
    if (disk.rows.length > 0) disk.check(disk.rows.length - 1)
    disk.epoch += 1
    this.epoch = disk.epoch
    return { epoch: disk.epoch, revision: disk.end, oldest: 1 }
  }

  private pass(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.loop.after(ms, this.program, resolve)
    })
  }

  append(epoch: number, after: number, batch: Batch): Promise<void> {
    const { disk, health, chance, loop, faults } = this
    if (this.epoch === undefined) return Promise.reject(new Error('The ledger is not open.'))
    if (epoch !== disk.epoch) return Promise.reject(new Fenced(`epoch ${disk.epoch}, not ${epoch}`))
    checkContiguous(disk.end, after, batch.first, batch.last)
    if (health.syncMs === 0) {
      disk.rows.push(batch)
      return Promise.resolve()
    }
    let syncMs = chance.around(health.syncMs)
    if (chance.happens(health.slow)) {
      faults.count('slow sync')
      syncMs += chance.around(300)
    }
    const failure = this.failure()
    const isStored = failure === undefined || failure.isStored
    disk.begin(batch, isStored ? loop.now + syncMs * 0.7 : Number.POSITIVE_INFINITY)
    return new Promise((resolve, reject) => {
      loop.after(syncMs, this.program, () => {
        disk.finish(isStored)
        if (failure === undefined) resolve()
        else reject(failure.error)
      })
    })
  }

  private failure(): { error: Error; isStored: boolean } | undefined {
    const { full, failed, unknown } = this.health
    if (full + failed + unknown === 0) return undefined
    const draw = this.chance.next()
    if (draw < full) {
      this.faults.count('ledger full')
      return { error: new LedgerFull('No space is left.'), isStored: false }
    }
    if (draw < full + failed) {
      this.faults.count('append failed')
      return { error: new Error('EIO: i/o error, write'), isStored: false }
    }
    if (draw < full + failed + unknown) {
      this.faults.count('append stored, reported as failed')
      return { error: new Error('EIO: i/o error, fsync'), isStored: true }
    }
    return undefined
  }

  async *read(from: number, to = this.disk.end): AsyncGenerator<StoredBatch> {
    const { rows } = this.disk
    let index = indexOf(rows, from)
    for (; index < rows.length && (rows[index] as SimRow).first <= to; index++) {
      this.disk.check(index)
      yield { ...(rows[index] as SimRow), hash: '' }
    }
    if (to > this.disk.end) throw new LedgerDamaged(to, 'the batch is missing')
  }

  async trim(): Promise<void> {}

  async close(): Promise<void> {
    this.epoch = undefined
  }
}

/** The first row that ends at `revision` or later. */
function indexOf(rows: readonly SimRow[], revision: number): number {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((rows[middle] as SimRow).last < revision) low = middle + 1
    else high = middle
  }
  return low
}
