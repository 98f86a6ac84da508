/** Sluice as a lock service, driven through its SDK. */
import { VERSION } from '../../src/contract/version.ts'
import { startSluice } from '../server.ts'
import type { Stage } from '../stage.ts'
import { CONNECTIONS, LEASE_SECONDS, type LockService } from './lock-service.ts'

export async function startSluiceLocks(stage: Stage): Promise<LockService> {
  const server = await startSluice(stage)
  const workspaces = await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => (await server.connect()).workspace('main')),
  )
  return {
    name: 'Sluice',
    facts: `Sluice ${VERSION}, defaults (SQLite ledger, synchronous FULL); lock, release through the SDK, ${CONNECTIONS} sockets`,
    worker: async (index) => {
      const workspace = workspaces[index % CONNECTIONS]!
      const path = `/worker/${index}.md`
      return async () => {
        const lock = await workspace.lock(path, { level: 'write', ttl: LEASE_SECONDS })
        await lock.release()
      }
    },
  }
}
