import { join } from 'node:path'
import type { Pair } from './difference.ts'
import type { Place } from './folder/make.ts'
import type { ServerCommand } from './stdio-server.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const OFFICIAL = 'node_modules/@modelcontextprotocol/server-filesystem/dist/index.js'

/** How to start a server on a folder. */
export type CommandOf = (place: Place, folder: string) => ServerCommand

/** Both servers, as the configuration of a client has them. */
export function commandsOf(): Pair<CommandOf> {
  return {
    official: (place, folder) => ({
      argv: [process.execPath, join(ROOT, OFFICIAL), folder],
      ...surroundings(place),
    }),
    ours: (place, folder) => ({
      argv: [process.execPath, join(ROOT, 'bin', 'sluice.cjs'), 'mcp', '--idle-exit', '2', folder],
      ...surroundings(place),
    }),
  }
}

/** Both run in the same: of a home that is empty, in one time zone, without settings of whoever runs the tests. */
function surroundings({ base, home }: Place): Pick<ServerCommand, 'cwd' | 'env'> {
  const { PATH, TMPDIR, NODE_COMPILE_CACHE } = process.env
  return { cwd: base, env: { PATH, TMPDIR, NODE_COMPILE_CACHE, HOME: home, TZ: 'UTC' } }
}
