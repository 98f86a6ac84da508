import { expect, test } from 'vitest'
import { connectMcp, type Era, serveMcp } from './mcp-client.ts'

const OFFICIAL = [
  'read_file',
  'read_text_file',
  'read_media_file',
  'read_multiple_files',
  'write_file',
  'edit_file',
  'create_directory',
  'list_directory',
  'list_directory_with_sizes',
  'directory_tree',
  'move_file',
  'search_files',
  'get_file_info',
  'list_allowed_directories',
]
const COORDINATION = [
  'acquire_lock',
  'release_lock',
  'wait_for_lock',
  'list_locks',
  'workspace_status',
  'change_lock',
  'ask_holder',
  'read_draft',
]

for (const era of ['legacy', 'auto'] satisfies Era[]) {
  test(`contract: the core tools are listed in 16 kB, always in the same order (${era})`, async () => {
    const served = await serveMcp()
    const { client } = await connectMcp(served, { era })
    const { tools } = await client.listTools()
    const names = tools.map((tool) => tool.name)
    for (const name of [...OFFICIAL, 'append_file', 'copy_file', 'delete_file', ...COORDINATION]) {
      expect(names).toContain(name)
    }
    expect(names).toHaveLength(OFFICIAL.length + 3 + COORDINATION.length)
    for (const tool of tools) {
      expect(tool.annotations?.readOnlyHint, tool.name).toBeTypeOf('boolean')
      expect(tool.annotations?.openWorldHint, tool.name).toBe(false)
      expect(tool.title && tool.description && tool.outputSchema, tool.name).toBeTruthy()
    }
    expect(Buffer.byteLength(JSON.stringify({ tools }))).toBeLessThanOrEqual(16_000)
    const again = await connectMcp(served, { era, token: 'token-b' })
    expect((await again.client.listTools()).tools.map((tool) => tool.name)).toEqual(names)
  })

  test(`contract: a lock is granted, and a write under it refused with who holds it (${era})`, async () => {
    const served = await serveMcp()
    const a = await connectMcp(served, { era })
    const b = await connectMcp(served, { era, token: 'token-b' })

    const path = '/shared-data/results.csv'
    const granted = await a.call('acquire_lock', { path, type: 'exclusive', ttl: 300 })
    expect(granted).toMatchObject({ isError: false, structured: { status: 'granted' } })
    expect(granted.text).toContain(
      'You now hold the exclusive lock L101 on /shared-data/results.csv',
    )

    const locked = await b.call('write_file', { path, content: 'b' })
    expect(locked).toMatchObject({ isError: true, structured: { code: 'locked', status: 423 } })
    expect(locked.text).toContain('agent-a')
    expect(locked.text).toContain('acquire_lock')

    expect((await a.call('write_file', { path, content: 'a' })).text).toBe(
      `Successfully wrote to ${path}`,
    )
    expect((await a.call('release_lock', { path })).text).toBe(`Released L101 on ${path}.`)
    expect((await a.call('release_lock', { path })).isError).toBe(false)
  })

  test(`contract: who queues is told behind whom, and claims when its turn has come (${era})`, async () => {
    const served = await serveMcp()
    const a = await connectMcp(served, { era })
    const b = await connectMcp(served, { era, token: 'token-b' })
    const path = '/shared-data/results.csv'
    await a.call('acquire_lock', { path, type: 'exclusive', ttl: 300 })
    const queued = await b.call('acquire_lock', { path, intent: 'merge', wait: 1 })
    expect(queued.structured).toMatchObject({ status: 'queued', ticket: expect.any(String) })
    const { ticket } = queued.structured
    expect(queued.text).toContain('agent-a holds an exclusive lock')
    expect(queued.text).toContain(`wait_for_lock with ticket ${ticket}`)
    expect((await b.call('list_locks')).text).toContain('agent-b waits for write')
    await a.call('release_lock', { path })
    const claimed = await b.call('wait_for_lock', { ticket })
    expect(claimed.structured).toMatchObject({ status: 'granted' })
    expect((await b.call('workspace_status')).text).toContain('You are agent-b')
    expect((await b.call('release_lock', { all: true })).text).toContain('Locks released: 1.')
  })

  test(`contract: what was not read is not overwritten, and the refusal names the tool that reads (${era})`, async () => {
    const served = await serveMcp()
    const a = await connectMcp(served, { era })
    const b = await connectMcp(served, { era, token: 'token-b' })
    await a.call('write_file', { path: '/other', content: 'a' })
    const unseen = await b.call('write_file', { path: '/other', content: 'b' })
    expect(unseen).toMatchObject({ isError: true, structured: { code: 'unseen_version' } })
    expect(unseen.text).toContain('read_text_file')
    const read = await b.call('read_text_file', { path: '/other' })
    expect(read.structured).toEqual({ content: 'a', version: expect.any(Number) })
    expect(read.text).toBe('a')
    expect((await b.call('write_file', { path: '/other', content: 'b' })).isError).toBe(false)
  })

  test(`contract: every refusal of input is typed and names the field (${era})`, async () => {
    const served = await serveMcp()
    const { call } = await connectMcp(served, { era })
    for (const [name, args] of [
      ['read_text_file', {}],
      ['read_text_file', { path: 5 }],
      ['acquire_lock', { path: '/a', tll: 5 }],
      ['acquire_lock', {}],
      ['acquire_lock', { path: '/a', type: 'shared' }],
      ['acquire_lock', { path: '/a', wait: 500 }],
      ['release_lock', {}],
      ['release_lock', { path: '/a', all: true }],
      ['wait_for_lock', { ticket: 'nonsense' }],
      ['edit_file', { path: '/a', edits: [] }],
      ['read_text_file', { path: '/a', head: 1, tail: 1 }],
    ] as const) {
      const answer = await call(name, { ...args })
      expect(answer, name).toMatchObject({
        isError: true,
        structured: { code: 'invalid_request', status: 400, retry: 'new_input' },
      })
      expect(answer.text.length, name).toBeGreaterThan(10)
    }
    for (const path of ['/../x', 'C:\\x', '/a\u0000']) {
      const answer = await call('read_text_file', { path })
      expect(answer.structured, path).toMatchObject({ code: 'invalid_path' })
    }
    const media = await call('read_media_file', { path: '/missing' })
    expect(media).toMatchObject({ isError: true, structured: { code: 'not_found', content: [] } })
  })
}

