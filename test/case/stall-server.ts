import { startServer } from '../../src/server.ts'

/**
 * A server in a process of its own that says how long its deciding thread was held at a stretch, in
 * CPU time of that thread: what else runs on the machine does not count.
 *
 * An immediate that sets itself again runs once in each turn of the event loop, so the time between two
 * of them is what one turn took, with everything that its callbacks awaited without waiting.
 */
let isWatching = false
let longestMs = 0
let last = 0

function usedMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

function turn(): void {
  if (!isWatching) return
  const now = usedMs()
  longestMs = Math.max(longestMs, now - last)
  last = now
  setImmediate(turn)
}

process.on('message', (message) => {
  if (message === 'watch') {
    longestMs = 0
    last = usedMs()
    isWatching = true
    setImmediate(turn)
    process.send?.({ watching: true })
  } else {
    isWatching = false
    process.send?.({ longestMs })
  }
})

const data = process.argv[2] as string
const server = await startServer({ data, host: '127.0.0.1', port: 0 })
process.on('disconnect', () => process.exit(0))
process.send?.({ url: server.url })
