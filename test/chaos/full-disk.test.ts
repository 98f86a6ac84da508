import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect, type Sluice, SluiceError } from '../../src/client/index.ts'
import { Random } from './random.ts'
import { freePort, ServerProcess } from './server-process.ts'
import { mountSmallDisk, type SmallDisk } from './small-disk.ts'

const disk = await mountSmallDisk(12)
const reason = 'skip' in disk ? disk.skip : undefined
if (reason !== undefined) console.log(`full disk: skipped, ${reason}`)

let server: ServerProcess
let filler: string
const data = () => join((disk as SmallDisk).folder, 'data')

beforeAll(async () => {
  if (reason !== undefined) return
  filler = join((disk as SmallDisk).folder, 'filler')
  await writeFile(filler, new Uint8Array(4 * 1024 * 1024))
  server = await ServerProcess.start({ data: data(), port: await freePort() })
})

afterAll(async () => {
  if (reason !== undefined) return
  await server.kill()
  await (disk as SmallDisk).remove()
})

const client = () => connect({ url: server.url, token: server.adminToken, retryMs: 20_000 })

/** Writes until the server says that it has no room; what it took, and what it said. */
async function fill(sluice: Sluice, sizeBytes: number, random: Random) {
  const kept = new Map<string, Uint8Array>()
  for (let i = 0; i < 1000; i++) {
    const path = `/fill/${sizeBytes}-${i}`
    const content = random.bytes(sizeBytes)
    try {
      await sluice.workspace().write(path, content)
      kept.set(path, content)
    } catch (error) {
      if (error instanceof SluiceError) return { kept, refusal: error.problem }
      throw error
    }
  }
  throw new Error('the disk never became full')
}

async function expectAll(sluice: Sluice, kept: Map<string, Uint8Array>): Promise<void> {
  for (const [path, content] of kept) {
    const { bytes } = await sluice.workspace().read(path)
    expect(Buffer.from(bytes).equals(content), path).toBe(true)
  }
}

/** The same call until the server takes it again: it says itself when to come back. */
async function untilTaken(write: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await write()
      return
    } catch (error) {
      if (!(error instanceof SluiceError) || error.problem.retry !== 'after' || tries > 100)
        throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

test.skipIf(reason !== undefined)(
  'allocation §A24: on a full disk writes are server_full, nothing promised is lost, and it goes on once there is room',
  async () => {
    const sluice = await client()
    const random = new Random(1)
    const lock = await sluice.workspace().lock('/held', { ttl: 3600 })
    const small = await fill(sluice, 40_000, random)
    expect(small.refusal).toMatchObject({ code: 'server_full', status: 507, retry: 'after' })
    const large = await fill(sluice, 150_000, random)
    expect(large.refusal.code).toBe('server_full')
    await expectAll(sluice, small.kept)
    await expectAll(sluice, large.kept)
    await rm(filler)
    await untilTaken(() => sluice.workspace().write('/after', 'room again'))
    const { locks } = await sluice.workspace().locks()
    expect(locks.map(({ id }) => id)).toEqual([lock.id])
    await server.kill()
    server = await ServerProcess.start(server.setUp)
    await expectAll(sluice, small.kept)
    await expectAll(sluice, large.kept)
    expect((await sluice.workspace().read('/after')).text()).toBe('room again')
    expect((await sluice.call('verify_audit', {})).value.ok).toBe(true)
    await sluice.close()
  },
  60_000,
)
