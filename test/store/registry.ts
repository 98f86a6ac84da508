/** Every adapter of every port. A new adapter is added here, and nowhere else, to be held to its
 * port's contract. */
import type { BlobsAdapter } from './blobs.ts'
import { diskBlobs, memoryBlobs } from './blobs-places.ts'
import type { LedgerAdapter } from './ledger.ts'
import { memoryLedger, sqliteLedger } from './ledger-places.ts'
import type { TablesAdapter } from './tables.ts'
import { memoryTables, sqliteTables } from './tables-places.ts'

export const ledgers: readonly LedgerAdapter[] = [memoryLedger, sqliteLedger]
export const tables: readonly TablesAdapter[] = [memoryTables, sqliteTables]
export const blobs: readonly BlobsAdapter[] = [memoryBlobs, diskBlobs]
