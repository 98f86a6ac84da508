/** PostgreSQL as a lock service: a row is a lease, taken when absent or run out, given back by delete. */
import { spawnSync } from 'node:child_process'
import { chownSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Work } from '../measure.ts'
import { freePort, type Stage, untilReady } from '../stage.ts'
import { findProgram, postgresFolders } from './install.ts'
import { CONNECTIONS, LEASE_SECONDS, type LockService } from './lock-service.ts'
import { PostgresConnection } from './postgres-wire.ts'

const USER = 'bench'

const TABLE =
  'CREATE TABLE lease (path text PRIMARY KEY, token text NOT NULL, expires_at timestamptz NOT NULL)'

const ACQUIRE = `INSERT INTO lease VALUES ($1, $2, now() + interval '${LEASE_SECONDS} s')
  ON CONFLICT (path) DO UPDATE SET token = excluded.token, expires_at = excluded.expires_at
  WHERE lease.expires_at < now() RETURNING token`

const RELEASE = 'DELETE FROM lease WHERE path = $1 AND token = $2'

export async function startPostgres(
  stage: Stage,
  mayInstall: boolean,
  sockets = CONNECTIONS,
): Promise<LockService | null> {
  const from = { package: 'postgresql', folders: postgresFolders }
  const server = findProgram({ name: 'postgres', ...from }, mayInstall)
  const initdb = findProgram({ name: 'initdb', ...from }, mayInstall)
  if (server === undefined || initdb === undefined) return null
  const folder = join(stage.folder, `postgres-${sockets}`)
  mkdirSync(folder)
  const port = await freePort()
  if (!initialise(initdb, folder)) return null
  const [command, ...args] = asPlainUser([
    server,
    '-D',
    join(folder, 'data'),
    ...flags(port, folder),
  ])
  const child = stage.spawn(command!, args)
  await untilReady(child, () => accepts(port))
  const connections = await openAll(port, sockets)
  stage.atEnd(() => {
    for (const connection of connections) connection.close()
  })
  const version = spawnSync(server, ['--version'], { encoding: 'utf8' }).stdout.trim()
  return {
    name: sockets === CONNECTIONS ? 'PostgreSQL' : `PostgreSQL ×${sockets}`,
    facts: `${version}, fsync on, synchronous_commit on; INSERT … ON CONFLICT … WHERE expired RETURNING, DELETE; prepared, pipelined, each statement its own transaction, ${sockets} connections`,
    worker: async (index) => pair(connections[index % sockets]!, index),
  }
}

function flags(port: number, folder: string): string[] {
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: folder,
    fsync: 'on',
    synchronous_commit: 'on',
    // In its favour: no checkpoint falls into a round.
    max_wal_size: '8GB',
    checkpoint_timeout: '1h',
  }
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}

/** PostgreSQL refuses to run as root, so root runs it as the user its package made. */
function asPlainUser(command: readonly string[]): string[] {
  if (process.getuid?.() !== 0) return [...command]
  return ['runuser', '-u', 'postgres', '--', ...command]
}

function initialise(initdb: string, folder: string): boolean {
  if (process.getuid?.() === 0) {
    const ids = ['-u', '-g'].map((flag) =>
      spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }),
    )
    if (ids.some(({ status }) => status !== 0)) {
      console.error('there is no user "postgres" to run PostgreSQL as, so it is left out')
      return false
    }
    chownSync(folder, Number(ids[0]!.stdout), Number(ids[1]!.stdout))
  }
  const data = join(folder, 'data')
  const [command, ...args] = asPlainUser([
    initdb,
    '-D',
    data,
    '-U',
    USER,
    '--auth=trust',
    '-E',
    'UTF8',
  ])
  const { status, stderr } = spawnSync(command!, args, { cwd: '/', encoding: 'utf8' })
  if (status !== 0) console.error(`initdb failed, so PostgreSQL is left out:\n${stderr}`)
  return status === 0
}

/** It listens before it is ready, and refuses logins meanwhile. */
async function accepts(port: number): Promise<boolean> {
  try {
    const connection = await PostgresConnection.open(port, USER)
    connection.close()
    return true
  } catch {
    return false
  }
}

async function openAll(port: number, sockets: number): Promise<PostgresConnection[]> {
  const connections: PostgresConnection[] = []
  for (let index = 0; index < sockets; index += 1) {
    const connection = await PostgresConnection.open(port, USER)
    if (index === 0) await connection.run(TABLE)
    await connection.prepare('acquire', ACQUIRE)
    await connection.prepare('release', RELEASE)
    connections.push(connection)
  }
  return connections
}

function pair(connection: PostgresConnection, index: number): Work {
  const path = `/worker/${index}.md`
  let turn = 0
  return async () => {
    turn += 1
    const token = `${index}:${turn}`
    if ((await connection.execute('acquire', [path, token])) !== 1) {
      throw new Error(`PostgreSQL did not grant ${path}`)
    }
    if ((await connection.execute('release', [path, token])) !== 1) {
      throw new Error(`PostgreSQL did not release ${path}`)
    }
  }
}
