/** etcd as waiters see it: its own lock service, whose Lock answers when the turn has come. */
import type { Stage } from '../stage.ts'
import { grantLease, launchEtcd } from './etcd.ts'
import { bytesField, readBytes, varintField } from './grpc.ts'
import { type HotLocks, Stuck } from './hot-lock.ts'
import { CONNECTIONS } from './lock-service.ts'

/**
 * With many waiters the lock service of etcd may stop answering for good, to everybody
 * (github.com/etcd-io/etcd/issues/13336). Nobody who waits hears of it, so we must notice.
 */
const STUCK_MS = 10_000

export async function startEtcdHot(stage: Stage, mayInstall: boolean): Promise<HotLocks | null> {
  const etcd = await launchEtcd(stage, mayInstall)
  if (etcd === null) return null
  const { version, connections, stop } = etcd
  const patience = new Patience()
  return {
    name: 'etcd lock',
    facts: `etcd ${version}, one member, defaults (WAL fsync on); v3lock Lock (blocks on the server) and Unlock, a lease a worker; gRPC by hand over node:http2, ${CONNECTIONS} connections`,
    async again() {
      for (const connection of connections) connection.close()
      await stop()
      const next = await startEtcdHot(stage, false)
      if (next === null) throw new Error('etcd did not start again')
      return next
    },
    async worker(index) {
      const connection = connections[index % CONNECTIONS]!
      const lease = index + 1
      await grantLease(connection, lease)
      return {
        async lock(path) {
          const request = Buffer.concat([bytesField(1, path), varintField(2, lease)])
          const answer = await patience.with(connection.call('/v3lockpb.Lock/Lock', request))
          const key = readBytes(answer, 2)
          if (key.length === 0) throw new Error(`etcd did not grant ${path}`)
          return () => connection.call('/v3lockpb.Lock/Unlock', bytesField(1, key))
        },
      }
    },
  }
}

/** Ends when something waits and nothing at all has been answered for long. */
class Patience {
  private readonly waiting = new Set<(error: Error) => void>()
  private heardAt = 0
  private timer: NodeJS.Timeout | undefined

  with(answer: Promise<Buffer>): Promise<Buffer> {
    if (this.waiting.size === 0) this.heardAt = performance.now()
    this.timer ??= setInterval(() => this.look(), STUCK_MS / 10).unref()
    return new Promise((resolve, reject) => {
      this.waiting.add(reject)
      answer.then(resolve, reject).finally(() => {
        this.waiting.delete(reject)
        this.heardAt = performance.now()
      })
    })
  }

  private look(): void {
    if (this.waiting.size === 0 || performance.now() - this.heardAt < STUCK_MS) return
    clearInterval(this.timer)
    for (const reject of this.waiting) reject(new Stuck('etcd grants nothing any more'))
  }
}
