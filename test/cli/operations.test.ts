import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Place, type Ran, until } from './sluice.ts'

test('agents add and token: an agent is made with rights, and works with its token as far as these go', async () => {
  const place = new Place()
  await place.open()
  const early = await place.run(['token', 'bob'])
  expect(early.code).toBe(5)
  expect(early.err).toContain('sluice agents add bob')
  const rights = ['--right', '/=read', '--right', 'main:/drafts=write']
  const added = await place.run(['agents', 'add', 'bob', '--json', ...rights])
  expect(jsonOf(added)).toMatchObject({
    name: 'bob',
    role: 'agent',
    created: true,
    rights: [
      { workspace: '*', path: '/', access: 'read' },
      { workspace: 'main', path: '/drafts', access: 'write' },
    ],
  })
  // Making it again would silently take its rules away.
  expect((await place.run(['agents', 'add', 'bob'])).code).toBe(6)
  const { out: token } = await place.run(['token', 'bob'])
  expect(token).toMatch(/^slc_\S{43}\n$/)
  const env = { SLUICE_TOKEN: token.trim() }
  expect((await place.run(['put', '/drafts/a'], { env, input: 'x' })).code).toBe(0)
  expect((await place.run(['put', '/a'], { env, input: 'x' })).code).toBe(4)
  expect((await place.run(['agents'], { env })).code).toBe(4)
  expect((await place.run(['agents', 'add', 'eve', '--right', '/x'])).err).toContain('PATH=read')
})

test('agents set and rm: a role changes, rights stay; whoever is removed is not known any more', async () => {
  const place = new Place()
  await place.open()
  const rights = ['--right', '/=read', '--right', 'main:/drafts=write']
  await place.run(['agents', 'add', 'bob', ...rights])
  const { out: token } = await place.run(['token', 'bob'])
  const env = { SLUICE_TOKEN: token.trim() }
  const set = await place.run(['agents', 'set', 'bob', '--role', 'supervisor', '--json'])
  expect(jsonOf(set)).toMatchObject({ role: 'supervisor', rights: [{}, {}] })
  expect((await place.run(['agents'])).out).toMatch(/bob +supervisor .*\/=read main:\/drafts=write/)
  expect((await place.run(['agents', 'rm', 'bob'])).out).toContain('Removed')
  expect((await place.run(['status'], { env })).code).toBe(3)
})

test('--agent works as that agent, and what it did is told under its name', async () => {
  const place = new Place()
  await place.open()
  await place.run(['agents', 'add', 'bob'])
  await place.run(['put', '/a', '--agent', 'bob'], { input: 'x' })
  expect(jsonOf(await place.run(['status', '--agent', 'bob', '--json']))).toMatchObject({
    agent: 'bob',
    session: 'bob:cli',
  })
  const log = jsonOf(await place.run(['log', '--agent', 'bob', '--json'])) as { rows: object[] }
  expect(log.rows).toMatchObject([{ agent: 'bob', kind: 'files-committed', paths: ['/a'] }])
  expect((await place.run(['status', '--agent', 'nobody'])).err).toContain('no agent nobody')
})

test('log shows the newest row last, filters, and verifies the ledger', async () => {
  const place = new Place()
  await place.open()
  await place.run(['put', '/a'], { input: 'x' })
  await place.run(['put', '/b'], { input: 'x' })
  await place.run(['put', '/a', '--if-version', '99'], { input: 'x' })
  // A refusal is told before it is stored.
  const last = await until(async () => {
    const { out } = await place.run(['log'])
    const line = out.trimEnd().split('\n').at(-1) ?? ''
    return line.includes('stale_version') ? line : undefined
  })
  expect(last).toMatch(/ stale_version +\/a /)
  const refused = jsonOf(await place.run(['log', '/a', '--outcome', 'refused', '--json']))
  expect(refused).toMatchObject({ rows: [{ outcome: 'refused', code: 'stale_version' }] })
  const verified = jsonOf(await place.run(['log', '--verify', '--json']))
  expect(verified).toMatchObject({ ok: true, from: 1 })
  expect((await place.run(['log', '--verify'])).out).toContain('The ledger adds up')
})

