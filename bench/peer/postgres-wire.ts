/** As much of PostgreSQL's protocol 3.0 as pipelined prepared statements take. Trust login only. */
import { connect, type Socket } from 'node:net'

type Settle = (result: { rows: number } | Error) => void

/** One socket. Each execution ends in its own Sync, so each is a transaction of its own. */
export class PostgresConnection {
  readonly #socket: Socket
  #pending: Buffer[] = []
  #waiting: Settle[] = []
  #next = 0
  #received: Buffer = Buffer.alloc(0)
  #rows = 0
  #fault: Error | undefined

  static async open(port: number, user: string): Promise<PostgresConnection> {
    const socket = await new Promise<Socket>((resolve, reject) => {
      const opened = connect({ port, host: '127.0.0.1', noDelay: true })
      opened.once('error', reject)
      opened.once('connect', () => resolve(opened))
    })
    const connection = new PostgresConnection(socket)
    const body = Buffer.from(`\0\x03\0\0user\0${user}\0database\0postgres\0\0`, 'latin1')
    await connection.#ask([Buffer.concat([int32(body.length + 4), body])])
    return connection
  }

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk) => this.#receive(chunk))
    socket.on('error', () => {})
    socket.on('close', () => {
      const fault = this.#fault ?? new Error('the connection to PostgreSQL closed')
      for (const settle of this.#waiting.splice(0).slice(this.#next)) settle(fault)
    })
  }

  /** Runs SQL as it stands; several statements are one transaction. */
  run(sql: string): Promise<number> {
    return this.#ask([message('Q', cString(sql))])
  }

  prepare(name: string, sql: string): Promise<number> {
    const body = Buffer.concat([cString(name), cString(sql), Buffer.from([0, 0])])
    return this.#ask([message('P', body), message('S')])
  }

  /** The number of rows inserted, updated or deleted. */
  execute(statement: string, values: readonly string[]): Promise<number> {
    const parts = [Buffer.from([0]), cString(statement), Buffer.from([0, 0, 0, values.length])]
    for (const value of values) parts.push(int32(Buffer.byteLength(value)), Buffer.from(value))
    parts.push(Buffer.from([0, 0]))
    return this.#ask([message('B', Buffer.concat(parts)), EXECUTE, SYNC])
  }

  close(): void {
    this.#socket.destroy()
  }

  #ask(messages: readonly Buffer[]): Promise<number> {
    if (this.#pending.length === 0) setImmediate(() => this.#flush())
    this.#pending.push(...messages)
    return new Promise((resolve, reject) => {
      this.#waiting.push((result) => {
        if (result instanceof Error) reject(result)
        else resolve(result.rows)
      })
    })
  }

  #flush(): void {
    this.#socket.write(Buffer.concat(this.#pending))
    this.#pending = []
  }

  #receive(chunk: Buffer): void {
    const data = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk])
    let offset = 0
    while (data.length - offset >= 5) {
      const end = offset + 1 + data.readUInt32BE(offset + 1)
      if (data.length < end) break
      this.#take(data[offset]!, data.subarray(offset + 5, end))
      offset = end
    }
    if (this.#next === this.#waiting.length) {
      this.#waiting = []
      this.#next = 0
    }
    this.#received = data.subarray(offset)
  }

  #take(kind: number, body: Buffer): void {
    switch (kind) {
      case 0x43: // CommandComplete, for example "INSERT 0 1"
        this.#rows = Number(/(\d+)\0$/.exec(body.toString('latin1'))?.[1] ?? 0)
        return
      case 0x45: // ErrorResponse
        this.#fault = new Error(body.toString('latin1').replaceAll('\0', ' '))
        return
      case 0x5a: // ReadyForQuery
        this.#waiting[this.#next]?.(this.#fault ?? { rows: this.#rows })
        this.#next += 1
        this.#rows = 0
        this.#fault = undefined
        return
      default:
    }
  }
}

const int32 = (value: number): Buffer => {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeInt32BE(value)
  return bytes
}

const cString = (text: string): Buffer => Buffer.from(`${text}\0`)

function message(kind: string, body: Buffer = Buffer.alloc(0)): Buffer {
  return Buffer.concat([Buffer.from(kind), int32(body.length + 4), body])
}

const EXECUTE = message('E', Buffer.concat([Buffer.from([0]), int32(0)]))
const SYNC = message('S')
