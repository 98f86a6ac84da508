/** Redis as a lock service: SET NX PX, and a script that deletes only its own token. */
import { spawnSync } from 'node:child_process'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Work } from '../measure.ts'
import { freePort, isListening, type Stage, untilReady } from '../stage.ts'
import { findProgram } from './install.ts'
import { CONNECTIONS, LEASE_SECONDS, type LockService } from './lock-service.ts'

const RELEASE =
  "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) else return 0 end"

type Reply = string | number | null | Error

export interface Redis {
  version: string | undefined
  connections: readonly RespConnection[]
  /** Of the script that deletes a key if it has this token. */
  releaseHash: string
}

export async function startRedis(stage: Stage, mayInstall: boolean): Promise<LockService | null> {
  const redis = await launchRedis(stage, mayInstall)
  if (redis === null) return null
  const { version, connections, releaseHash } = redis
  return {
    name: 'Redis',
    facts: `Redis ${version}, appendonly yes, appendfsync always, no rewrite; SET NX PX, compare-and-delete by EVALSHA; RESP pipelined over ${CONNECTIONS} sockets`,
    worker: async (index) => pair(connections[index % CONNECTIONS]!, releaseHash, index),
  }
}

/** A durable server on an empty folder. */
export async function launchRedis(stage: Stage, mayInstall: boolean): Promise<Redis | null> {
  const program = findProgram({ name: 'redis-server', package: 'redis-server' }, mayInstall)
  if (program === undefined) return null
  const port = await freePort()
  const folder = join(stage.folder, 'redis')
  spawnSync('mkdir', ['-p', folder])
  const settings = {
    port: String(port),
    bind: '127.0.0.1',
    dir: folder,
    appendonly: 'yes',
    appendfsync: 'always',
    // In its favour: no rewrite of the log and no snapshot falls into a round.
    'auto-aof-rewrite-percentage': '0',
    save: '',
  }
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])
  const child = stage.spawn(program, args)
  await untilReady(child, () => isListening(port))
  const connections = await Promise.all(
    Array.from({ length: CONNECTIONS }, () => RespConnection.open(port)),
  )
  stage.atEnd(() => {
    for (const connection of connections) connection.close()
  })
  const first = connections[0]!
  const releaseHash = String(await first.send('SCRIPT', 'LOAD', RELEASE))
  const version = /redis_version:(\S+)/.exec(String(await first.send('INFO', 'server')))?.[1]
  return { version, connections, releaseHash }
}

function pair(connection: RespConnection, hash: string, index: number): Work {
  const key = `lock:/worker/${index}.md`
  const ttl = String(LEASE_SECONDS * 1000)
  let turn = 0
  return async () => {
    turn += 1
    const token = `${index}:${turn}`
    const taken = await connection.send('SET', key, token, 'NX', 'PX', ttl)
    if (taken !== 'OK') throw new Error(`Redis did not grant ${key}: ${taken}`)
    const released = await connection.send('EVALSHA', hash, '1', key, token)
    if (released !== 1) throw new Error(`Redis did not release ${key}: ${released}`)
  }
}

/** One socket, many requests in flight; what one turn of the event loop asks leaves in one write. */
export class RespConnection {
  readonly #socket: Socket
  #pending = ''
  #waiting: ((reply: Reply) => void)[] = []
  #next = 0
  #received: Buffer = Buffer.alloc(0)

  static open(port: number): Promise<RespConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true })
      socket.once('error', reject)
      socket.once('connect', () => resolve(new RespConnection(socket)))
    })
  }

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk) => this.#receive(chunk))
    socket.on('error', () => {})
    socket.on('close', () => {
      const fault = new Error('the connection to Redis closed')
      for (const settle of this.#waiting.splice(0).slice(this.#next)) settle(fault)
    })
  }

  send(...args: string[]): Promise<Reply> {
    if (this.#pending === '') setImmediate(() => this.#flush())
    // All of it is ASCII, so a string's length is its size in bytes.
    let command = `*${args.length}\r\n`
    for (const arg of args) command += `$${arg.length}\r\n${arg}\r\n`
    this.#pending += command
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #flush(): void {
    this.#socket.write(this.#pending, 'latin1')
    this.#pending = ''
  }

  #receive(chunk: Buffer): void {
    const data = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk])
    let offset = 0
    for (let reply = readReply(data, offset); reply !== undefined; ) {
      offset = reply.end
      this.#waiting[this.#next]?.(reply.value)
      this.#next += 1
      reply = readReply(data, offset)
    }
    if (this.#next === this.#waiting.length) {
      this.#waiting = []
      this.#next = 0
    }
    this.#received = data.subarray(offset)
  }
}

/** A simple string, error, integer or bulk string; undefined while it is incomplete. */
function readReply(data: Buffer, offset: number): { value: Reply; end: number } | undefined {
  const lineEnd = data.indexOf('\r\n', offset)
  if (lineEnd < 0) return undefined
  const line = data.toString('latin1', offset + 1, lineEnd)
  const end = lineEnd + 2
  switch (data[offset]) {
    case 0x2b: // +
      return { value: line, end }
    case 0x3a: // :
      return { value: Number(line), end }
    case 0x2d: // -
      return { value: new Error(line), end }
    default: {
      const size = Number(line)
      if (size < 0) return { value: null, end }
      if (data.length < end + size + 2) return undefined
      return { value: data.toString('latin1', end, end + size), end: end + size + 2 }
    }
  }
}
