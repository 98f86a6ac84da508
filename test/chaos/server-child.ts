import { flushCompileCache } from 'node:module'
import { LIMITS } from '../../src/contract/limits.ts'
import { FolderTaken, startServer } from '../../src/server.ts'

/**
 * A server as a process of its own, for tests to kill: `server-child.ts DATA PORT [FOLDER]`, where
 * the folder is the workspace `main`. Tests that would wait too long for a limit make it smaller with
 * `SLUICE_TEST_LIMITS` (JSON).
 */
const [data = '', port = '0', folder] = process.argv.slice(2)
const folders = folder === undefined ? {} : { main: [folder] }
Object.assign(LIMITS, JSON.parse(process.env.SLUICE_TEST_LIMITS ?? '{}'))

try {
  const server = await startServer({ data, host: '127.0.0.1', port: Number(port), folders })
  process.on('SIGTERM', () => {
    void server.close().then(() => process.exit(0))
  })
  console.log(`sluice ready ${server.url}`)
  // Whoever is killed would keep nothing for the next.
  flushCompileCache()
} catch (error) {
  console.error(error instanceof FolderTaken ? error.message : error)
  process.exit(1)
}
