import type { IncomingMessage, Server } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { LIMITS } from '../../contract/limits.ts'
import type { EngineApi } from '../../engine/api.ts'
import { type FailureLimit, refuseToken } from '../http-kit/failure-limit.ts'
import { Peer } from './peer.ts'

/** Answers `GET /v1/socket` on the HTTP server. Host and Origin are checked before the upgrade. */
export function mountSocket(
  server: Server,
  engine: EngineApi,
  failures: FailureLimit,
  isAllowed: (request: IncomingMessage) => boolean,
): { close(): void } {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: LIMITS.socketFrameBytes,
    perMessageDeflate: false,
    clientTracking: true,
  })
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // A client that is gone before it has its answer is no fault of ours.
    socket.on('error', () => socket.destroy())
    // A client whose machine or network is gone says no goodbye; the system notices in the end.
    if (socket instanceof Socket) socket.setKeepAlive(true, KEEP_ALIVE_MS)
    // Not `new URL`, which throws on what a stranger may send here.
    const [path] = (request.url ?? '').split('?', 1)
    if (path !== '/v1/socket') return refuseUpgrade(socket, '404 Not Found')
    if (!isAllowed(request)) return refuseUpgrade(socket, '403 Forbidden')
    if (sockets.clients.size >= LIMITS.connections) {
      return refuseUpgrade(socket, '503 Service Unavailable')
    }
    const address = request.socket.remoteAddress ?? ''
    sockets.handleUpgrade(
      request,
      socket,
      head,
      (webSocket) => new Peer(webSocket, engine, () => refuseToken(failures, address)),
    )
  })
  return {
    close() {
      for (const client of sockets.clients) client.close(1001, 'the server is stopping')
      sockets.close()
    },
  }
}

const KEEP_ALIVE_MS = 30_000

function refuseUpgrade(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}
