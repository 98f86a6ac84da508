import { createHash } from 'node:crypto'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { hostName } from '../../src/contract/host-name.ts'
import { parseTags } from '../../src/face/http-kit/entity-tag.ts'
import { HEADER_RULES } from '../../src/face/http-kit/header-rules.ts'
import { startServer } from '../../src/server.ts'
import { Place } from '../cli/sluice.ts'
import { askExactly, type Served, serve, serveReal } from '../face/serve.ts'

const FILE = '/v1/workspaces/main/files/a'
type Ask = Served['ask']

const bytes = (data: Uint8Array | string) => new Uint8Array(Buffer.from(data))

async function problemOf(answer: Response): Promise<{ code: string; detail: string }> {
  return (await answer.json()) as { code: string; detail: string }
}

async function textAt(ask: Ask, url = FILE): Promise<string> {
  return (await ask('GET', url)).text()
}

async function versionAt(ask: Ask, url = FILE): Promise<string> {
  return ((await ask('HEAD', url)).headers.get('etag') ?? '').replaceAll('"', '')
}

/** Headers that would change what a write means. */
const MEANING: [string, string][] = [
  ['content-range', 'bytes 3-5/6'],
  ['content-range', 'bytes */6'],
  ['range', 'bytes=3-5'],
  ['x-update-range', 'append'],
  ['upload-offset', '3'],
  ['upload-complete', '?0'],
  ['upload-incomplete', '?1'],
  ['tus-resumable', '1.0.0'],
  ['x-http-method-override', 'DELETE'],
  ['x-http-method', 'PATCH'],
  ['x-method-override', 'PATCH'],
  ['x-amz-copy-source', '/b'],
  ['x-ms-copy-source', '/b'],
  ['x-goog-copy-source', '/b'],
  ['if-unmodified-since', 'Sat, 29 Oct 1994 19:43:31 GMT'],
  ['if', '(<opaquelocktoken:x>)'],
  ['content-type', 'multipart/form-data; boundary=x'],
  ['content-encoding', 'zstd'],
  ['content-encoding', 'gzip, br'],
  ['content-encoding', 'gzip'],
  ['content-digest', 'sha-256=:AAAA:'],
  ['content-digest', 'crc32c=:AAAA:'],
  ['repr-digest', 'sha-512=:AAAA:'],
  ['digest', 'MD5=AAAA'],
  ['content-md5', 'AAAA'],
]

test('G1: a header that changes what the body means is refused or kept, and nothing is changed', async () => {
  const { ask } = await serveReal()
  await ask('PUT', FILE, { body: 'abcdef' })
  const version = await versionAt(ask)
  for (const [header, value] of MEANING) {
    const answer = await ask('PUT', FILE, { body: 'xyz', headers: { [header]: value } })
    expect([400, 415], `${header}: ${value}`).toContain(answer.status)
    const { detail } = await problemOf(answer)
    expect(detail.length, header).toBeGreaterThan(20)
    expect(await versionAt(ask), `${header}: ${value}`).toBe(version)
  }
  const named = new Set(MEANING.map(([header]) => header))
  for (const { header } of HEADER_RULES.filter((rule) => rule.header !== 'transfer-encoding')) {
    const isTried = header.endsWith('*')
      ? [...named].some((one) => one.startsWith(header.slice(0, -1)))
      : named.has(header)
    expect(isTried, `${header} is in the table and not tried here`).toBe(true)
  }
  expect(await textAt(ask)).toBe('abcdef')
})

test('G1: PATCH, POST and DELETE refuse such headers too', async () => {
  const { ask } = await serveReal()
  await ask('PUT', FILE, { body: 'abcdef' })
  const version = await versionAt(ask)
  const json = { append: 'x' }
  for (const [header, value] of [
    ['content-range', 'bytes 3-5/6'],
    ['upload-offset', '0'],
    ['x-http-method-override', 'PUT'],
    ['range', 'bytes=0-1'],
    ['content-encoding', 'compress'],
    ['content-digest', 'sha-256=:AAAA:'],
  ] as const) {
    const headers = { [header]: value }
    expect([400, 415]).toContain((await ask('PATCH', FILE, { json, headers })).status)
    expect([400, 415]).toContain(
      (await ask('POST', '/v1/workspaces/main/locks', { json: { path: '/b' }, headers })).status,
    )
    if (header.startsWith('content-')) continue
    expect([400, 415]).toContain((await ask('DELETE', FILE, { headers })).status)
  }
  expect(await versionAt(ask)).toBe(version)
  const locks = await ask('GET', '/v1/workspaces/main/locks')
  expect(await locks.json()).toMatchObject({ locks: [] })
})

