/**
 * The ledger port: an append-only list of batches, the one thing that must survive.
 *
 * Owns: durability and order. It never looks inside a payload.
 *
 * Invariants every adapter keeps (test/store/ledger.ts runs on each):
 *  1. `append` resolves only when the batch is on stable storage, whole.
 *  2. Batches are contiguous: `first` is always the last stored revision + 1.
 *  3. Each batch stores `hash = SHA-256(previous hash ‖ first ‖ last ‖ payload size ‖ payload ‖
 *     attachments)` (store/ledger/chain.ts), the chain that makes the audit tamper-evident.
 *  4. Each `open` raises the epoch by one; an `append` under an older epoch throws `Fenced` and
 *     stores nothing.
 *  5. `read` checks sums, chain and contiguity of what it yields and throws `LedgerDamaged` at the
 *     first fault; damage is never skipped.
 */
export interface Ledger {
  /** How much it takes at a time. A single decision that weighs more comes all the same, alone. */
  readonly limits: LedgerLimits
  /** Takes the ledger for this process and raises the epoch. Throws `LedgerBusy` when another
   * process has it and `LedgerDamaged` when its head does not add up. */
  open(): Promise<LedgerHead>
  /** Stores one batch after revision `after` and takes the payload over: it is empty for the caller
   * afterwards. Resolves when it is durable. Rejects with `Fenced` or `LedgerFull` (nothing is stored) or with the
   * storage's own error: then only `close` and `open` tell what is stored. */
  append(epoch: number, after: number, batch: Batch): Promise<void>
  /** The stored batches that hold revisions `from` to `to` (inclusive; default: the last one). */
  read(from: number, to?: number): AsyncIterable<StoredBatch>
  /** Forgets whole batches that end before revision `before`. */
  trim(before: number): Promise<void>
  close(): Promise<void>
}

export interface LedgerLimits {
  /** Of one batch. */
  batchEvents: number
  /** Of one batch: its facts and contents together, about. */
  batchBytes: number
}

export interface LedgerHead {
  epoch: number
  /** The last stored revision; 0 when empty. */
  revision: number
  /** The first revision that is still stored; `revision + 1` when none is. */
  oldest: number
}

export interface Batch {
  /** The revision of the first event in `payload`. */
  first: number
  /** The revision of the last event in `payload`. */
  last: number
  payload: Uint8Array
  /** Contents that become durable with the batch. */
  attachments: readonly Attachment[]
}

export interface Attachment {
  /** Lower-case hex. */
  sha256: string
  bytes: Uint8Array
}

export interface StoredBatch extends Batch {
  /** Chain hash of this batch, lower-case hex. */
  hash: string
}

/** Somebody else opened this ledger later; this process may no longer write to it. */
export class Fenced extends Error {
  override name = 'Fenced'
  /** The ledger may be this process's again: `open` throws `LedgerBusy` until then. */
  readonly mayReturn: boolean
  constructor(message: string, { mayReturn = false } = {}) {
    super(message)
    this.mayReturn = mayReturn
  }
}

/** Another process holds this ledger open. */
export class LedgerBusy extends Error {
  override name = 'LedgerBusy'
}

/** There is no room for the batch: nothing of it is stored, and the ledger takes a later one. */
export class LedgerFull extends Error {
  override name = 'LedgerFull'
}

/** What is stored does not add up: a gap, a bad sum or a broken chain. */
export class LedgerDamaged extends Error {
  override name = 'LedgerDamaged'
  readonly revision: number
  constructor(revision: number, fault: string) {
    super(
      `The ledger is damaged at revision ${revision}: ${fault}. Nothing was changed. ` +
        'Restore the data folder from a backup, or start with an empty one.',
    )
    this.revision = revision
  }
}
