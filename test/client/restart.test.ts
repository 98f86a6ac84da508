import { expect, test } from 'vitest'
import type { Notice, WatchEvent } from '../../src/client/index.ts'
import { cable, codeOf, Killable } from './killable.ts'

test('locks §26, §28: a client comes back after a restart in its session, with its locks', async () => {
  const server = await Killable.start()
  const sluice = await server.connect()
  const { session } = sluice
  const lock = await sluice.workspace().lock('/a', { level: 'exclusive', ttl: 600 })
  await server.restart()
  await sluice.workspace().write('/a', 'mine', { lock })
  expect(sluice.session).toBe(session)
  const { locks } = await sluice.workspace().locks()
  expect(locks).toMatchObject([{ id: lock.id, session, level: 'exclusive' }])
  expect(lock.state).toBe('held')
  expect(lock.signal.aborted).toBe(false)
})

test('locks §11, files §11: commands that were under way when the server was killed are done once', async () => {
  const server = await Killable.start()
  const sluice = await server.connect()
  const lines = Array.from({ length: 300 }, (_, index) => `line ${index}`)
  const appends = lines.map((line) => sluice.workspace().append('/log', `${line}\n`))
  await Promise.race(appends)
  await server.restart()
  await Promise.all(appends)
  const text = (await sluice.workspace().read('/log')).text()
  expect(text.trimEnd().split('\n').sort()).toEqual([...lines].sort())
})

test('locks §9, §28: a client that waits for a lock goes on waiting across a restart', async () => {
  const server = await Killable.start()
  const [holder, waiter] = [await server.connect(), await server.connect()]
  const held = await holder.workspace().lock('/a', { ttl: 600 })
  const waiting = waiter.workspace().lock('/a', { wait: 60 })
  while ((await holder.workspace().locks()).waiting.length === 0) {}
  await server.restart()
  await held.release()
  const lock = await waiting
  expect((await holder.workspace().locks()).locks).toMatchObject([{ id: lock.id }])
})

test('guard §1: those who share a connection hear what concerns them after a restart, unasked', async () => {
  const server = await Killable.start()
  const [giver, shared] = [await server.connect(), await server.connect()]
  const one = shared.as('one')
  await one.workspace().lock('/a')
  const lock = await giver.workspace().lock('/b', { ttl: 600 })
  await server.restart()
  const told = new Promise<Notice>((resolve) => {
    one.workspace().onNotice((notice) => {
      if (notice.kind === 'handed_over') resolve(notice)
    })
  })
  await shared.workspace().status()
  await lock.handOver(one.session)
  expect(await told).toMatchObject({ paths: ['/b'] })
})

test('I11: a watch goes on across restarts without a gap and without a fact twice', async () => {
  const server = await Killable.start()
  const [writer, watcher] = [await server.connect(), await server.connect()]
  await writer.workspace().write('/f', '0')
  const stop = new AbortController()
  const seen: WatchEvent[] = []
  const watching = (async () => {
    const events = watcher.workspace().watch({ since: 0, path: '/f', signal: stop.signal })
    for await (const event of events) {
      seen.push(event)
      if (seen.length === 31) return
    }
  })()
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 10; i++) await writer.workspace().append('/f', '.')
    await server.restart()
  }
  await watching
  const { versions } = await writer.workspace().history('/f')
  expect(seen.map(({ revision }) => revision)).toEqual(
    versions.map(({ version }) => version).reverse(),
  )
})

test('I11: a watch from now on misses nothing that happens while its connection is lost', async () => {
  const server = await Killable.start()
  const line = await cable(server.url)
  const writer = await server.connect()
  const watcher = await server.connect({ url: line.url })
  const events = watcher.workspace().watch({ path: '/f' })
  const first = events.next()
  // The answer to this call comes after the watch has begun.
  await watcher.workspace().status()
  line.cut()
  const { version } = await writer.workspace().write('/f', 'x')
  line.join()
  expect((await first).value).toMatchObject({ revision: version, kind: 'files-committed' })
  await events.return(undefined)
})

test('files §6: large contents go over HTTP by themselves, across a restart too', async () => {
  const server = await Killable.start()
  const sluice = await server.connect()
  const content = new Uint8Array(3_000_000).map((_, index) => (index * 7) % 251)
  const { version, size } = await sluice.workspace().write('/large', content)
  expect(size).toBe(content.length)
  await server.restart()
  const read = await sluice.workspace().read('/large')
  expect(read.version).toBe(version)
  expect(Buffer.from(read.bytes).equals(content)).toBe(true)
  const part = await sluice.workspace().read('/large', { range: [1_000_000, 1_000_010] })
  expect(part.bytes).toEqual(content.slice(1_000_000, 1_000_010))
  await server.kill()
  const writing = sluice.workspace().write('/large', content.subarray(1), { ifVersion: version })
  await server.startAgain()
  expect((await writing).size).toBe(content.length - 1)
  expect(await codeOf(sluice.workspace().write('/large', content, { ifVersion: 1 }))).toBe(
    'stale_version',
  )
})
