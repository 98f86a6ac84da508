/** Redis as waiters see it: whoever finds the lock taken tries again after a while. */
import { sleep } from '../measure.ts'
import type { Stage } from '../stage.ts'
import type { HotLocks } from './hot-lock.ts'
import { CONNECTIONS, LEASE_SECONDS } from './lock-service.ts'
import { launchRedis } from './redis.ts'

/** As Redis clients usually do it: 100 ms (redis-py) or less, at random, so that they spread. */
const RETRY_MS = { least: 50, most: 100 }

export async function startRedisHot(stage: Stage, mayInstall: boolean): Promise<HotLocks | null> {
  const redis = await launchRedis(stage, mayInstall)
  if (redis === null) return null
  const { version, connections, releaseHash } = redis
  const ttl = String(LEASE_SECONDS * 1000)
  let lost = 0
  return {
    name: 'Redis polling',
    facts: `Redis ${version}, appendonly yes, appendfsync always, no rewrite; SET NX PX, tried again after ${RETRY_MS.least} to ${RETRY_MS.most} ms at random; compare-and-delete by EVALSHA; RESP pipelined over ${CONNECTIONS} sockets`,
    lostTries: () => lost,
    async worker(index) {
      const connection = connections[index % CONNECTIONS]!
      let turn = 0
      return {
        async lock(path) {
          const key = `lock:${path}`
          turn += 1
          const token = `${index}:${turn}`
          while ((await connection.send('SET', key, token, 'NX', 'PX', ttl)) !== 'OK') {
            lost += 1
            await sleep(RETRY_MS.least + Math.random() * (RETRY_MS.most - RETRY_MS.least))
          }
          return async () => {
            const released = await connection.send('EVALSHA', releaseHash, '1', key, token)
            if (released !== 1) throw new Error(`Redis did not release ${key}: ${released}`)
          }
        },
      }
    },
  }
}
