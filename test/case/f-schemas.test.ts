import { expect, test } from 'vitest'
import type { Door } from '../../src/contract/door.ts'
import { ERRORS, type ErrorCode, fail, problemOf, refuse } from '../../src/contract/errors.ts'
import { createMcpServer } from '../../src/face/mcp/server.ts'
import { TOOL_NAMES } from '../../src/face/mcp/tools.ts'
import { connectMcp, serveMcpReal } from '../face/mcp-client.ts'
import { clientOf, faultOf } from './output-schemas.ts'
import { VALID } from './tool-arguments.ts'

const holder = {
  agent: 'agent-b',
  session: 'agent-b:x',
  lock: 'L7',
  level: 'write',
  path: '/a',
  since: '2026-01-01T00:00:00.000Z',
  expires_at: '2026-01-01T00:05:00.000Z',
}

/** Every field that a refusal may carry besides, in its usual form. */
const FIELDS = {
  path: '/a',
  to: '/b',
  at: '2026-01-01T00:00:00.000Z',
  by: { agent: 'agent-b', session: 'agent-b:x' },
  lock: 'L7',
  locks: ['L7'],
  ticket: 'T8',
  draft: 'D9',
  ask: 'A10',
  owner: 'agent-b',
  session: 'agent-b:x',
  holder,
  holders: [holder],
  queue_length: 2,
  cycle: [holder],
  yours: 3,
  current: 5,
  version: 5,
  revision: 9,
  edit: 0,
  excerpt: 'x',
  existing: '/A',
  needed: 'write',
  limit: 'locks_per_agent',
  limit_value: 1000,
  size: 12,
  range: { start: 0, end: 5 },
  fields: [{ field: 'path', fault: 'x' }],
  id: 'L7',
  name: 'eve',
  reason: 'expired',
  retry_after_s: 3,
}

async function refusingClient(code: ErrorCode, data: Record<string, unknown>) {
  const door: Door = {
    call: async () => fail(code, 'Something was refused.', data),
    giveBack: async () => {},
    takeNotices: () => [],
    as: () => door,
  }
  const options = { workspace: 'main', tools: 'full', version: '0' } as const
  const failed = () => problemOf(refuse('internal', 'see the log'))
  const client = await clientOf(createMcpServer(door, { ...options, failed }))
  await client.listTools()
  return client
}

test('F6: every refusal of every tool fits what the tool promises', async () => {
  expect(Object.keys(VALID).sort()).toEqual([...TOOL_NAMES].sort())
  for (const code of Object.keys(ERRORS) as ErrorCode[]) {
    for (const data of [{}, FIELDS]) {
      const client = await refusingClient(code, data)
      for (const name of TOOL_NAMES) {
        // A client of the SDK throws what does not fit.
        const result = await client.callTool({ name, arguments: VALID[name] ?? {} })
        expect(faultOf(name, result.structuredContent), `${name} ${code}`).toBeUndefined()
        if (name === 'list_allowed_directories' || name === 'read_multiple_files') continue
        expect(result.structuredContent, `${name} ${code}`).toMatchObject({ code, ...data })
      }
    }
  }
}, 60_000)

test('F6: change_lock, renew and hand over of a lock that is lost fit too', async () => {
  const { call } = await connectMcp(await serveMcpReal({ tools: 'full' }))
  const granted = await call('acquire_lock', { path: '/a' })
  const { id } = granted.structured.lock as { id: string }
  await call('release_lock', { path: '/a' })
  for (const [name, args] of [
    ['change_lock', { lock_id: id, to: 'exclusive' }],
    ['change_lock', { lock_id: id, to: 'renew' }],
    ['change_lock', { lock_id: id, to: 'extend' }],
    ['change_lock', { lock_id: id, hand_to: 'agent-b' }],
    ['wait_for_lock', { ticket: 'T1' }],
    ['recall_lock', { lock_id: id, reason: 'x' }],
  ] as const) {
    const answer = await call(name, { ...args })
    expect(answer.isError, `${name} ${JSON.stringify(args)}`).toBe(true)
    expect(faultOf(name, answer.structured), answer.text).toBeUndefined()
  }
})

test('F6+: what succeeds fits as well, with notes beside it or without', async () => {
  const served = await serveMcpReal({ tools: 'full' })
  const a = await connectMcp(served)
  const b = await connectMcp(served, { token: 'token-b' })
  const steps: [typeof a, string, Record<string, unknown>][] = [
    [a, 'write_file', { path: '/a', content: 'x\n' }],
    [a, 'append_file', { path: '/b', content: 'x\n' }],
    [a, 'acquire_lock', { path: '/a' }],
    [a, 'acquire_lock', { path: '/a', wait: 0 }],
    [b, 'acquire_lock', { path: '/a', wait: 0.05 }],
    [b, 'wait_for_lock', { ticket: 'TICKET', wait: 0 }],
    [b, 'ask_holder', { path: '/a', message: 'when?' }],
    [a, 'read_text_file', { path: '/a' }],
    [a, 'edit_file', { path: '/a', edits: [{ oldText: 'x', newText: 'y' }] }],
    [a, 'read_media_file', { path: '/a' }],
    [a, 'read_multiple_files', { paths: ['/a', '/none'] }],
    [a, 'change_lock', { lock_id: 'LOCK', to: 'renew' }],
    [a, 'change_lock', { lock_id: 'LOCK', to: 'read' }],
    [b, 'list_locks', {}],
    [b, 'get_file_info', { path: '/a' }],
    [b, 'get_file_info', { path: '/' }],
    [b, 'workspace_status', {}],
    [a, 'release_lock', { lock_id: 'LOCK' }],
    [a, 'release_lock', { lock_id: 'L999' }],
    [a, 'release_lock', { path: '/a' }],
    [b, 'wait_for_lock', { ticket: 'TICKET', wait: 0 }],
    [b, 'release_lock', { all: true }],
    [a, 'create_directory', { path: '/d' }],
    [a, 'copy_file', { source: '/a', destination: '/d/c' }],
    [a, 'move_file', { source: '/d/c', destination: '/d/e' }],
    [a, 'list_directory', { path: '/' }],
    [a, 'list_directory_with_sizes', { path: '/' }],
    [a, 'directory_tree', { path: '/' }],
    [a, 'search_files', { path: '/', pattern: '**' }],
    [a, 'list_allowed_directories', {}],
    [a, 'delete_file', { path: '/d', recursive: true }],
  ]
  const known: Record<string, string> = {}
  for (const [who, name, args] of steps) {
    const text = JSON.stringify(args).replaceAll(/LOCK|TICKET/g, (word) => known[word] ?? word)
    const answer = await who.call(name, JSON.parse(text) as Record<string, unknown>)
    const { lock, ticket } = answer.structured as { lock?: { id: string }; ticket?: string }
    if (ticket !== undefined) known.TICKET = ticket
    if (known.LOCK === undefined && lock !== undefined) known.LOCK = lock.id
    expect(answer.isError, `${name} ${text}: ${answer.text}`).toBe(false)
    expect(faultOf(name, answer.structured), `${name} ${text}`).toBeUndefined()
  }
})
