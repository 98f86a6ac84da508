import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { serverNote } from '../../src/server-note.ts'
import { isAlive, Place, until } from './sluice.ts'

test('contract §3: serve prints one line when it is ready, and where the first token is on stderr', async () => {
  const place = new Place()
  const server = await place.serve()
  expect(server.out).toMatch(/^sluice ready http:\/\/127\.0\.0\.1:\d+\n$/)
  expect(server.err).toContain(join(place.data, 'admin.token'))
  expect(server.err).not.toContain(await place.token())
  expect(statSync(join(place.data, 'admin.token')).mode & 0o777).toBe(0o600)
  const health = await fetch(`${server.url}/health`)
  expect(await health.json()).toEqual({
    status: 'ok',
    instance: serverNote(place.data)?.instance,
  })
})

test('contract §6: pages of origins named in the configuration may read answers, also over sockets', async () => {
  const place = new Place()
  const origins = ['https://App.example/', 'http://localhost:5173']
  writeFileSync(
    join(place.folder, 'sluice.config.json'),
    JSON.stringify({ 'allow-origin': origins }),
  )
  const { url } = await place.serve()
  const told = async (origin: string) => {
    const { status, headers } = await fetch(`${url}/health`, { headers: { origin } })
    return [status, headers.get('access-control-allow-origin')]
  }
  expect(await told('https://app.example')).toEqual([200, 'https://app.example'])
  expect(await told('http://localhost:5173')).toEqual([200, 'http://localhost:5173'])
  expect(await told('http://localhost:5174')).toEqual([200, null])
  expect(await told('https://evil.example')).toEqual([403, null])
  const upgrades = async (origin: string) => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/socket`, { origin })
    return new Promise<boolean>((resolve) => {
      socket.on('open', () => resolve(true))
      socket.on('error', () => resolve(false))
    }).finally(() => socket.terminate())
  }
  expect(await upgrades('https://app.example')).toBe(true)
  expect(await upgrades('https://evil.example')).toBe(false)
  const shown = await place.run(['config', '--json'])
  expect(shown.out).toContain('http://localhost:5173')
})

test('contract §3: SIGTERM drains and exits 0, and the data is there at the next start', async () => {
  const place = new Place()
  const first = await place.serve()
  await place.run(['put', '/a'], { input: 'kept' })
  expect(await first.stop()).toMatchObject({ code: 0, out: expect.stringMatching(/^[^\n]+\n$/) })
  expect(serverNote(place.data)).toBeUndefined()
  const second = await place.serve()
  expect(second.err).toBe('')
  expect((await place.run(['cat', '/a'])).out).toBe('kept')
  expect((await second.stop('SIGINT')).code).toBe(0)
})

test('contract §3: a second server on a data folder is refused, naming the first one', async () => {
  const place = new Place()
  const first = await place.serve()
  const second = await place.run(['serve', '--port', '0'])
  expect(second.code).not.toBe(0)
  expect(second.out).toBe('')
  expect(second.err).toContain(`Process ${serverNote(place.data)?.pid} at ${first.url}`)
  expect((await fetch(`${first.url}/health`)).status).toBe(200)
})

test('contract §3: the note of a server that was killed misleads nobody', async () => {
  const place = new Place()
  const killed = await place.serve()
  await killed.stop('SIGKILL')
  expect(serverNote(place.data)).toBeDefined()
  const none = await place.run(['status'])
  expect(none).toMatchObject({ code: 13, out: '' })
  expect(none.err).toContain('No server runs on')
  // Another server took the port: it is not the one of this folder.
  const other = new Place()
  const { port } = new URL(killed.url)
  const stranger = other.start(['serve', '--port', port])
  await stranger.says(/ready/)
  expect((await place.run(['status'])).code).toBe(13)
  await stranger.stop()
  await place.serve()
  expect((await place.run(['status'])).code).toBe(0)
})

test('serve: a port that is taken is said plainly, and the folder is free again', async () => {
  const place = new Place()
  const taken = createServer().listen(0, '127.0.0.1')
  const { port } = await until(() => (taken.address() as { port: number } | null) ?? undefined)
  const refused = await place.run(['serve', '--port', String(port)])
  taken.close()
  expect(refused.code).toBe(1)
  expect(refused.err).toContain(`Port ${port} of 127.0.0.1 is in use`)
  await place.serve()
})

test('contract §3: what makes no sense is refused in a sentence', async () => {
  const place = new Place()
  const folders: [string, string][] = [
    ['docs=/srv/docs', 'There is no such folder'],
    ['/srv', 'is not NAME=DIR'],
    ['Docs=/tmp', 'is not NAME=DIR'],
    ['docs=/', 'is the whole disk'],
  ]
  for (const [given, text] of folders) {
    const folder = await place.run(['serve', '--folder', given])
    expect(folder.code).toBe(2)
    expect(folder.err).toContain(text)
  }
  expect((await place.run(['serve', '--port', 'x'])).err).toContain('"x" is not a number')
  expect((await place.run(['serve', '--port', '70000'])).err).toContain('ports are 0 to 65535')
  const file = join(place.folder, 'file')
  writeFileSync(file, '')
  const wrong = await place.run(['serve', '--port', '0', '--data', join(file, 'x')])
  expect(wrong.code).toBe(1)
  expect(wrong.err).toContain('cannot be made: ENOTDIR')
})

test('serve: a damaged ledger is told with what to do, and nothing is changed', async () => {
  const place = new Place()
  const server = await place.serve()
  for (const name of ['a', 'b', 'c']) await place.run(['put', `/${name}`], { input: name })
  await server.stop()
  const file = join(place.data, 'workspaces', 'main', 'ledger.db')
  const bytes = readFileSync(file)
  const at = bytes.lastIndexOf('admin:cli')
  bytes.write('nobody:no', at)
  writeFileSync(file, bytes)
  const refused = await place.run(['serve', '--port', '0'])
  expect(refused).toMatchObject({ code: 1, out: '' })
  expect(refused.err).toMatch(
    /^sluice: The ledger is damaged at revision \d.* Restore the data folder/,
  )
  expect(readFileSync(file).equals(bytes)).toBe(true)
})

test('serve: tables that were deleted are built again from the ledger', async () => {
  const place = new Place()
  const server = await place.serve()
  await place.run(['put', '/a'], { input: 'kept' })
  await server.stop()
  for (const stream of ['server', 'workspaces/main']) {
    rmSync(join(place.data, stream, 'tables.db'))
  }
  await place.serve()
  expect((await place.run(['cat', '/a'])).out).toBe('kept')
})

test('serve: with --idle-exit it ends by itself once nobody is connected', async () => {
  const place = new Place()
  const server = await place.serve('--idle-exit', '0.5')
  const watcher = place.start(['watch'])
  await until(async () => ((await sessionsOf(place)) > 1 ? true : undefined))
  await new Promise((resolve) => setTimeout(resolve, 900))
  expect(isAlive(server.child.pid as number)).toBe(true)
  await watcher.stop()
  expect((await server.ended()).code).toBe(0)
})

async function sessionsOf(place: Place): Promise<number> {
  const { out } = await place.run(['call', 'list_sessions'])
  return (JSON.parse(out) as { sessions: unknown[] }).sessions.length
}
