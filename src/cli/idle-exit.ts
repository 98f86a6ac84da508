import type { Server } from 'node:http'

/** Calls `onIdle` once the server had no connection, and so no request and no session, that long. */
export function watchIdle(server: Server, idleMs: number, onIdle: () => void): void {
  let open = 0
  let timer = setTimeout(onIdle, idleMs)
  server.on('connection', (socket) => {
    open += 1
    clearTimeout(timer)
    socket.once('close', () => {
      open -= 1
      if (open === 0) timer = setTimeout(onIdle, idleMs)
    })
  })
}
