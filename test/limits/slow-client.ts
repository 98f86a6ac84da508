import { readdirSync, readlinkSync } from 'node:fs'
import { connect as connectTcp, type Socket } from 'node:net'
import { Packr } from 'msgpackr'
import { WebSocket } from 'ws'

const packr = new Packr({ useRecords: false })

/** Clients that ask and never read: what is sent to them fills the buffers on the way, and stays. */
export interface SlowClient {
  end(): void
}

/** Sends a request as it is and reads no more than the start of its answer. */
export function deafRequest(
  port: number,
  lines: readonly string[],
  body = '',
): Promise<SlowClient> {
  const length = body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]
  const head = [...lines, 'Host: localhost', ...length].join('\r\n')
  return new Promise((resolve, reject) => {
    const socket: Socket = connectTcp(port, '127.0.0.1', () => {
      socket.write(`${head}\r\n\r\n${body}`)
    })
    socket.on('error', reject)
    socket.once('data', (start: Buffer) => {
      socket.pause()
      if (start.toString('latin1').startsWith('HTTP/1.1 200'))
        return resolve({ end: () => socket.destroy() })
      return reject(new Error(start.toString('latin1')))
    })
  })
}

/** Says hello and these messages on a socket, and reads no more once it was welcomed. */
export function deafSocket(url: string, token: string, messages: unknown[]): Promise<SlowClient> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/socket`)
  socket.on('error', () => {})
  socket.once('open', () => socket.send(packr.pack([['hello', { token }]])))
  return new Promise((resolve) => {
    socket.once('message', () => {
      socket.pause()
      socket.send(packr.pack(messages), () => resolve({ end: () => socket.terminate() }))
    })
  })
}

/** How many sockets a process has open; undefined where the system does not say. */
export function socketsOf(pid: number): number | undefined {
  if (process.platform !== 'linux') return undefined
  const folder = `/proc/${pid}/fd`
  return readdirSync(folder).filter((fd) => {
    try {
      return readlinkSync(`${folder}/${fd}`).startsWith('socket:')
    } catch {
      return false
    }
  }).length
}
