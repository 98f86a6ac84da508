import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { freePort, ServerProcess } from './server-process.ts'

test('contract §3: a second server on the same data folder is refused, naming the first one’s process and address', async () => {
  const data = await mkdtemp(join(tmpdir(), 'sluice-two-'))
  const first = await ServerProcess.start({ data, port: await freePort() })
  onTestFinished(async () => {
    await first.kill()
    await rm(data, { recursive: true, force: true })
  })
  const second = new ServerProcess({ data, port: await freePort() })
  expect(await second.exited).toBe(1)
  expect(second.complaints).toContain(`Process ${first.pid} at ${first.url} serves`)
  const health = await fetch(`${first.url}/health`)
  expect(await health.json()).toMatchObject({ status: 'ok' })
})

test('contract §3: a server that was killed leaves nothing that keeps the next one out', async () => {
  const data = await mkdtemp(join(tmpdir(), 'sluice-two-'))
  onTestFinished(() => rm(data, { recursive: true, force: true }))
  const port = await freePort()
  const first = await ServerProcess.start({ data, port })
  await first.kill()
  const second = await ServerProcess.start({ data, port })
  expect(await second.stop()).toBe(0)
})
