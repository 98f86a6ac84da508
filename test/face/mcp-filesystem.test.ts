import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client, type Tool } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { afterAll, beforeAll, expect, test } from 'vitest'

/** The official filesystem server and ours, side by side: the same calls, the same texts. */
const OFFICIAL = fileURLToPath(
  new URL(
    '../../node_modules/@modelcontextprotocol/server-filesystem/dist/index.js',
    import.meta.url,
  ),
)
const OURS = fileURLToPath(new URL('./stdio-server.ts', import.meta.url))

let root = ''
let official: Client
let ours: Client

async function spawn(...args: string[]): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' })
  const options = { command: process.execPath, args, stderr: 'ignore' as const }
  await client.connect(new StdioClientTransport(options))
  return client
}

beforeAll(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'sluice-official-')))
  official = await spawn(OFFICIAL, root)
  ours = await spawn(OURS)
})

afterAll(async () => {
  await Promise.all([official.close(), ours.close()])
  await rm(root, { recursive: true, force: true })
})

type Result = { text: string; isError: boolean; structured: unknown; block: unknown }

/** Ours says what the official server does not know. */
const NOTHING_CHANGED = /\. Nothing changed: it held just that already, and stays at version \d+\./g

/** `@` in the arguments stands for the root of either server. */
async function run(client: Client, at: string, name: string, args: unknown): Promise<Result> {
  const placed = JSON.parse(JSON.stringify(args).replaceAll('@', at)) as Record<string, unknown>
  const result = await client.callTool({ name, arguments: placed })
  const content = result.content as { type: string; text?: string }[]
  const neutral = (text: string) =>
    at === '' ? text.replaceAll(NOTHING_CHANGED, '') : text.replaceAll(at, '')
  const {
    version: _,
    unchanged: __,
    ...structured
  } = (result.structuredContent ?? {}) as Record<string, unknown>
  return {
    text: neutral(content.map((block) => block.text ?? '').join('')),
    isError: result.isError === true,
    structured: JSON.parse(neutral(JSON.stringify(structured))),
    block: JSON.parse(neutral(JSON.stringify(content))),
  }
}

async function both(name: string, args: unknown): Promise<{ theirs: Result; mine: Result }> {
  const theirs = await run(official, root, name, args)
  const mine = await run(ours, '', name, args)
  return { theirs, mine }
}

test('files §20: names, titles, arguments and annotations are those of the official server', async () => {
  const mine = new Map((await ours.listTools()).tools.map((tool) => [tool.name, tool]))
  const { tools } = await official.listTools()
  expect(tools).toHaveLength(14)
  for (const theirs of tools) {
    const tool = mine.get(theirs.name) as Tool
    expect(tool.title, theirs.name).toBe(theirs.title)
    expect(tool.annotations, theirs.name).toEqual(theirs.annotations)
    const properties = (schema: Tool['inputSchema'] | undefined) => schema?.properties ?? {}
    expect(Object.keys(properties(tool.inputSchema)), theirs.name).toEqual(
      expect.arrayContaining(Object.keys(properties(theirs.inputSchema))),
    )
    expect(tool.inputSchema.required ?? [], theirs.name).toEqual(theirs.inputSchema.required ?? [])
    expect(tool.outputSchema?.required, theirs.name).toEqual(theirs.outputSchema?.required)
  }
})

