import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { freePort, ServerProcess } from '../chaos/server-process.ts'
import { crowd } from './crowd.ts'

/** `node test/limits/waiting.ts --size 10000 --seconds 20`: prints what so many sessions cost. */
const { values } = parseArgs({
  options: { size: { type: 'string' }, seconds: { type: 'string' } },
})
const data = await mkdtemp(join(tmpdir(), 'sluice-waiting-'))
const server = await ServerProcess.start({ data, port: await freePort() })
const started = performance.now()
const holdMs = Number(values.seconds ?? 20) * 1000
const figures = await crowd(server, Number(values.size ?? 10_000), holdMs)
console.log({ ...figures, seconds: Math.round((performance.now() - started) / 1000) })
await server.stop()
await rm(data, { recursive: true, force: true })