test('G1+: harmless forms of the same headers pass', async () => {
  const { ask } = await serveReal()
  for (const [header, value] of [
    ['x-http-method-override', 'put'],
    ['content-encoding', 'identity'],
    ['content-type', 'application/x-www-form-urlencoded'],
    ['content-type', 'multipart/mixed; boundary=x'],
    ['want-content-digest', 'sha-256=1'],
  ] as const) {
    const answer = await ask('PUT', `${FILE}-${header}`, {
      body: 'x',
      headers: { [header]: value },
    })
    expect([200, 201, 428], `${header}: ${value}`).toContain(answer.status)
  }
  expect((await ask('GET', FILE, { headers: { range: 'bytes=0-0' } })).status).toBe(404)
})

test('G1+: transfer codings other than chunked are refused (raw request)', async () => {
  const { url, tokenOf, ask } = await serveReal()
  const answer = await askExactly(url, {
    method: 'PUT',
    path: FILE,
    headers: {
      authorization: `Bearer ${tokenOf('token-a')}`,
      'transfer-encoding': 'gzip, chunked',
    },
    body: 'xyz',
  }).catch(() => undefined)
  expect(answer?.status ?? 400).toBeGreaterThanOrEqual(400)
  expect((await ask('GET', FILE)).status).toBe(404)
})

test('G1+: sums of the body are kept: a right one passes, a wrong one changes nothing', async () => {
  const { ask } = await serveReal()
  for (const size of [10, 200_000]) {
    const body = bytes('y'.repeat(size))
    const sum = (name: string) => createHash(name).update(body).digest('base64')
    let n = 0
    for (const [header, value] of [
      ['content-md5', sum('md5')],
      ['digest', `SHA-256=${sum('sha256')}`],
      ['content-digest', `sha-256=:${sum('sha256')}:`],
      ['repr-digest', `crc32c=:AAAA:, sha-512=:${sum('sha512')}:`],
    ] as const) {
      n += 1
      const url = `${FILE}-${size}-${n}`
      const wrong = {
        [header]: value.replace(/[A-Za-z](=*:?)$/, 'A$1').replace(/.{4}(=*:?)$/, 'AAAA$1'),
      }
      expect((await ask('PUT', url, { body, headers: wrong })).status, header).toBe(400)
      expect((await ask('GET', url)).status, header).toBe(404)
      expect((await ask('PUT', url, { body, headers: { [header]: value } })).status).toBe(201)
    }
  }
})

const CODERS = { gzip: gzipSync, 'x-gzip': gzipSync, deflate: deflateSync, br: brotliCompressSync }

test('G2: a compressed body is stored as what it is, small and large', async () => {
  const { ask } = await serveReal()
  for (const [coding, encode] of Object.entries(CODERS)) {
    for (const size of [5, 100_000, 3_000_000]) {
      const text = 'abcde'.repeat(size / 5)
      const url = `${FILE}-${coding}-${size}`
      const headers = { 'content-encoding': coding }
      const put = await ask('PUT', url, { body: bytes(encode(text)), headers })
      expect(put.status, `${coding} ${size}`).toBe(201)
      expect(await put.json()).toMatchObject({ size: text.length })
      expect(await textAt(ask, url)).toBe(text)
    }
  }
})

test('G2: a broken or cut body changes nothing, and unknown codings are named', async () => {
  const { ask } = await serveReal()
  const whole = gzipSync('abc'.repeat(50_000))
  const headers = { 'content-encoding': 'gzip' }
  for (const body of [bytes('not gzip'), bytes(whole.subarray(0, whole.length - 9)), bytes('')]) {
    const answer = await ask('PUT', FILE, { body, headers })
    expect(answer.status).toBe(400)
    expect((await problemOf(answer)).detail).toContain('gzip')
  }
  const unknown = await ask('PUT', FILE, { body: 'x', headers: { 'content-encoding': 'zstd' } })
  expect(unknown.status).toBe(415)
  expect(unknown.headers.get('accept-encoding')).toContain('gzip')
  expect(await problemOf(unknown)).toMatchObject({
    code: 'unsupported',
    detail: expect.stringContaining('"zstd"'),
  })
  expect((await ask('GET', FILE)).status).toBe(404)
})

