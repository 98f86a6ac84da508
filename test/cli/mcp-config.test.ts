import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { expect, test } from 'vitest'
import { ClientFile } from '../../src/cli/mcp-config/client-file.ts'
import { CLIENTS } from '../../src/cli/mcp-config/clients.ts'
import { serverNote } from '../../src/server-note.ts'
import { connectMcp } from './mcp-agent.ts'
import { Place, type Ran, SLUICE } from './sluice.ts'

const ALL = Object.entries(CLIENTS)
const JSON_CLIENTS = ALL.filter(([, { format }]) => format === 'json').map(([client]) => client)

/** A person with a home of its own, and no `sluice` on the PATH. */
class Home {
  readonly place = new Place()
  readonly folder = this.place.folder
  readonly env: Record<string, string> = {
    HOME: join(this.folder, 'home'),
    USERPROFILE: join(this.folder, 'home'),
    APPDATA: join(this.folder, 'home', 'AppData'),
    LOCALAPPDATA: join(this.folder, 'home', 'Local'),
    XDG_CONFIG_HOME: '',
    CODEX_HOME: join(this.folder, 'home', '.codex'),
    PATH: '/usr/bin',
  }

  config(...words: string[]): Promise<Ran> {
    return this.place.run(['mcp', 'config', ...words], { env: this.env })
  }

  /** The file of a client, as the command names it. */
  async file(...words: string[]): Promise<string> {
    const { err } = await this.config(...words)
    const file = /^This goes into (.+); --write puts it there\.$/m.exec(err)?.[1]
    if (file === undefined) expect.fail(err)
    return file
  }

  async given(text: string, ...words: string[]): Promise<string> {
    const file = await this.file(...words)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
    return file
  }
}

/** How a client would start it, read out of what its file says. */
function launchIn(text: string): { command: string; args: string[] } {
  if (!text.startsWith('{')) {
    const [, command = '', args = ''] = /\ncommand = (.+)\nargs = (.+)\n$/.exec(text) ?? []
    return { command: JSON.parse(command) as string, args: JSON.parse(args) as string[] }
  }
  const [servers = {}] = Object.values(JSON.parse(text) as Record<string, object>)
  const [launch] = Object.values(servers)
  return launch as { command: string; args: string[] }
}

test('files §20: sluice mcp config prints, in the form of each client, how to start sluice mcp on this folder', async () => {
  const home = new Home()
  const command = process.execPath
  const args = [SLUICE, 'mcp', home.folder]
  const plain = { mcpServers: { sluice: { command, args } } }
  const forms: Record<string, object> = {
    vscode: { servers: { sluice: { type: 'stdio', command, args } } },
    zed: { context_servers: { sluice: { command, args, env: {} } } },
  }
  for (const client of JSON_CLIENTS) {
    const { code, out } = await home.config(client)
    expect(code).toBe(0)
    expect(JSON.parse(out), client).toEqual(forms[client] ?? plain)
  }
  const { out } = await home.config('codex')
  expect(out).toBe(
    `[mcp_servers.sluice]\ncommand = ${JSON.stringify(command)}\nargs = [${args.map((arg) => JSON.stringify(arg)).join(', ')}]\n`,
  )
  expect(readdirSync(home.folder)).toEqual([])
})

test('files §20: what is printed for each client starts a server that lists the tools', async () => {
  const home = new Home()
  writeFileSync(join(home.folder, 'a.txt'), 'there')
  const notes = join(home.folder, '.sluice')
  try {
    for (const [client] of ALL) {
      const { out } = await home.config(client)
      const mcp = new Client({ name: client, version: '1' })
      // As a client does it: nothing of a shell, and in a folder of its own.
      await mcp.connect(new StdioClientTransport({ ...launchIn(out), cwd: '/' }))
      const { tools } = await mcp.listTools()
      expect(tools.map(({ name }) => name)).toContain('list_allowed_directories')
      const answer = await mcp.callTool({ name: 'read_text_file', arguments: { path: 'a.txt' } })
      expect(answer.structuredContent).toMatchObject({ content: 'there' })
      await mcp.close()
    }
  } finally {
    const pid = serverNote(notes)?.pid
    if (pid !== undefined) process.kill(pid)
  }
}, 60_000)

