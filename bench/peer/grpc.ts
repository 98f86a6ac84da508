/** As much of gRPC and protobuf as calling etcd takes: unary calls over node:http2. */
import { type ClientHttp2Session, connect, constants } from 'node:http2'

export class GrpcConnection {
  readonly #session: ClientHttp2Session

  constructor(url: string) {
    this.#session = connect(url)
    this.#session.on('error', () => {})
  }

  close(): void {
    this.#session.destroy()
  }

  /** @param method for example `/etcdserverpb.KV/Txn` */
  call(method: string, message: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const stream = this.#session.request({
        [constants.HTTP2_HEADER_METHOD]: 'POST',
        [constants.HTTP2_HEADER_PATH]: method,
        [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
        [constants.HTTP2_HEADER_TE]: 'trailers',
      })
      const chunks: Buffer[] = []
      let fault: string | undefined
      const check = (headers: Record<string, unknown>): void => {
        const status = headers['grpc-status']
        if (status !== undefined && status !== '0') fault = `${status} ${headers['grpc-message']}`
      }
      stream.on('response', check)
      stream.on('trailers', check)
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('error', reject)
      stream.on('end', () => {
        const body = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
        if (fault !== undefined) reject(new Error(`${method}: ${fault}`))
        else if (body.length < 5) reject(new Error(`${method}: no answer`))
        else resolve(body.subarray(5))
      })
      // One message: not compressed, then its length, then itself.
      const frame = Buffer.allocUnsafe(5 + message.length)
      frame[0] = 0
      frame.writeUInt32BE(message.length, 1)
      message.copy(frame, 5)
      stream.end(frame)
    })
  }
}

/** Field of wire type 0. Numbers stay below 2^53. */
export function varintField(field: number, value: number): Buffer {
  return Buffer.from([...varint(field << 3), ...varint(value)])
}

/** Field of wire type 2: a string, bytes, or a message within the message. */
export function bytesField(field: number, value: Buffer | string): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value
  return Buffer.concat([Buffer.from([...varint((field << 3) | 2), ...varint(bytes.length)]), bytes])
}

function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  while (rest > 127) {
    bytes.push((rest % 128) | 128)
    rest = Math.floor(rest / 128)
  }
  bytes.push(rest)
  return bytes
}

/** Value of the first field of that number and wire type 0; 0, the protocol's default, if absent. */
export function readVarint(message: Buffer, wanted: number): number {
  const { value, type } = find(message, wanted)
  return type === 0 ? value : 0
}

/** The first field of that number and wire type 2; empty, the protocol's default, if absent. */
export function readBytes(message: Buffer, wanted: number): Buffer {
  const { value, type, end } = find(message, wanted)
  return type === 2 ? message.subarray(end, end + value) : Buffer.alloc(0)
}

/** Of wire type 2 the value is a length, and what has it begins at `end`. */
function find(message: Buffer, wanted: number): { value: number; type: number; end: number } {
  let offset = 0
  const next = (): number => {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = message[offset] ?? 0
      offset += 1
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
  }
  while (offset < message.length) {
    const tag = next()
    const value = next()
    const type = tag & 7
    if (tag >> 3 === wanted) return { value, type, end: offset }
    // Only wire types 0 and 2 occur in the answers that are read here.
    if (type === 2) offset += value
  }
  return { value: 0, type: 0, end: offset }
}