const SAME: [string, unknown][] = [
  ['create_directory', { path: '@/docs/deep/er' }],
  ['create_directory', { path: '@/docs' }],
  ['write_file', { path: '@/docs/plan.md', content: 'one\ntwo\nthree\nfour\n' }],
  ['write_file', { path: '@/docs/no-end', content: 'a\nb' }],
  ['write_file', { path: '@/docs/crlf.txt', content: 'a\r\nb\r\nc\r\n' }],
  ['write_file', { path: '@/docs/empty', content: '' }],
  ['write_file', { path: '@/docs/ünï 漢字.txt', content: 'ä漢\u{1f600}\n' }],
  ['write_file', { path: '@/.hidden/.env', content: 'X=1\n' }],
  ['create_directory', { path: '@/.hidden' }],
  ['write_file', { path: '@/.hidden/.env', content: 'X=1\n' }],
  ['write_file', { path: '@/docs/deep/er/x.test.ts', content: 'x'.repeat(3000) }],
  ['write_file', { path: '@/pixel.gif', content: 'GIF89a and so on' }],
  ['write_file', { path: '@/sound.flac', content: 'fLaC and so on' }],
  ['write_file', { path: '@/data.bin', content: 'bytes' }],
  ['read_text_file', { path: '@/docs/plan.md' }],
  ['read_file', { path: '@/docs/plan.md' }],
  ...['plan.md', 'no-end', 'crlf.txt', 'empty'].flatMap((name): [string, unknown][] =>
    [1, 2, 3, 4, 9].flatMap((count): [string, unknown][] => [
      ['read_text_file', { path: `@/docs/${name}`, head: count }],
      ['read_text_file', { path: `@/docs/${name}`, tail: count }],
    ]),
  ),
  ['read_text_file', { path: '@/docs/ünï 漢字.txt' }],
  ['read_multiple_files', { paths: ['@/docs/plan.md', '@/docs/no-end', '@/docs/empty'] }],
  ['read_media_file', { path: '@/pixel.gif' }],
  ['read_media_file', { path: '@/sound.flac' }],
  ['read_media_file', { path: '@/data.bin' }],
  ['read_media_file', { path: '@/docs/ünï 漢字.txt' }],
  ['list_directory', { path: '@/' }],
  ['list_directory', { path: '@/docs' }],
  ['list_directory_with_sizes', { path: '@/docs/deep/er' }],
  ['list_directory_with_sizes', { path: '@/docs/deep/er', sortBy: 'size' }],
  ['directory_tree', { path: '@/' }],
  ['directory_tree', { path: '@/docs' }],
  ['directory_tree', { path: '@/', excludePatterns: ['deep'] }],
  ['directory_tree', { path: '@/', excludePatterns: ['*.md', '**/*.ts'] }],
  ['directory_tree', { path: '@/', excludePatterns: ['.env', 'docs/deep'] }],
  ['search_files', { path: '@/', pattern: '**' }],
  ['search_files', { path: '@/', pattern: '*' }],
  ['search_files', { path: '@/', pattern: '**/*.ts' }],
  ['search_files', { path: '@/docs', pattern: '*.{md,txt}' }],
  ['search_files', { path: '@/', pattern: '**/*', excludePatterns: ['docs/**', '*.gif'] }],
  ['search_files', { path: '@/', pattern: 'nothing' }],
  [
    'edit_file',
    { path: '@/docs/plan.md', edits: [{ oldText: 'two', newText: 'TWO' }], dryRun: true },
  ],
  ['edit_file', { path: '@/docs/plan.md', edits: [{ oldText: 'two', newText: 'TWO' }] }],
  ['read_text_file', { path: '@/docs/plan.md' }],
  [
    'edit_file',
    {
      path: '@/docs/plan.md',
      edits: [
        { oldText: 'TWO\nthree', newText: '```\n$& $1' },
        { oldText: 'four', newText: '4' },
      ],
    },
  ],
  ['read_text_file', { path: '@/docs/plan.md' }],
  ['move_file', { source: '@/docs/plan.md', destination: '@/docs/plan-2.md' }],
  ['move_file', { source: '@/docs/deep', destination: '@/moved' }],
  ['directory_tree', { path: '@/' }],
  ['write_file', { path: '@/docs/plan-2.md', content: 'over' }],
  ['read_text_file', { path: '@/docs/plan-2.md' }],
]

test('files §20: the same calls give the same texts and the same structured content', async () => {
  for (const [name, args] of SAME) {
    const { theirs, mine } = await both(name, args)
    // Missing folders are made for a write; the official server refuses there.
    if (theirs.isError && theirs.text.includes('ENOENT') && name === 'write_file') continue
    expect(mine, `${name} ${JSON.stringify(args)}`).toEqual(theirs)
    expect(theirs.isError, `${name} ${JSON.stringify(args)}`).toBe(false)
  }
})

test('files §20: no lines are no lines, where the official server gives the whole file', async () => {
  for (const part of [{ head: 0 }, { tail: 0 }]) {
    const { text, isError } = await run(ours, '', 'read_text_file', { path: '/data.bin', ...part })
    expect({ text, isError }).toEqual({ text: '', isError: false })
  }
})

test('files §20: facts of a file have the same keys in the same order', async () => {
  const keys = ({ text }: Result) => text.split('\n').map((line) => line.split(':', 1)[0])
  const { theirs, mine } = await both('get_file_info', { path: '@/data.bin' })
  expect(keys(mine)).toEqual(keys(theirs))
  for (const line of ['size: 5', 'isDirectory: false', 'isFile: true', 'permissions: 644']) {
    expect(mine.text).toContain(line)
    expect(theirs.text).toContain(line)
  }
})

test('files §20: what the official server refuses is refused', async () => {
  const refused: [string, unknown][] = [
    ['read_text_file', { path: '@/missing' }],
    ['read_text_file', { path: '@/docs' }],
    ['read_text_file', { path: '@/docs/no-end', head: 1, tail: 1 }],
    ['read_multiple_files', { paths: [] }],
    ['write_file', { path: '@/docs', content: 'x' }],
    ['write_file', { path: '@/data.bin' }],
    ['edit_file', { path: '@/docs/no-end', edits: [{ oldText: 'zzz', newText: 'y' }] }],
    ['create_directory', { path: '@/data.bin' }],
    ['list_directory', { path: '@/data.bin' }],
    ['list_directory', { path: '@/missing' }],
    ['directory_tree', { path: '@/missing' }],
    ['move_file', { source: '@/data.bin', destination: '@/pixel.gif' }],
    ['move_file', { source: '@/data.bin', destination: '@/data.bin' }],
    ['move_file', { source: '@/missing', destination: '@/elsewhere' }],
    ['get_file_info', { path: '@/missing' }],
    ['read_text_file', { path: '@/../outside' }],
    ['read_text_file', { path: 'C:\\Users\\me' }],
  ]
  for (const [name, args] of refused) {
    const { theirs, mine } = await both(name, args)
    expect(theirs.isError, `official ${name} ${JSON.stringify(args)}`).toBe(true)
    expect(mine.isError, `${name} ${JSON.stringify(args)}`).toBe(true)
  }
  const { theirs, mine } = await both('read_multiple_files', { paths: ['@/missing', '@/data.bin'] })
  const shape = ({ text }: Result) => text.replace(/Error - .*/, 'Error')
  expect(shape(mine)).toBe(shape(theirs))
  expect(mine.isError).toBe(false)
})
