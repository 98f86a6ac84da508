import type { Server } from 'node:http'

/** Follows the requests under way, so that a server can end as soon as the last was answered. */
export interface Drain {
  /** Cuts all connections once nothing is under way any more, at the latest after `mostMs`. */
  end(mostMs: number): void
}

export function createDrain(server: Server): Drain {
  let underWay = 0
  let ending = false
  const cutWhenDone = () => {
    // Node counts a connection that never asked anything as busy, and would wait for it.
    if (ending && underWay === 0) server.closeAllConnections()
  }
  server.on('request', (_request, response) => {
    underWay += 1
    response.once('close', () => {
      underWay -= 1
      cutWhenDone()
    })
  })
  return {
    end(mostMs) {
      ending = true
      const timer = setTimeout(() => server.closeAllConnections(), mostMs)
      server.once('close', () => clearTimeout(timer))
      cutWhenDone()
    },
  }
}
