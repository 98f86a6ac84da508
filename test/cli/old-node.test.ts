import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { expect, test } from 'vitest'
import { Place } from './sluice.ts'

/** The Node of this machine, as a user has it: not the one that npm scripts put before it. */
function hostNode(): { path: string; version: string } | undefined {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, process.platform === 'win32' ? 'node.exe' : 'node')
    if (folder.includes('node_modules') || !existsSync(path)) continue
    return { path, version: execFileSync(path, ['--version'], { encoding: 'utf8' }).trim() }
  }
  return undefined
}

const host = hostNode()
const [major = 0, minor = 0] = (host?.version ?? 'v99').slice(1).split('.').map(Number)
const isOld = major < 22 || (major === 22 && minor < 18)
const why =
  host === undefined ? 'no Node outside node_modules' : `the host's Node is ${host.version}`

test.skipIf(!isOld)(
  `contract: the command works where the host's Node is too old (${why})`,
  async () => {
    const place = new Place()
    const node = host?.path ?? ''
    const server = place.start(['serve', '--port', '0'], { node })
    await server.says(/^sluice ready http:\S+\n/)
    expect((await place.run(['put', '/a'], { node, input: 'old' })).code).toBe(0)
    expect((await place.run(['cat', '/a'], { node })).out).toBe('old')
    expect((await place.run(['cat', '/nope'], { node })).code).toBe(5)
    expect((await server.stop()).code).toBe(0)
  },
)

if (!isOld) console.log(`old-node.test.ts skips: ${why}, which is new enough.`)
