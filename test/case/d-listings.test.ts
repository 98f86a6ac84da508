import { expect, test } from 'vitest'
import { parseInput } from '../../src/contract/parse.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { connectMcp, serveMcpReal } from '../face/mcp-client.ts'
import { serveReal } from '../face/serve.ts'

/** Files of one folder, in commits as large as they may be. */
async function fill(engine: Engine, folder: string, count: number): Promise<void> {
  const caller = await engine.callerOf({ name: 'agent-b', role: 'agent' })
  for (let from = 0; from < count; from += 10_000) {
    const changes = Array.from({ length: Math.min(10_000, count - from) }, (_, i) => ({
      op: 'write',
      path: `${folder}/f${String(from + i).padStart(6, '0')}.js`,
      text: '',
    }))
    const input = parseInput('commit', { changes })
    if (!input.ok) throw new Error(input.refusal.detail)
    await engine.call({ operation: 'commit', input: input.input, caller })
  }
}

/** Entries that the tools asked the engine for. */
function countListed(engine: Engine): { entries: number; calls: number } {
  const counted = { entries: 0, calls: 0 }
  const call = engine.call.bind(engine)
  engine.call = async (request) => {
    const answer = await call(request)
    const { entries } = answer.value as { entries?: unknown[] }
    if (request.operation === 'get_entry') counted.calls += 1
    counted.entries += entries?.length ?? 0
    return answer
  }
  return counted
}

test('D3: what is excluded is not walked, whatever lies in it', async () => {
  const served = await serveMcpReal()
  const { call } = await connectMcp(served)
  await fill(served.engine, '/node_modules', 20_000)
  await fill(served.engine, '/src/deep/vendor', 3000)
  await call('write_file', { path: '/src/a.ts', content: '' })
  await call('write_file', { path: '/b.ts', content: '' })
  const counted = countListed(served.engine)
  const small = async (name: string, args: object) => {
    counted.entries = 0
    const answer = await call(name, { path: '/', ...args })
    expect(answer.isError, answer.text).toBe(false)
    expect(counted.entries, `${name} ${JSON.stringify(args)}`).toBeLessThan(6000)
    return answer.text
  }
  for (const excludePatterns of [
    ['node_modules', 'vendor'],
    ['**/node_modules/**', '**/vendor/**'],
    ['node_modules/*', 'src/deep/*'],
    ['{node_modules,src/deep/vendor}/**'],
  ]) {
    const tree = JSON.parse(await small('directory_tree', { excludePatterns })) as {
      name: string
    }[]
    expect(tree.map(({ name }) => name)).toContain('b.ts')
    expect(JSON.stringify(tree)).toContain('"a.ts"')
    expect(JSON.stringify(tree)).not.toContain('f000000')
  }
  for (const excludePatterns of [
    ['node_modules', '**/vendor'],
    ['node_modules/**', 'src/deep/**'],
  ]) {
    const found = await small('search_files', { pattern: '**/*.ts', excludePatterns })
    expect(found).toBe('/b.ts\n/src/a.ts')
  }
})

test('D3+: folders that a pattern cannot reach are not walked either', async () => {
  const served = await serveMcpReal()
  const { call } = await connectMcp(served)
  await fill(served.engine, '/data', 5000)
  await call('write_file', { path: '/b.ts', content: '' })
  await call('write_file', { path: '/src/c.ts', content: '' })
  const counted = countListed(served.engine)
  for (const [pattern, found] of [
    ['*.ts', '/b.ts'],
    ['src/**', '/src/c.ts'],
    ['{src,lib}/*.ts', '/src/c.ts'],
  ] as const) {
    counted.entries = 0
    expect((await call('search_files', { path: '/', pattern })).text).toBe(found)
    expect(counted.entries, pattern).toBeLessThan(2100)
  }
})

test('D3+: a tree that fits into one page is one call', async () => {
  const served = await serveMcpReal()
  const { call } = await connectMcp(served)
  for (const path of ['/a/b/c/d.ts', '/a/e/f.ts', '/g.ts']) {
    await call('write_file', { path, content: '' })
  }
  const counted = countListed(served.engine)
  const found = await call('search_files', { path: '/', pattern: '**/*.ts' })
  expect(found.text).toBe('/a/b/c/d.ts\n/a/e/f.ts\n/g.ts')
  expect(counted.calls).toBe(1)
})

test('D3+: a tree deeper than one answer reaches is read to its end', async () => {
  const served = await serveMcpReal()
  const { call } = await connectMcp(served)
  const path = `${'/d'.repeat(150)}/end.ts`
  await call('write_file', { path, content: '' })
  expect((await call('search_files', { path: '/', pattern: '**/*.ts' })).text).toBe(path)
})