test('watch prints an event a line, and goes on from a revision', async () => {
  const place = new Place()
  await place.open()
  await place.run(['put', '/docs/a'], { input: 'x' })
  await place.run(['put', '/b'], { input: 'x' })
  const since = ['watch', '--since', '0', '--json', '--count']
  const both = (await place.run([...since, '2'])).out.trimEnd().split('\n').map(parse)
  expect(both).toMatchObject([
    { revision: 1, kind: 'files-committed', agent: 'admin' },
    { revision: 2, kind: 'files-committed' },
  ])
  const later = await place.run(['watch', '/b', '--since', '1', '--count', '1'])
  expect(later.out).toMatch(/ 2 .*files-committed.*\/b/)
  const live = place.start(['watch', '--kind', 'lock-acquired', '--json'])
  // It has no way to say that it is listening; what it must not miss is told again and again.
  const told = live.says(/lock-acquired/)
  for (let turn = 0; live.out === ''; turn++) await place.run(['lock', `/c${turn}`])
  await told
  expect((await live.stop('SIGINT')).code).toBe(0)
  expect((await place.run(['watch', '--kind', 'nope'])).err).toContain('"nope" is none of')
})

test('contract §5: call reaches every operation, with JSON in and out', async () => {
  const place = new Place()
  await place.open()
  const changes = [{ op: 'write', path: '/a', text: 'one' }]
  const committed = await place.run(['call', 'commit', '-'], { input: JSON.stringify({ changes }) })
  expect(jsonOf(committed)).toMatchObject({ revision: 1, files: [{ path: '/a' }] })
  const input = JSON.stringify({ path: '/b', if_version: 0 })
  const written = await place.run(['call', 'write_file', input, '--content', '-'], { input: 'two' })
  expect(jsonOf(written)).toMatchObject({ path: '/b', created: true })
  expect((await place.run(['call', 'read_file', '{"path":"/b"}'])).out).toBe('two')
  const deleted = await place.run(['call', 'delete_file', '{"path":"/b","if_version":2}'])
  expect(jsonOf(deleted)).toMatchObject({ path: '/b', version: 3 })
  expect((await place.run(['call', 'nope'])).err).toContain('There is no operation nope')
  expect((await place.run(['call', 'get_entry', '[]'])).err).toContain('must be a JSON object')
})

test('contract §5, §7: exit codes come from the error catalog, and --json says the problem on stderr', async () => {
  const place = new Place()
  await place.open()
  const cases: [string[], number, string][] = [
    [['cat', '/nope'], 5, 'not_found'],
    [['cat', '/../x'], 2, 'invalid_path'],
    [['ls', '/nope'], 5, 'not_found'],
    [['lock', '/a', '--ttl', '0'], 2, 'invalid_request'],
    [['unlock', 'x'], 2, 'invalid_request'],
    [['status', '--token', 'wrong'], 3, 'unauthenticated'],
    [['status', '--workspace', 'nope'], 5, 'not_found'],
    [['status', '--url', 'http://127.0.0.1:1', '--token', 'x'], 13, 'overloaded'],
    [['status', '--url', 'nonsense'], 2, 'invalid_request'],
  ]
  for (const [words, code, name] of cases) {
    const plain = await place.run(words)
    expect(plain, words.join(' ')).toMatchObject({ code, out: '' })
    expect(plain.err).toMatch(/^sluice: \S[^\n]*\n$/)
    if (words[0] === 'cat') continue
    const asJson = await place.run([...words, '--json'])
    expect(asJson, words.join(' ')).toMatchObject({ code, out: '' })
    expect(parse(asJson.err)).toMatchObject({ code: name, type: `/errors/${name}` })
  }
})

test('a command line that makes no sense exits 2, with a hint or as a problem', async () => {
  const place = new Place()
  expect(await place.run(['lokc'])).toMatchObject({ code: 2, err: expect.stringMatching('lock') })
  expect(await place.run(['ls', '--nope'])).toMatchObject({ code: 2, out: '' })
  expect((await place.run(['ls', '--', 'x'])).code).toBe(2)
  expect((await place.run(['lock'])).code).toBe(2)
  const asJson = await place.run(['ls', '--nope', '--json'])
  expect(parse(asJson.err)).toMatchObject({ code: 'invalid_request' })
})