for (const [client] of ALL) {
  test(`sluice mcp config ${client} --write makes the file, and a second time leaves it alone`, async () => {
    const home = new Home()
    const file = await home.file(client)
    const { out: printed } = await home.config(client)
    const first = await home.config(client, '--write')
    expect(first).toMatchObject({ code: 0, err: '' })
    expect(first.out).toContain(`Wrote "sluice" into ${file}.`)
    expect(readFileSync(file, 'utf8')).toBe(printed)
    const before = statSync(file).mtimeMs
    const second = await home.config(client, '--write')
    expect(second).toMatchObject({ code: 0, err: '' })
    expect(second.out).toContain('Nothing was written')
    expect(statSync(file).mtimeMs).toBe(before)
    expect(readdirSync(dirname(file))).toEqual([file.slice(dirname(file).length + 1)])
  })

  test(`sluice mcp config ${client} --write refuses another server of that name, and replaces it with --force`, async () => {
    const home = new Home()
    const other = new Place()
    await home.config(client, other.folder, '--write')
    const file = await home.file(client)
    const before = readFileSync(file, 'utf8')
    const refused = await home.config(client, '--write')
    expect(refused).toMatchObject({ code: 6, out: '' })
    expect(refused.err).toContain(`${file} has another "sluice" already`)
    expect(readFileSync(file, 'utf8')).toBe(before)
    expect(await home.config(client, '--write', '--name', 'notes')).toMatchObject({ code: 0 })
    expect(readFileSync(file, 'utf8')).toContain(other.folder)
    expect(await home.config(client, '--write', '--force')).toMatchObject({ code: 0 })
    const after = readFileSync(file, 'utf8')
    expect(after).not.toContain(other.folder)
    expect(after.match(/\bsluice"?\]?[:\n]/g)).toHaveLength(1)
    expect(after.match(/\bnotes"?\]?[:\n]/g)).toHaveLength(1)
  })
}

for (const client of JSON_CLIENTS) {
  test(`sluice mcp config ${client} --write keeps everything else that the file says`, async () => {
    const home = new Home()
    const key = CLIENTS[client]?.key as string
    const servers = { other: { command: 'x', args: [], env: { A: '1' } } }
    const content = { theme: 'dark', [key]: servers, last: [1, 2.5e10, null] }
    const file = await home.given(JSON.stringify(content, undefined, 4), client)
    expect(await home.config(client, '--write')).toMatchObject({ code: 0, err: '' })
    const sluice = Object.values(JSON.parse((await home.config(client)).out) as object)[0].sluice
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
      ...content,
      [key]: { ...servers, sluice },
    })
  })

  test(`sluice mcp config ${client} --write leaves a file with comments, or that is no JSON, alone and prints what to put there`, async () => {
    const home = new Home()
    const cases: [string, string][] = [
      ['// mine\n{"a": 1}\n', 'comments'],
      ['{"a": "// none", /* one */ "b": 1}', 'comments'],
      ['{"a": [1,],}', 'trailing commas'],
      ['{"a": 1', 'is not JSON'],
      ['[]', 'holds no JSON object'],
      [`{"${CLIENTS[client]?.key}": []}`, 'has no object at'],
      ['{"a": 1, "a": 2}', 'twice'],
    ]
    const { out: printed } = await home.config(client)
    for (const [text, why] of cases) {
      const file = await home.given(text, client)
      const ran = await home.config(client, '--write', '--force')
      expect(ran, text).toMatchObject({ code: 2, out: printed })
      expect(ran.err).toContain(`${file} `)
      expect(ran.err).toContain(why)
      expect(ran.err).toContain('Nothing was written')
      expect(readFileSync(file, 'utf8')).toBe(text)
    }
  })
}

test('sluice mcp config --write leaves a file alone that is read-only, and says so', async () => {
  const home = new Home()
  const file = await home.given('{}', 'cursor')
  chmodSync(file, 0o444)
  const ran = await home.config('cursor', '--write')
  expect(ran).toMatchObject({ code: 4, out: '' })
  expect(ran.err).toContain(`${file} is read-only`)
  expect(readFileSync(file, 'utf8')).toBe('{}')
  expect(readdirSync(dirname(file))).toEqual(['mcp.json'])
})

test('sluice mcp config --write leaves a file alone that is a folder, no UTF-8, or a link to nothing', async () => {
  const home = new Home()
  const file = await home.file('claude-code')
  mkdirSync(file)
  const folder = await home.config('claude-code', '--write')
  expect(folder).toMatchObject({ code: 2, err: expect.stringContaining('is a folder') })
  const cursor = await home.given('', 'cursor')
  writeFileSync(cursor, Buffer.from('{"a": "\xe9"}', 'latin1'))
  const latin = await home.config('cursor', '--write')
  expect(latin).toMatchObject({ code: 2, err: expect.stringContaining('is not UTF-8') })
  const gemini = await home.file('gemini')
  mkdirSync(dirname(gemini))
  symlinkSync('nowhere', gemini)
  const link = await home.config('gemini', '--write')
  expect(link).toMatchObject({ code: 2, err: expect.stringContaining('a link to nothing') })
})

test('sluice mcp config --write writes through a link, and keeps the mode of the file', async () => {
  const home = new Home()
  const kept = join(home.folder, 'dotfiles.json')
  writeFileSync(kept, '{"a": 1}', { mode: 0o600 })
  const file = await home.file('cursor')
  mkdirSync(dirname(file))
  symlinkSync(kept, file)
  expect(await home.config('cursor', '--write')).toMatchObject({ code: 0 })
  expect(readFileSync(kept, 'utf8')).toContain('"sluice"')
  expect(statSync(kept).mode & 0o777).toBe(0o600)
  expect(readFileSync(file, 'utf8')).toBe(readFileSync(kept, 'utf8'))
})

test('a file of a client that others changed meanwhile, or that cannot be made, is left as it is', async () => {
  const { folder } = new Place()
  const path = join(folder, 'mcp.json')
  writeFileSync(path, '{}')
  const [file, absent] = [new ClientFile(path), new ClientFile(join(folder, 'new.json'))]
  writeFileSync(path, '{"theirs": 1}')
  writeFileSync(absent.path, '{"theirs": 2}')
  for (const one of [file, absent]) {
    expect(() => one.write('ours')).toThrow(expect.objectContaining({ exit: 8 }))
    expect(readFileSync(one.path, 'utf8')).toContain('theirs')
  }
  expect(() => new ClientFile(join(path, 'below.json'))).toThrow('cannot be written')
  expect(readdirSync(folder).toSorted()).toEqual(['mcp.json', 'new.json'])
})

test('sluice mcp config --scope chooses the file of the person or of the project', async () => {
  const home = new Home()
  const [project, user] = [
    await home.file('cursor', '--scope', 'project'),
    await home.file('cursor', '--scope', 'user'),
  ]
  expect(project).toBe(join(home.folder, '.cursor', 'mcp.json'))
  expect(user).toBe(join(home.folder, 'home', '.cursor', 'mcp.json'))
  expect(await home.file('cursor')).toBe(project)
  const code = await home.config('claude-code', '--scope', 'user', '--write')
  expect(code.code).toBe(2)
  expect(code.err).toContain(`claude mcp add --scope user sluice -- ${process.execPath}`)
  const zed = await home.config('zed', '--scope', 'project')
  expect(zed).toMatchObject({ code: 2, err: expect.stringContaining('Leave --scope out') })
})

test('sluice mcp config names the command by its name where the PATH has this installation under it', async () => {
  const home = new Home()
  const [bin, other] = ['bin', 'other'].map((name) => join(home.folder, name))
  for (const folder of [bin, other] as string[]) mkdirSync(folder)
  symlinkSync(SLUICE, join(bin as string, 'sluice'))
  writeFileSync(join(other as string, 'sluice'), '', { mode: 0o755 })
  const commandOn = async (client: string, ...folders: unknown[]): Promise<string> => {
    home.env.PATH = folders.join(delimiter)
    return launchIn((await home.config(client)).out).command
  }
  expect(await commandOn('cursor', '/nowhere', bin, other)).toBe('sluice')
  expect(await commandOn('codex', bin)).toBe('sluice')
  // Another program of that name would be started instead.
  expect(await commandOn('cursor', other, bin)).toBe(process.execPath)
  // Its PATH is not the one of a terminal.
  expect(await commandOn('claude-desktop', bin)).toBe(process.execPath)
  // Only as long as a package manager runs the command.
  const managed = join(home.folder, 'node_modules', '.bin')
  mkdirSync(managed, { recursive: true })
  symlinkSync(SLUICE, join(managed, 'sluice'))
  expect(await commandOn('cursor', managed)).toBe(process.execPath)
})

test('folder §1: sluice mcp config takes the folders, tools and agent that sluice mcp takes, and refuses what it refuses', async () => {
  const home = new Home()
  for (const name of ['one', 'two', join('one', 'in')]) mkdirSync(join(home.folder, name))
  const { out } = await home.config(
    ...['cursor', 'one', './two', 'one', '--tools', 'files', '--agent', 'ann'],
  )
  const [one, two] = [join(home.folder, 'one'), join(home.folder, 'two')]
  const options = ['--tools', 'files', '--agent', 'ann']
  expect(launchIn(out).args).toEqual([SLUICE, 'mcp', ...options, one, two])
  const cases: [string[], string][] = [
    [['cursr'], 'Did you mean "cursor"?'],
    [['cursor', 'three'], 'There is no such folder'],
    [['cursor', 'one', 'one/in'], 'Name only the outer one'],
    [['cursor', '/'], 'the whole disk'],
    [['cursor', '--tools', 'nope'], 'no such tools: nope'],
    [['cursor', '--name', 'a b'], '--name: "a b" must be'],
    [['cursor', '--force'], '--force needs --write'],
  ]
  for (const [words, text] of cases) {
    const ran = await home.config(...words)
    expect(ran, words.join(' ')).toMatchObject({ code: 2, out: '' })
    expect(ran.err).toContain(text)
  }
  expect(existsSync(join(home.folder, '.cursor'))).toBe(false)
})

test('sluice mcp config refuses a folder whose name a client would put something else for', async () => {
  const home = new Home()
  const name = '$' + '{HOME}'
  mkdirSync(join(home.folder, name))
  const refused = await home.config('claude-code', name)
  expect(refused).toMatchObject({ code: 2, err: expect.stringContaining('by another name') })
  expect(await home.config('claude-desktop', name)).toMatchObject({ code: 0 })
})

test('folder §1: a folder that is named config is served as ./config', async () => {
  const place = new Place()
  mkdirSync(join(place.folder, 'config'))
  writeFileSync(join(place.folder, 'config', 'a.txt'), 'there')
  const agent = await connectMcp(place, ['./config'])
  expect(await agent.call('read_text_file', { path: 'a.txt' })).toMatchObject({ content: 'there' })
})
