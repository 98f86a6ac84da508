import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { serverNote } from '../../src/server-note.ts'
import { answered, connectMcp, type Era } from './mcp-agent.ts'
import { isAlive, Place, until } from './sluice.ts'

test('contract §4: two sluice mcp that start at once on an empty folder share one server', async () => {
  const place = new Place()
  const [one, other] = await Promise.all([connectMcp(place), connectMcp(place)])
  const granted = await one.call('acquire_lock', { path: '/a', type: 'exclusive', ttl: 60 })
  expect(granted).toMatchObject({ status: 'granted' })
  const refused = await other.call('write_file', { path: '/a', content: 'x' })
  expect(refused).toMatchObject({ code: 'locked' })
  const [mine, others] = [await one.call('workspace_status'), await other.call('workspace_status')]
  expect(mine.session).not.toBe(others.session)
  // Their sessions end with them, and so do their locks.
  await one.client.close()
  await until(async () => {
    const written = await other.call('write_file', { path: '/a', content: 'x' })
    return written.code === undefined ? true : undefined
  })
})

test('contract §4: the shared server ends when it was idle for its time, and leaves no note', async () => {
  const place = new Place()
  const { client } = await connectMcp(place)
  const pid = serverNote(place.data)?.pid as number
  await client.close()
  // Idle so long on a slow machine, it may have ended before, and its successor has the note.
  await until(() => (serverNote(place.data) === undefined ? true : undefined))
  await until(() => (isAlive(pid) ? undefined : true))
  expect(existsSync(place.data)).toBe(true)
})

test('contract §4: sluice mcp uses the server that serves the data folder already', async () => {
  const place = new Place()
  const server = await place.serve()
  const agent = await connectMcp(place)
  await agent.call('write_file', { path: '/a', content: 'from mcp' })
  expect((await place.run(['cat', '/a'])).out).toBe('from mcp')
  expect(serverNote(place.data)?.pid).toBe(server.child.pid)
})

for (const era of ['legacy', 'auto'] satisfies Era[]) {
  test(`contract §4: --agent works as that agent, made when it is missing (${era})`, async () => {
    const place = new Place()
    await place.serve()
    const agent = await connectMcp(place, ['--agent', 'researcher', '--session', 'run-1'], era)
    await agent.call('write_file', { path: '/a', content: 'x'.repeat(1_500_000) })
    const text = await agent.call('read_text_file', { path: '/a' })
    expect(String(text.content)).toHaveLength(1_500_000)
    const status = await agent.call('workspace_status')
    expect(status).toMatchObject({
      agent: 'researcher',
      session: 'researcher:run-1',
      role: 'agent',
    })
    const { out } = await place.run(['call', 'list_sessions'])
    const { sessions } = JSON.parse(out) as { sessions: object[] }
    expect(sessions).toContainEqual(
      expect.objectContaining({
        id: 'researcher:run-1',
        connected: true,
        about: { client: `tester-${era}` },
      }),
    )
  })
}

test('sluice mcp outlives the shared server: the next call starts another, and the session goes on there', async () => {
  const place = new Place()
  const agent = await connectMcp(place)
  await agent.call('acquire_lock', { path: '/a', type: 'write', ttl: 300 })
  const { session } = await agent.call('workspace_status')
  const first = serverNote(place.data)?.pid as number
  process.kill(first, 'SIGKILL')
  const status = await until(async () => answered(await agent.call('workspace_status')))
  expect(status).toMatchObject({ session, locks: [{ items: [{ path: '/a' }] }] })
  expect(answered(await agent.call('write_file', { path: '/a', content: 'x' }))).toBeDefined()
  expect(serverNote(place.data)?.pid).not.toBe(first)
}, 40_000)

test('sluice mcp starts no server in the place of one that somebody else runs, and goes on with that', async () => {
  const place = new Place()
  const theirs = await place.serve()
  const agent = await connectMcp(place)
  const { session } = await agent.call('workspace_status')
  await theirs.stop()
  const asked = agent.call('workspace_status')
  // Time enough to start one: its note is there as soon as it serves.
  const next = await place.serve()
  expect(await asked).toMatchObject({ session })
  expect(serverNote(place.data)?.pid).toBe(next.child.pid)
})

test('sluice mcp: a set-up that cannot work is refused at the start, on stderr only', async () => {
  const place = new Place()
  await place.serve()
  const token = (await place.run(['agents', 'add', 'bob'])).code === 0 ? await bobsToken(place) : ''
  const cases: [string[], number, string][] = [
    [['docs'], 2, 'docs: There is no such folder'],
    [['--tools', 'read_file,nope'], 2, 'no such tools: nope'],
    [['--workspace', 'nope'], 5, 'no workspace nope'],
    [['--token', 'wrong'], 3, 'not known'],
    [['--token', token, '--agent', 'ann'], 4, ''],
    [['--url', 'http://127.0.0.1:1', '--token', 'x'], 13, 'No connection to http://127.0.0.1:1'],
    [['--url', 'http://127.0.0.1:1'], 3, 'No token for http://127.0.0.1:1'],
  ]
  for (const [words, code, text] of cases) {
    const ran = await place.run(['mcp', ...words])
    expect(ran, words.join(' ')).toMatchObject({ code, out: '' })
    expect(ran.err).toContain(text)
  }
  expect(existsSync(`${place.folder}/docs`)).toBe(false)
})

test('sluice mcp --tools offers those tools and no others', async () => {
  const place = new Place()
  await place.serve()
  const { client } = await connectMcp(place, ['--tools', 'write_file,read_text_file'])
  const { tools } = await client.listTools()
  expect(tools.map(({ name }) => name).toSorted()).toEqual(['read_text_file', 'write_file'])
})

async function bobsToken(place: Place): Promise<string> {
  return (await place.run(['token', 'bob'])).out.trim()
}
