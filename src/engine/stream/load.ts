import { applyMemory, applyRecords } from '../../core/apply.ts'
import { newState, type State } from '../../core/state.ts'
import { type Ledger, LedgerDamaged } from '../../store/ledger.ts'
import type { Tables } from '../../store/tables.ts'
import { decodeEvents } from './codec.ts'
import { Overlay } from './overlay.ts'
import { restoreSnapshot, SnapshotNewer } from './snapshot.ts'
import { writeBackAll } from './write-back.ts'

export interface Loaded {
  state: State
  overlay: Overlay
  /** Of the snapshot that was folded on from; 0: from the first fact. */
  snapshotAt: number
}

/**
 * The state as it is stored. Tables stand at one revision, the snapshot of memory at another: each is
 * folded on from its own.
 *
 * @param tablesAt where the tables stand
 * @param head the last revision of the ledger, and the oldest that it still has
 * @param onProgress told where the tables stand now, whatever becomes of the rest
 */
export async function load(
  { name, ledger, tables }: { name: string; ledger: Ledger; tables: Tables },
  tablesAt: number,
  head: { revision: number; oldest: number },
  onProgress: (tablesAt: number) => void,
): Promise<Loaded> {
  if (tablesAt > head.revision) {
    const fault = `tables.db stands at revision ${tablesAt}, after the ledger's end`
    throw new LedgerDamaged(head.revision, fault)
  }
  const overlay = new Overlay(tables, tablesAt)
  const state = newState(name, overlay)
  const memoryAt = restored(state, tables, head.oldest)
  const from = Math.min(memoryAt, tablesAt) + 1
  if (head.oldest > from) {
    throw new LedgerDamaged(from, `facts before revision ${head.oldest} are missing`)
  }
  for await (const batch of ledger.read(from)) {
    // What the tables have already would be written anew, under the revision of an older batch.
    if (batch.last > tablesAt) {
      for (const { sha256, bytes } of batch.attachments) overlay.put('content', sha256, bytes)
    }
    for (const event of decodeEvents(batch.payload, batch.first)) {
      if (event.revision > memoryAt) applyMemory(state, event)
      if (event.revision > tablesAt) applyRecords(state, event)
    }
    if (overlay.isFull) overlay.freeze(batch.last)
    writeBackAll(overlay, batch.last)
    onProgress(overlay.storedAt)
  }
  // What a replay frees was granted in the replay already.
  state.locks.freed.length = 0
  state.locks.moved.length = 0
  state.revision = head.revision
  return { state, overlay, snapshotAt: memoryAt }
}

/** A snapshot of a newer release is passed over where all facts are still there. */
function restored(state: State, tables: Tables, oldest: number): number {
  try {
    return restoreSnapshot(state, tables.get('state', 'snapshot'))
  } catch (error) {
    if (!(error instanceof SnapshotNewer)) throw error
    if (oldest > 1) {
      throw new Error(
        'The data folder was written by a newer Sluice, and facts before its snapshot are not kept any ' +
          'more. Start that release again, or restore the folder from a backup.',
      )
    }
    return 0
  }
}
