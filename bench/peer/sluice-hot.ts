/** Sluice as waiters see it: the SDK waits in the server's queue and is told. */
import { VERSION } from '../../src/contract/version.ts'
import { startSluice } from '../server.ts'
import type { Stage } from '../stage.ts'
import type { HotLocks } from './hot-lock.ts'
import { LEASE_SECONDS } from './lock-service.ts'

/** Longer than any wait here; whoever waits that long has been forgotten. */
const LONGEST_WAIT_S = 600

export async function startSluiceHot(stage: Stage): Promise<HotLocks> {
  const server = await startSluice(stage)
  const admin = await server.connect()
  return {
    name: 'Sluice',
    facts: `Sluice ${VERSION}, defaults (SQLite ledger, synchronous FULL); lock with wait, release through the SDK; each worker is an agent with a session and a socket of its own`,
    async worker(index) {
      const agent = `worker-${index}`
      await admin.call('put_agent', { name: agent })
      const workspace = (await server.connect({ agent })).workspace('main')
      return {
        async lock(path) {
          const lock = await workspace.lock(path, {
            level: 'write',
            ttl: LEASE_SECONDS,
            wait: LONGEST_WAIT_S,
          })
          return () => lock.release()
        },
      }
    },
  }
}