test('G2+: a body that grows beyond all measure is refused without being stored', async () => {
  const { ask } = await serveReal()
  const bomb = bytes(gzipSync(Buffer.alloc(200 * 1024 * 1024), { level: 9 }))
  const headers = { 'content-encoding': 'gzip' }
  const put = await ask('PUT', FILE, { body: bomb, headers })
  expect(await problemOf(put)).toMatchObject({ code: 'too_large' })
  expect((await ask('GET', FILE)).status).toBe(404)
  const json = { 'content-type': 'application/json', ...headers }
  const patch = await ask('PATCH', FILE, { body: bomb, headers: json })
  expect(await problemOf(patch)).toMatchObject({ code: 'too_large' })
}, 30_000)

test('G2+: a compressed JSON body is read too', async () => {
  const { ask } = await serveReal()
  const headers = { 'content-encoding': 'gzip', 'content-type': 'application/json' }
  const body = bytes(gzipSync(JSON.stringify({ append: 'one\n' })))
  expect((await ask('PATCH', FILE, { body, headers })).status).toBe(200)
  expect(await textAt(ask)).toBe('one\n')
  const cut = await ask('PATCH', FILE, { body: body.subarray(0, 12), headers })
  expect(cut.status).toBe(400)
})

const putIf = async (ask: Ask, ifMatch: string, url = FILE) =>
  ask('PUT', url, { body: 'two', headers: { 'if-match': ifMatch, 'sluice-session': 'other' } })

test('G3: If-Match by RFC 9110: a weak tag never matches, a list does by any, what is none is refused', async () => {
  const { ask } = await serveReal()
  await ask('PUT', FILE, { body: 'one' })
  const put = (ifMatch: string) => putIf(ask, ifMatch)
  const version = await versionAt(ask)
  const weak = await put(`W/"${version}"`)
  expect(weak.status).toBe(412)
  expect((await problemOf(weak)).detail).toMatch(/proxy that compresses/)
  for (const tags of ['"999"', '"998", "999"', `W/"${version}", "999"`, '"abc"', '""', '"0"']) {
    expect((await put(tags)).status, tags).toBe(412)
  }
  for (const broken of [`${version} 2`, '"1', 'W/1', '"1" "2"', ',', 'w/"1"', '*, "1"']) {
    expect((await put(broken)).status, broken).toBe(400)
  }
  expect(await textAt(ask)).toBe('one')
  expect((await put(`"999", "${version}"`)).status).toBe(200)
})

test('G3: If-Match: * asks for a file, and that it was read all the same', async () => {
  const { ask } = await serveReal()
  await ask('PUT', FILE, { body: 'one' })
  const put = (ifMatch: string, url?: string) => putIf(ask, ifMatch, url)
  expect((await put(`"${await versionAt(ask)}"`)).status).toBe(200)
  // It is there, and the rest of the rules hold as ever: another session has not read it.
  const unseen = await ask('PUT', FILE, {
    body: 'three',
    headers: { 'if-match': '*', 'sluice-session': 'third' },
  })
  expect(await problemOf(unseen)).toMatchObject({ code: 'unseen_version' })
  expect((await put('*')).status).toBe(200)
  const missing = await put('*', `${FILE}-none`)
  expect(await problemOf(missing)).toMatchObject({ code: 'stale_version' })
  expect((await ask('GET', `${FILE}-none`)).status).toBe(404)
})

test('G3: If-None-Match of writes: * for nothing there, tags for another version, weak ones too', async () => {
  const { ask } = await serveReal()
  const put = async (tags: string, url = FILE) =>
    ask('PUT', url, { body: 'x', headers: { 'if-none-match': tags } })
  expect((await put('*')).status).toBe(201)
  expect((await put('*')).status).toBe(409)
  const version = await versionAt(ask)
  for (const tags of [`"${version}"`, `W/"${version}"`, `"1", "${version}"`]) {
    expect((await put(tags)).status, tags).toBe(412)
  }
  expect(await versionAt(ask)).toBe(version)
  expect((await put('"999999"')).status).toBe(200)
  expect((await put('"1"', `${FILE}-new`)).status).toBe(201)
})

test('G3+: deletes and edits keep their conditions as well', async () => {
  const { ask } = await serveReal()
  await ask('PUT', FILE, { body: 'one' })
  const version = await versionAt(ask)
  const weak = { 'if-match': `W/"${version}"` }
  expect((await ask('DELETE', FILE, { headers: weak })).status).toBe(412)
  expect((await ask('PATCH', FILE, { json: { append: 'x' }, headers: weak })).status).toBe(412)
  const there = { 'if-match': '*' }
  const none = await ask('PATCH', `${FILE}-none`, { json: { append: 'x' }, headers: there })
  expect(none.status).toBe(404)
  expect((await ask('GET', `${FILE}-none`)).status).toBe(404)
  const lock = { json: { path: '/a' }, headers: there }
  expect((await ask('POST', '/v1/workspaces/main/locks', lock)).status).toBe(400)
  expect((await ask('DELETE', FILE, { headers: { 'if-match': `"1", "${version}"` } })).status).toBe(
    204,
  )
})

