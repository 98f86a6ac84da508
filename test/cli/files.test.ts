import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Place, SLUICE } from './sluice.ts'

test('put and cat stream contents of any size, from stdin and from a file', async () => {
  const place = new Place()
  await place.open()
  const content = Buffer.alloc(5 * 1024 * 1024, 'sluice ')
  const sha256 = createHash('sha256').update(content).digest('hex')
  const put = await place.run(['put', '/large.bin', '--json'], { input: content })
  expect(put.code).toBe(0)
  expect(JSON.parse(put.out)).toMatchObject({
    path: '/large.bin',
    size: content.length,
    sha256,
    created: true,
  })
  expect((await place.run(['cat', '/large.bin'])).out).toBe(content.toString())
  const file = join(place.folder, 'local.bin')
  writeFileSync(file, content)
  const again = await place.run(['put', '/copy.bin', file, '--json'])
  expect(JSON.parse(again.out)).toMatchObject({ sha256 })
})

test('put replaces what was there when it started, and only that', async () => {
  const place = new Place()
  await place.open()
  await place.run(['put', 'notes/a.txt', '-'], { input: 'one' })
  expect((await place.run(['put', '/notes/a.txt'], { input: 'two' })).code).toBe(0)
  const stale = await place.run(['put', '/notes/a.txt', '--if-version', '1'], { input: 'x' })
  expect(stale.code).toBe(8)
  expect((await place.run(['put', '/notes/a.txt', '--if-none'], { input: 'x' })).code).toBe(6)
  expect((await place.run(['put', '/notes'], { input: 'x' })).code).toBe(6)
  expect((await place.run(['cat', '/notes/a.txt'])).out).toBe('two')
  expect((await place.run(['cat', '/notes/a.txt', '--at', '1'])).out).toBe('one')
  const history = await place.run(['history', '/notes/a.txt'])
  expect(history.out.split('\n')).toHaveLength(4)
})

test('put: a file that cannot be read, and a write that is refused, end at once', async () => {
  const place = new Place()
  await place.open()
  // Files are looked for where the process is.
  const missing = await place.run(['put', '/a', 'missing.txt'], { apart: true })
  expect(missing.err).toContain('missing.txt cannot be read')
  mkdirSync(join(place.folder, 'folder'))
  const folder = await place.run(['put', '/a', 'folder'], { apart: true })
  expect(folder.err).toContain('writes one file at a time')
  await place.run(['lock', '/a', '--session', 'other'])
  // Its stdin never ends; the refusal must not wait for that.
  const open = place.start(['put', '/a'])
  open.child.stdin.write(Buffer.alloc(1_000_000))
  expect((await open.ended()).code).toBe(7)
})

test('ls lists a folder for people and for programs', async () => {
  const place = new Place()
  await place.open()
  await place.run(['put', '/docs/a.txt'], { input: 'x'.repeat(2048) })
  const root = await place.run(['ls'])
  expect(root.out).toMatch(/^VERSION +SIZE +CHANGED +BY +LOCKED BY +NAME\n +docs\/\n$/)
  expect((await place.run(['ls', 'docs'])).out).toMatch(/2\.0 KiB .* admin .* a\.txt\n$/)
  const json = JSON.parse((await place.run(['ls', '/docs', '--json'])).out) as { entries: object[] }
  expect(json.entries).toMatchObject([{ kind: 'file', path: '/docs/a.txt', size: 2048 }])
})

test('rm deletes a file, and a folder with --recursive', async () => {
  const place = new Place()
  await place.open()
  await place.run(['put', '/docs/a.txt'], { input: 'x' })
  expect((await place.run(['rm', '/docs'])).code).toBe(6)
  expect((await place.run(['rm', '/docs/a.txt'])).out).toBe('Deleted /docs/a.txt.\n')
  await place.run(['put', '/docs/b.txt'], { input: '' })
  expect((await place.run(['rm', '-r', '/docs'])).code).toBe(0)
  expect((await place.run(['ls'])).out).toBe('Empty.\n')
  expect((await place.run(['rm', '/docs'])).code).toBe(5)
})

test('a reader that stops early, as head does, is no fault', async () => {
  const place = new Place()
  await place.open()
  await place.run(['put', '/large'], { input: Buffer.alloc(20 * 1024 * 1024, 'x') })
  const cat = spawn(process.execPath, [SLUICE, 'cat', '/large'], { cwd: place.folder })
  let err = ''
  cat.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  cat.stdout.once('data', () => cat.stdout.destroy())
  const code = await new Promise((resolve) => cat.once('close', resolve))
  expect({ code, err }).toEqual({ code: 0, err: '' })
})

test('what agents say cannot play tricks on a terminal', async () => {
  const place = new Place()
  await place.open()
  await place.run(['lock', '/a', '--intent', 'x\u001b[2J\u202ey\nz'])
  const { out } = await place.run(['locks'])
  expect(out).toContain('x\ufffd[2J\ufffdy z')
})
