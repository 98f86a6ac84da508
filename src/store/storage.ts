import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DiskBlobs } from './blobs/disk.ts'
import type { Blobs } from './blobs.ts'
import { SqliteLedger } from './ledger/sqlite.ts'
import type { Ledger } from './ledger.ts'
import { SqliteTables } from './tables/sqlite.ts'
import type { Tables } from './tables.ts'

/**
 * The layout of a data folder:
 *
 *   secret                      32 random bytes: signs lock tokens and session secrets
 *   server/{ledger,tables}.db   the server's own stream: agents, tokens, sessions, workspaces
 *   workspaces/NAME/…           the same two files for each workspace
 *   blobs/                      contents of more than 64 KiB
 */
export function diskStorage(folder: string): {
  blobs: Blobs
  streamOf(workspace: string | undefined): { ledger: Ledger; tables: Tables }
  secret: Uint8Array
} {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return {
    blobs: new DiskBlobs(join(folder, 'blobs')),
    secret: secretIn(folder),
    streamOf(workspace) {
      const place =
        workspace === undefined ? join(folder, 'server') : join(folder, 'workspaces', workspace)
      mkdirSync(place, { recursive: true, mode: 0o700 })
      return {
        ledger: new SqliteLedger(join(place, 'ledger.db')),
        tables: new SqliteTables(join(place, 'tables.db')),
      }
    },
  }
}

function secretIn(folder: string): Uint8Array {
  const file = join(folder, 'secret')
  if (!existsSync(file)) makeSecret(file)
  const secret = readFileSync(file)
  if (secret.length < 32) {
    throw new Error(`${file} is damaged: it has ${secret.length} bytes, not 32. Restore it.`)
  }
  return secret
}

/**
 * Whole, on disk, and made once: servers that start at the same time on an empty folder all get here,
 * before the ledger says whose the folder is.
 */
function makeSecret(file: string): void {
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, randomBytes(32), { mode: 0o600, flush: true })
  try {
    // Unlike a rename, a link never replaces what somebody else made first.
    linkSync(draft, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(draft, { force: true })
  }
}
