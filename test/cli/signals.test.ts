import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { Place, SLUICE, type Started } from './sluice.ts'

const RUNNER = fileURLToPath(new URL('../../bin/node.cjs', import.meta.url))

/** As where the Node that starts the command is too old for it: in a child of a first process. */
function startBehind(place: Place, words: readonly string[]): Started {
  const run = `require(${JSON.stringify(RUNNER)}).run(${JSON.stringify(words)})`
  return place.startAlone(['-e', run])
}

const COUNTING = `
require(${JSON.stringify(RUNNER)}).saySignals()
let count = 0
process.on('SIGINT', () => console.log('SIGINT', ++count))
process.on('SIGTERM', () => process.exit(7))
process.on('disconnect', () => process.exit(1))
setInterval(() => {}, 1000)
console.log('ready')
`

const hasGroups = process.platform !== 'win32'
if (!hasGroups) console.log('signals.test.ts skips: Windows sends no signal to a group.')

describe.skipIf(!hasGroups)('behind a Node that is too old', () => {
  test('what a terminal sends to the whole group reaches the command once', async () => {
    const started = startBehind(new Place(), ['-e', COUNTING])
    await started.says(/ready/)
    for (const count of [1, 2]) {
      process.kill(-(started.child.pid ?? 0), 'SIGINT')
      await started.says(new RegExp(`SIGINT ${count}\n`))
    }
    // Passed on after all that was sent before it.
    const { code, out } = await started.stop('SIGTERM')
    expect({ code, out }).toEqual({ code: 7, out: 'ready\nSIGINT 1\nSIGINT 2\n' })
  })

  test('what is sent to the first process alone reaches the command too', async () => {
    const started = startBehind(new Place(), ['-e', COUNTING])
    await started.says(/ready/)
    for (const count of [1, 2]) {
      started.child.kill('SIGINT')
      await started.says(new RegExp(`SIGINT ${count}\n`))
    }
    process.kill(-(started.child.pid ?? 0), 'SIGINT')
    await started.says(/SIGINT 3\n/)
    const { code, out } = await started.stop('SIGTERM')
    expect({ code, out }).toEqual({ code: 7, out: 'ready\nSIGINT 1\nSIGINT 2\nSIGINT 3\n' })
  })

  test('a command that listens for no signal ends by it, and so does the first process', async () => {
    const idle = 'console.log("ready"); setInterval(() => {}, 1000)'
    const started = startBehind(new Place(), ['-e', idle])
    await started.says(/ready/)
    await started.stop('SIGINT')
    expect(started.child.signalCode).toBe('SIGINT')
  })

  test('sluice mcp ends well at Ctrl-C', async () => {
    const place = new Place()
    await place.serve()
    const started = startBehind(place, [SLUICE, 'mcp'])
    const id = { jsonrpc: '2.0', id: 1 }
    const params = {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 't', version: '1' },
    }
    started.child.stdin.write(`${JSON.stringify({ ...id, method: 'initialize', params })}\n`)
    await started.says(/serverInfo/)
    process.kill(-(started.child.pid ?? 0), 'SIGINT')
    expect(await started.ended()).toMatchObject({ code: 0 })
  })
})
