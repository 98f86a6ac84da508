import { expect, test } from 'vitest'
import { McpDoor } from '../../src/cli/mcp-door.ts'
import { Killable } from '../client/killable.ts'

/** `cases` E5: the server goes away under `sluice mcp`, and what was asked is done, once. */
async function doorTo(server: Killable, look: () => Promise<void>, goOnMs = 15_000) {
  return new McpDoor({
    agent: undefined,
    session: undefined,
    about: () => ({}),
    // It is known to be gone at once here.
    retryMs: 100,
    goOnMs,
    target: async () => {
      await look()
      return { url: server.url, token: server.token }
    },
  })
}

test('E5, locks §11: the call that finds the server killed starts another, and is done there', async () => {
  const server = await Killable.start()
  let starts = 0
  const door = await doorTo(server, async () => {
    starts += 1
    if (starts > 1) await server.startAgain()
  })
  await door.call('write_file', { path: '/log' }, Buffer.from('one\n'))
  await server.kill()
  const appended = await door.call('patch_file', { path: '/log', append: 'two\n' })
  expect(appended.value.version).toBeGreaterThan(1)
  expect(starts).toBe(2)
  const { content } = await door.call('read_file', { path: '/log' })
  expect(Buffer.from(content ?? []).toString()).toBe('one\ntwo\n')
})

test('E5, locks §11: an append whose answer was lost is done once, also when it is asked again', async () => {
  const server = await Killable.start()
  let starts = 0
  const door = await doorTo(server, async () => {
    starts += 1
    if (starts > 1) await server.startAgain()
  })
  await door.call('write_file', { path: '/log' }, Buffer.from(''))
  for (let round = 0; round < 5; round++) {
    const asked = door.call('patch_file', { path: '/log', append: `${round}\n` })
    await new Promise((resolve) => setTimeout(resolve, round))
    await server.kill()
    await asked
  }
  const { content } = await door.call('read_file', { path: '/log' })
  expect(Buffer.from(content ?? []).toString()).toBe('0\n1\n2\n3\n4\n')
}, 60_000)

test('E5+: where no server comes back, the call says so after its time', async () => {
  const server = await Killable.start()
  const door = await doorTo(server, async () => {}, 300)
  await door.call('write_file', { path: '/log' }, Buffer.from(''))
  await server.kill()
  const asked = door.call('workspace_status', {})
  await expect(asked).rejects.toMatchObject({ code: 'overloaded' })
  await server.startAgain()
  expect((await door.call('read_file', { path: '/log' })).value).toBeDefined()
})
