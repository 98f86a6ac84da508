/** etcd as waiters see it: its own lock service, whose Lock answers when the turn has come. */
import type { Stage } from '../stage.ts'
import { grantLease, launchEtcd } from './etcd.ts'
import { bytesField, readBytes, varintField } from './grpc.ts'
import type { HotLocks } from './hot-lock.ts'
import { CONNECTIONS } from './lock-service.ts'

export async function startEtcdHot(stage: Stage, mayInstall: boolean): Promise<HotLocks | null> {
  const etcd = await launchEtcd(stage, mayInstall)
  if (etcd === null) return null
  const { version, connections } = etcd
  return {
    name: 'etcd lock',
    facts: `etcd ${version}, one member, defaults (WAL fsync on); v3lock Lock (blocks on the server) and Unlock, a lease a worker; gRPC by hand over node:http2, ${CONNECTIONS} connections`,
    async worker(index) {
      const connection = connections[index % CONNECTIONS]!
      const lease = index + 1
      await grantLease(connection, lease)
      return {
        async lock(path) {
          const request = Buffer.concat([bytesField(1, path), varintField(2, lease)])
          const key = readBytes(await connection.call('/v3lockpb.Lock/Lock', request), 2)
          if (key.length === 0) throw new Error(`etcd did not grant ${path}`)
          return () => connection.call('/v3lockpb.Lock/Unlock', bytesField(1, key))
        },
      }
    },
  }
}
