import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { freePort, ServerProcess } from '../chaos/server-process.ts'
import { crowd } from './crowd.ts'

const SIZE = 1000
/** What garbage collection may leave lying about; a thousand waiters that leak cost more. */
const SLACK_MB = 60

test('locks §14: a thousand sessions wait with a thousand tickets, without growth, and leave nothing behind', async () => {
  const data = await mkdtemp(join(tmpdir(), 'sluice-waiting-'))
  const server = await ServerProcess.start({ data, port: await freePort() })
  onTestFinished(async () => {
    await server.kill()
    await rm(data, { recursive: true, force: true })
  })
  const { sessions, waiting, memory, left } = await crowd(server, SIZE, 1000)
  expect(sessions).toBeGreaterThanOrEqual(SIZE)
  expect(waiting).toBe(SIZE)
  expect(left).toMatchObject({ waiting: 0, locks: 100 })
  expect(left.sessions).toBe(sessions - SIZE + 1)
  expect(memory.later).toBeLessThanOrEqual(memory.full + SLACK_MB)
}, 60_000)