test('D5: a tree ends with a stated bound and says how to go on', async () => {
  const served = await serveMcpReal()
  const { call } = await connectMcp(served)
  await fill(served.engine, '/many', 2500)
  await call('write_file', { path: '/z/last.ts', content: '' })
  const answer = await call('directory_tree', { path: '/' })
  const [tree, more] = answer.content.map((block) => String(block.text))
  const top = JSON.parse(tree ?? '') as { name: string; children?: unknown[]; cut?: boolean }[]
  expect(top).toMatchObject([{ name: 'many', cut: true }, { name: 'z' }])
  expect(top[0]?.children?.length).toBeLessThanOrEqual(1000)
  expect(more).toContain('directory_tree with the path of a folder that is marked "cut"')
  expect(answer.structured).toMatchObject({ more })
  expect(JSON.stringify(answer.structured).length).toBeLessThan(100_000)
})

test('D5+: a search and a listing end with a stated bound and say how to go on', async () => {
  const served = await serveMcpReal()
  const { call } = await connectMcp(served)
  await fill(served.engine, '/many', 2500)
  const found = await call('search_files', { path: '/', pattern: '**/*.js' })
  expect(found.text).toContain('narrower pattern')
  expect(String(found.content[0]?.text).split('\n')).toHaveLength(1000)
  const sizes = await call('list_directory_with_sizes', { path: '/many' })
  expect(sizes.text).toContain('Total: 2500 files')
  expect(sizes.text).toContain('Only the first 1000 are shown')
  const names = new Set<string>()
  let cursor: unknown
  do {
    const page = await call('list_directory', { path: '/many', ...(cursor ? { cursor } : {}) })
    for (const line of String(page.content[0]?.text).split('\n')) names.add(line)
    cursor = page.structured.cursor
    expect(page.text.includes('goes on')).toBe(cursor !== undefined)
  } while (cursor !== undefined)
  expect(names.size).toBe(2500)
})

test('D5: locks are listed in parts, with a cursor (MCP, HTTP)', async () => {
  const served = await serveMcpReal()
  const a = await connectMcp(served)
  const b = await connectMcp(served, { token: 'token-b' })
  const paths = Array.from({ length: 125 }, (_, i) => `/f${i}`)
  for (const path of paths) await a.call('acquire_lock', { path, wait: 0 })
  for (const path of paths.slice(0, 3)) {
    const json = { path, queue: true, wait: 0 }
    await served.ask('POST', '/v1/workspaces/main/locks', { token: 'token-b', json })
  }
  const first = await b.call('list_locks')
  expect(first.structured.locks).toHaveLength(100)
  expect(first.structured.waiting).toHaveLength(3)
  const { cursor } = first.structured
  expect(first.text).toContain(`list_locks with cursor "${cursor}" goes on`)
  const rest = await b.call('list_locks', { cursor })
  expect(rest.structured.locks).toHaveLength(25)
  expect(rest.structured.waiting).toHaveLength(0)
  expect(rest.structured).not.toHaveProperty('cursor')
  const seen = [...ids(first.structured.locks), ...ids(rest.structured.locks)]
  expect(new Set(seen).size).toBe(125)
  const bad = await b.call('list_locks', { cursor: 'x' })
  expect(bad.structured).toMatchObject({ code: 'invalid_request', fields: [{ field: 'cursor' }] })
})

function ids(locks: unknown): string[] {
  return (locks as { id: string }[]).map(({ id }) => id)
}

test('D5+: pages of a listing go on where they left off, also when that is gone (HTTP)', async () => {
  const { engine, ask } = await serveReal()
  await fill(engine, '/d', 25)
  await fill(engine, '/d/sub', 5)
  const url = '/v1/workspaces/main/entries/d?depth=2&limit=10'
  const page = async (cursor?: string) => {
    const query = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const answer = await ask('GET', url + query)
    return (await answer.json()) as { entries: { path: string }[]; cursor?: string }
  }
  const first = await page()
  await ask('DELETE', `/v1/workspaces/main/files${first.cursor}`)
  const second = await page(first.cursor)
  const third = await page(second.cursor)
  const fourth = await page(third.cursor)
  const all = [first, second, third, fourth].flatMap(({ entries }) => entries)
  expect(new Set(all.map(({ path }) => path)).size).toBe(31)
  expect(fourth).not.toHaveProperty('cursor')
})