test('G3+: reads keep their conditions as well', async () => {
  const { ask } = await serveReal()
  await ask('PUT', FILE, { body: 'one' })
  const version = await versionAt(ask)
  const status = async (headers: Record<string, string>) =>
    (await ask('GET', FILE, { headers })).status
  expect(await status({ 'if-match': `W/"${version}"` })).toBe(412)
  expect(await status({ 'if-match': '*' })).toBe(200)
  expect(await status({ 'if-none-match': `"7", W/"${version}"` })).toBe(304)
})

test('G3+: a list of tags is read by the letter, in time that its length allows', () => {
  expect(parseTags('*')).toBe('*')
  expect(parseTags('"a,b" , W/"c"')).toEqual([
    { isWeak: false, tag: 'a,b' },
    { isWeak: true, tag: 'c' },
  ])
  expect(parseTags('"1"'.repeat(20_000))).toBeUndefined()
  expect(parseTags(`${' '.repeat(30_000)}x`)).toBeUndefined()
})

const NAMES: [string, string | RegExp][] = [
  ['sluice', 'sluice'],
  ['Files.Example.Org.', 'files.example.org'],
  ['10.0.0.7', '10.0.0.7'],
  ['::1', '[::1]'],
  ['[fe80::1]', '[fe80::1]'],
  ['my_host-1', 'my_host-1'],
  ['sluice:7739', /write "sluice"/],
  ['http://sluice', /write "sluice"/],
  ['https://files.example.org:8443/path', /write "files.example.org"/],
  ['files.example.org/', /write "files.example.org"/],
  ['user@host', /write "host"/],
  ['bücher.example', /write "xn--bcher-kva.example"/],
  ['*', /one by one/],
  ['*.example.org', /one by one/],
  ['', /no host name/],
  ['a b', /no host name/],
  ['-x', /no host name/],
]

test('G5: what can never match as a host is refused with what to write', () => {
  for (const [given, wanted] of NAMES) {
    const result = hostName(given)
    if (typeof wanted === 'string') expect(result, given).toEqual({ ok: true, host: wanted })
    else expect(result.ok ? 'taken' : result.fault, given).toMatch(wanted)
  }
})

test('G5: the server refuses such a name at its start, before it makes anything (CLI, program)', async () => {
  const place = new Place()
  for (const [flag, name, words] of [
    ['--allow-host', 'sluice:7739', 'write "sluice"'],
    ['--allow-host', '*', 'one by one'],
    ['--host', 'http://0.0.0.0', 'write "0.0.0.0"'],
  ] as const) {
    const ran = await place.run(['serve', '--port', '0', flag, name])
    expect(ran.code, name).toBe(2)
    expect(ran.err, name).toContain(words)
  }
  const options = { data: place.data, host: '127.0.0.1', port: 0, allowHosts: ['http://sluice'] }
  await expect(startServer(options)).rejects.toThrow('write "sluice"')
  await expect(place.token()).rejects.toThrow()
}, 30_000)

test('G5: a refusal names the host it got, and what would allow it', async () => {
  const { url } = await serve({ extraHosts: ['files.example.org'] })
  const ask = async (headers: Record<string, string>) =>
    JSON.parse((await askExactly(url, { path: '/health', headers })).text) as { detail: string }
  expect(await ask({ host: 'files.example.org:7420' })).toMatchObject({ status: 'ok' })
  const { detail } = await ask({ host: 'sluice.local:7420' })
  expect(detail).toBe(
    'This server does not answer to the Host "sluice.local:7420"; allow it with --allow-host sluice.local.',
  )
  const origin = await ask({ host: 'localhost', origin: 'https://app.example' })
  expect(origin.detail).toContain('"https://app.example"')
  expect(origin.detail).toContain('--allow-origin https://app.example')
  expect(origin.detail).toContain('--allow-host app.example')
  const odd = await ask({ host: `${'x'.repeat(300)}"\u00ff` })
  expect(odd.detail.length).toBeLessThan(250)
  expect(odd.detail).not.toContain('--allow-host')
})
