/** etcd as a lock service: a lease a worker, put-if-absent under it, delete. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { sleep, type Work } from '../measure.ts'
import { freePort, isListening, type Stage, untilReady } from '../stage.ts'
import { bytesField, GrpcConnection, readVarint, varintField } from './grpc.ts'
import { findProgram } from './install.ts'
import { CONNECTIONS, LEASE_SECONDS, type LockService } from './lock-service.ts'

const TARGET_CREATE = 1

export interface Etcd {
  version: string | undefined
  connections: readonly GrpcConnection[]
  stop(): Promise<void>
}

export async function startEtcd(stage: Stage, mayInstall: boolean): Promise<LockService | null> {
  const etcd = await launchEtcd(stage, mayInstall)
  if (etcd === null) return null
  const { version, connections } = etcd
  return {
    name: 'etcd',
    facts: `etcd ${version}, one member, defaults (WAL fsync on); txn put-if-absent under the worker's lease, delete; gRPC by hand over node:http2, ${CONNECTIONS} connections`,
    worker: (index) => openWorker(connections[index % CONNECTIONS]!, index),
  }
}

/** One member on an empty folder, ready for proposals. */
export async function launchEtcd(stage: Stage, mayInstall: boolean): Promise<Etcd | null> {
  const program = findProgram({ name: 'etcd', package: 'etcd-server' }, mayInstall)
  if (program === undefined) return null
  const [clientPort, peerPort] = [await freePort(), await freePort()]
  const url = `http://127.0.0.1:${clientPort}`
  const peerUrl = `http://127.0.0.1:${peerPort}`
  const settings = {
    name: 'bench',
    'data-dir': join(stage.folder, `etcd-${clientPort}`),
    'listen-client-urls': url,
    'advertise-client-urls': url,
    'listen-peer-urls': peerUrl,
    'initial-advertise-peer-urls': peerUrl,
    'initial-cluster': `bench=${peerUrl}`,
    'log-level': 'error',
  }
  const args = Object.entries(settings).map(([name, value]) => `--${name}=${value}`)
  const child = stage.spawn(program, args)
  await untilReady(child, () => isListening(clientPort))
  const connections = Array.from({ length: CONNECTIONS }, () => new GrpcConnection(url))
  stage.atEnd(() => {
    for (const connection of connections) connection.close()
  })
  await untilLeader(connections[0]!)
  const version = /etcd Version: (\S+)/.exec(
    spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout,
  )?.[1]
  return { version, connections, stop: child.stop }
}

/** A fresh member refuses proposals until it has elected itself. */
async function untilLeader(connection: GrpcConnection): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await grantLease(connection, 1_000_000)
      return
    } catch (error) {
      if (attempt === 100) throw error
      await sleep(50)
    }
  }
}

export async function grantLease(connection: GrpcConnection, lease: number): Promise<void> {
  const request = Buffer.concat([varintField(1, LEASE_SECONDS * 12), varintField(2, lease)])
  await connection.call('/etcdserverpb.Lease/LeaseGrant', request)
}

async function openWorker(connection: GrpcConnection, index: number): Promise<Work> {
  // Leases outlive the run; a worker keeps its own when it is opened again.
  const lease = index + 1
  await grantLease(connection, lease).catch((error: unknown) => {
    if (!String(error).includes('already exists')) throw error
  })
  const key = `/worker/${index}.md`
  const absent = Buffer.concat([varintField(2, TARGET_CREATE), bytesField(3, key)])
  const release = bytesField(1, key)
  let turn = 0
  return async () => {
    turn += 1
    const put = Buffer.concat([
      bytesField(1, key),
      bytesField(2, `${index}:${turn}`),
      varintField(3, lease),
    ])
    const transaction = Buffer.concat([bytesField(1, absent), bytesField(2, bytesField(2, put))])
    const taken = readVarint(await connection.call('/etcdserverpb.KV/Txn', transaction), 2)
    if (taken !== 1) throw new Error(`etcd did not grant ${key}`)
    const deleted = readVarint(await connection.call('/etcdserverpb.KV/DeleteRange', release), 2)
    if (deleted !== 1) throw new Error(`etcd did not release ${key}`)
  }
}