test('contract: a fault of the inside gives an id only', async () => {
  const served = await serveMcp()
  const { call } = await connectMcp(served)
  served.engine.call = async () => {
    throw new Error('a secret of the inside')
  }
  const answer = await call('workspace_status')
  expect(answer).toMatchObject({ isError: true, structured: { code: 'internal' } })
  expect(JSON.stringify(answer)).not.toContain('secret')
  expect(served.engine.faults.size).toBe(1)
})

test('files §20: several paths are locked together, and a whole lock is released by one of them', async () => {
  const served = await serveMcp()
  const { call } = await connectMcp(served)
  const granted = await call('acquire_lock', { paths: ['/a', '/b'] })
  expect(granted.structured).toMatchObject({ status: 'granted' })
  await call('release_lock', { path: '/b' })
  expect((await call('list_locks')).text).toBe('Nobody holds or waits for a lock.')
})

test('files §20: reading takes parts by lines', async () => {
  const served = await serveMcp()
  const { call } = await connectMcp(served)
  await call('write_file', { path: '/a', content: '1\n2\n3\n4\n' })
  const part = async (args: object) => (await call('read_text_file', { path: '/a', ...args })).text
  expect(await part({ offset: 1, limit: 2 })).toBe('2\n3\n')
  expect(await part({ offset: 9 })).toBe('')
  expect(await part({ limit: 1 })).toBe('1\n')
})

test('files §20: a folder workspace takes the real absolute paths too', async () => {
  const served = await serveMcp({ rootsOf: () => ['/home/me/project'] })
  const { call } = await connectMcp(served)
  await call('write_file', { path: '/home/me/project/src/a.ts', content: 'x' })
  expect([...served.engine.files.keys()]).toEqual(['/src/a.ts'])
  expect((await call('read_text_file', { path: '/src/a.ts' })).text).toBe('x')
  expect((await call('list_allowed_directories')).text).toBe(
    'Allowed directories:\n/home/me/project',
  )
})

test('contract: profiles and lists choose the tools', async () => {
  const files = await connectMcp(await serveMcp({ tools: 'files' }))
  expect((await files.client.listTools()).tools).toHaveLength(OFFICIAL.length + 3)
  const full = await connectMcp(await serveMcp({ tools: 'full' }))
  const all = (await full.client.listTools()).tools
  expect(all.map((tool) => tool.name).slice(-2)).toEqual(['recall_lock', 'force_release'])
  expect(all.at(-1)?.annotations).toMatchObject({ readOnlyHint: false, destructiveHint: true })
  const some = await connectMcp(await serveMcp({ tools: ['acquire_lock', 'read_file'] }))
  const names = (await some.client.listTools()).tools.map((tool) => tool.name)
  expect(names).toEqual(['read_file', 'acquire_lock'])
})
