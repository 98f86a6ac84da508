import { expect, test } from 'vitest'
import { connect } from '../../src/client/index.ts'
import type { SluiceError } from '../../src/contract/errors.ts'
import { problemOf, refuse } from '../../src/contract/errors.ts'
import { detailIn, inWords, type Wording } from '../../src/contract/wording.ts'
import { createFailureLimit } from '../../src/face/http-kit/failure-limit.ts'
import { mountSocket } from '../../src/face/socket/server.ts'
import { Place } from '../cli/sluice.ts'
import { connectMcp, serveMcpReal } from '../face/mcp-client.ts'
import { serveReal } from '../face/serve.ts'
import { openStdio } from './stdio-end.ts'

test('F7: giving back a lock that never was says that it was not held (stdio, MCP over HTTP)', async () => {
  const { call } = await openStdio()
  const { result } = await call('release_lock', { lock_id: 'L999' })
  expect(result?.content[0]?.text).toBe(
    'L999 was not held: it has ended already, or never was. Nothing to release.',
  )
  expect(result?.structuredContent).toMatchObject({ released: [] })
  const over = await connectMcp(await serveMcpReal())
  expect((await over.call('release_lock', { lock_id: 'L999' })).text).toContain('was not held')
})

test('F7+: a lock given back twice, and one of somebody else, are told apart (MCP)', async () => {
  const served = await serveMcpReal()
  const a = await connectMcp(served)
  const b = await connectMcp(served, { token: 'token-b' })
  const granted = await a.call('acquire_lock', { path: '/a' })
  const { id } = granted.structured.lock as { id: string }
  const foreign = await b.call('release_lock', { lock_id: id })
  expect(foreign).toMatchObject({ isError: true, structured: { code: 'forbidden' } })
  expect((await a.call('release_lock', { lock_id: id })).text).toBe(`Released ${id}.`)
  expect((await a.call('release_lock', { lock_id: id })).text).toContain('was not held')
})

test('F7+: HTTP stays idempotent, and says what it did where that is preferred', async () => {
  const { ask } = await serveReal()
  const url = '/v1/workspaces/main/locks/L999'
  expect((await ask('DELETE', url)).status).toBe(204)
  const told = await ask('DELETE', url, { headers: { prefer: 'return=representation' } })
  expect(await told.json()).toEqual({ released: false })
})

const TOOL_OR_OPERATION = /\b(acquire_lock|release_lock|read_text_file|write_file|patch_file)\b/

test('F8: a refusal over HTTP speaks of routes, and with the preference of operations', async () => {
  const { ask } = await serveReal()
  const ws = '/v1/workspaces/main'
  await ask('POST', `${ws}/locks`, { token: 'token-b', json: { path: '/a' } })
  const locked = await ask('PUT', `${ws}/files/a`, { body: 'x' })
  const { detail } = (await locked.json()) as { detail: string }
  expect(detail).toContain('POST …/locks on /a')
  expect(detail).not.toMatch(TOOL_OR_OPERATION)
  const headers = { prefer: 'wording=operations' }
  const neutral = await ask('PUT', `${ws}/files/a`, { body: 'x', headers })
  expect(((await neutral.json()) as { detail: string }).detail).toContain('acquire_lock on /a')
})

test('F8: a refusal of the SDK speaks of its methods; its problem is the same for all', async () => {
  const { engine, url, server, tokenOf, ask } = await serveReal()
  const sockets = mountSocket(server.app.server, engine, createFailureLimit(), () => true)
  const json = { path: '/a', intent: 'acquire_lock tests' }
  await ask('POST', '/v1/workspaces/main/locks', { token: 'token-b', json })
  const sluice = await connect({ url, token: tokenOf('token-a') })
  try {
    for (const data of ['x', new Uint8Array(2 * 1024 * 1024)]) {
      const error = await sluice
        .workspace()
        .write('/a', data)
        .then(
          () => undefined,
          (refusal: SluiceError) => refusal,
        )
      expect(error?.message).toContain('ws.lock() on /a with "wait"')
      expect(error?.message).toContain('("acquire_lock tests")')
      expect(error?.problem.detail).toContain('Call acquire_lock on /a')
    }
  } finally {
    await sluice.close()
    sockets.close()
  }
})

test('F8: the refusals of MCP speak of tools', async () => {
  const served = await serveMcpReal()
  const { call } = await connectMcp(served)
  await served.ask('POST', '/v1/workspaces/main/locks', { token: 'token-b', json: { path: '/a' } })
  const locked = await call('write_file', { path: '/a', content: 'x' })
  expect(locked.text).toContain('Call acquire_lock on /a with "wait"')
  expect(locked.structured.detail).toContain('Call acquire_lock')
})

test('F7, F8: the commands say what was not held, and speak of commands', async () => {
  const place = new Place()
  await place.open()
  const never = await place.run(['unlock', 'L999'])
  expect([never.code, never.out]).toEqual([
    0,
    'It was not held: it has ended already, or never was.\n',
  ])
  await place.run(['lock', '/a'])
  const other = await place.run(['put', '/a', '--session', 'other'], { input: 'x' })
  expect(other.err).toContain('Call sluice lock on /a with --wait')
  expect(other.err).not.toMatch(TOOL_OR_OPERATION)
  const asJson = await place.run(['put', '/a', '--session', 'other', '--json'], { input: 'x' })
  expect((JSON.parse(asJson.err) as { detail: string }).detail).toContain('sluice lock on /a')
}, 60_000)

const SHOUT: Wording = {
  operation: (name) => name.toUpperCase(),
  argument: (name) => `-${name}`,
  takeBack: 'TAKE IT BACK',
}

test('F8+: paths and what others wrote are never put into other words', () => {
  for (const [text, told] of [
    ['Call acquire_lock on /acquire_lock now', 'Call ACQUIRE_LOCK on /acquire_lock now'],
    ['/docs/read_file is held ("use write_file")', '/docs/read_file is held ("use write_file")'],
    ['Use release_lock, or commit.', 'Use RELEASE_LOCK, or COMMIT.'],
    ['Give "if_version" of "lines".', 'Give -if_version of -lines.'],
    ['my_acquire_lock acquire_locks', 'my_acquire_lock acquire_locks'],
  ]) {
    expect(inWords(SHOUT, text as string)).toBe(told)
  }
})

test('F8+: a long path or text in a refusal costs no more than its length, and is not echoed whole', async () => {
  const long = 'x'.repeat(400_000)
  expect(inWords(SHOUT, long)).toBe(long)
  expect(inWords(SHOUT, '("'.repeat(200_000))).toHaveLength(400_000)
  const { call } = await openStdio()
  for (const path of [long, `C:\\${long}`, `/${'\ud83d\ude00'.repeat(100_000)}`]) {
    const { result } = await call('read_text_file', { path })
    expect(result?.structuredContent).toMatchObject({ code: 'invalid_path' })
    expect(JSON.stringify(result).length).toBeLessThan(3000)
    expect(JSON.stringify(result).isWellFormed()).toBe(true)
  }
})

test('F8+: a text carries what its fields have: others in the way, and when to come back', () => {
  const holder = (n: number) => ({ session: `b:${n}`, lock: `L${n}`, level: 'read', path: '/a' })
  const holders = [holder(1), holder(2), holder(3)]
  const conflict = problemOf(refuse('lock_conflict', '/a is held.', { holders, retry_after_s: 5 }))
  expect(detailIn(SHOUT, conflict)).toBe(
    '/a is held. Also in the way: b:2 holds L2 (read) on /a; b:3 holds L3 (read) on /a. Try again in 5 s.',
  )
})
