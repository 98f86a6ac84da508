import { expect, test } from 'vitest'
import { hostNode } from './host-node.ts'
import { Place } from './sluice.ts'

const host = hostNode()
const isOld = host?.isOld === true
const why =
  host === undefined ? 'no Node outside node_modules' : `the host's Node is ${host.version}`

test.skipIf(!isOld)(
  `contract §3: the command works where the host's Node is too old (${why})`,
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