test('help names the commands and their settings, and --version the release', async () => {
  const place = new Place()
  const help = await place.run(['--help'])
  expect(help.code).toBe(0)
  expect(help.out).toMatch(/serve .*mcp .*doctor /s)
  expect((await place.run(['lock', '--help'])).out).toContain('SLUICE_LOCK_TTL')
  expect((await place.run(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/)
})

test('settings: a flag wins over the environment, that over the file, that over the default', async () => {
  const place = new Place()
  const config = { port: 1, 'log-level': 'info', host: '127.0.0.3', lock: { ttl: 5 } }
  const file = join(place.folder, 'sluice.config.json')
  writeFileSync(file, JSON.stringify(config))
  const env = {
    SLUICE_PORT: '2',
    SLUICE_LOG_LEVEL: 'error',
    SLUICE_PUT_MESSAGE: 'why',
    SLUICE_URL: '',
  }
  const ran = await place.run(['config', '--port', '3', '--token', 'secret', '--json'], { env })
  expect(ran.out).not.toContain('secret')
  const { settings } = jsonOf(ran) as { settings: { setting: string }[] }
  const found = Object.fromEntries(settings.map((row) => [row.setting, row]))
  expect(found).toMatchObject({
    port: { value: 3, source: 'flag', from: '--port' },
    'log-level': { value: 'error', source: 'environment', from: 'SLUICE_LOG_LEVEL' },
    host: { value: '127.0.0.3', source: 'file', from: file },
    data: { value: './data', source: 'default' },
    url: { value: null, source: 'unset' },
    token: { value: '(hidden)', source: 'flag' },
    'lock.ttl': { value: 5, source: 'file', environment: 'SLUICE_LOCK_TTL' },
    'put.message': { value: 'why', source: 'environment' },
  })
})

test('settings: a file with a name that means nothing is refused, and --config names another', async () => {
  const place = new Place()
  writeFileSync(join(place.folder, 'sluice.config.json'), '{"prot": 1}')
  expect((await place.run(['config'])).err).toContain('there is no setting "prot"')
  writeFileSync(join(place.folder, 'sluice.config.json'), '{')
  expect((await place.run(['config'])).err).toContain('is not JSON')
  const other = join(place.folder, 'other.json')
  writeFileSync(other, JSON.stringify({ data: 'elsewhere' }))
  const ran = await place.run(['config', '--config', 'other.json', '--json'])
  expect(jsonOf(ran)).toMatchObject({ file: other })
  expect(ran.out).toContain(join(place.folder, 'elsewhere'))
  expect((await place.run(['config', '--config', 'none.json'])).code).toBe(2)
})

test('settings: a token of the data folder is shown to no other server', async () => {
  const place = new Place()
  const server = await place.open()
  expect((await place.run(['status', '--url', server.url])).code).toBe(0)
  const elsewhere = await place.run(['status', '--url', 'http://127.0.0.1:1'])
  expect(elsewhere.code).toBe(3)
  expect(elsewhere.err).toContain('No token for http://127.0.0.1:1')
})

test('doctor finds nothing wrong with a healthy server, and says what to do about the rest', async () => {
  const place = new Place()
  const none = jsonOf(await place.run(['doctor', '--json']))
  expect(none).toMatchObject({
    findings: expect.arrayContaining([
      expect.objectContaining({ check: 'Server', outcome: 'note', todo: expect.any(String) }),
    ]),
  })
  const server = await place.serve()
  await place.run(['put', '/a'], { input: 'x' })
  const well = await place.run(['doctor'])
  expect(well.code).toBe(0)
  expect(well.out).toMatch(/✓ Ledger of main: revisions 1 to 1 add up/)
  chmodSync(join(place.data, 'admin.token'), 0o644)
  const open = await place.run(['doctor'])
  expect(open.code).toBe(1)
  expect(open.out).toContain('chmod 600')
  await server.stop('SIGKILL')
  const gone = await place.run(['doctor'])
  expect(gone.code).toBe(1)
  expect(gone.out).toContain('does not answer')
})

function parse(text: string): unknown {
  return JSON.parse(text)
}

/** One JSON document, and nothing else. */
function jsonOf({ code, out, err }: Ran): unknown {
  expect({ code, err }).toEqual({ code: 0, err: '' })
  return parse(out)
}
