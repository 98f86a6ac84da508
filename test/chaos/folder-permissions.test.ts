import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FolderServer } from './folder-server.ts'

/** Permissions do not bind root, so the server has another user. */
const NOBODY = 65_534
const skipped =
  process.platform === 'linux' && process.getuid?.() === 0
    ? undefined
    : 'a server of another user needs root'
if (skipped !== undefined) console.log(`permissions of folders: skipped, ${skipped}`)

let root: string
let server: FolderServer

beforeEach(async () => {
  if (skipped !== undefined) return
  root = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-permissions-')))
  chownSync(root, NOBODY, NOBODY)
  for (const folder of ['open', 'shut', 'fixed']) {
    mkdirSync(join(root, folder))
    chownSync(join(root, folder), NOBODY, NOBODY)
  }
  server = await FolderServer.start(root, { uid: NOBODY })
  for (const path of [
    'open/a.txt',
    'open/secret.txt',
    'shut/b.txt',
    'shut/deep/c.txt',
    'fixed/d.txt',
  ]) {
    server.put(path, path)
    expect(await server.read(`/${path}`)).toBe(path)
  }
})

afterEach(async () => {
  await server?.kill()
  if (root !== undefined) rmSync(root, { recursive: true, force: true })
})

const mode = (path: string, bits: number): void => chmodSync(join(root, path), bits)

/** Its own folder belongs to the server, what was put there by the test to root. */
describe.skipIf(skipped !== undefined)('what the server may not see', () => {
  test('folder §9: a folder that may not be entered is refused, and nothing in it counts as deleted', async () => {
    chownSync(join(root, 'shut'), 0, 0)
    mode('shut', 0o700)
    expect(await server.read('/shut/b.txt')).toBe('(forbidden)')
    expect(await server.write('/shut/b.txt', 'x')).toBe('forbidden')
    expect(await server.write('/shut/new.txt', 'x')).toBe('forbidden')
    expect(await server.change({ op: 'delete', path: '/shut', recursive: true })).toBe('forbidden')
    expect((await server.ask('GET', '/entries/shut')).code).toBe('forbidden')
    // The rest of the folder is listed, read and written.
    expect(await server.list()).toEqual(['/fixed/d.txt', '/open/a.txt', '/open/secret.txt'])
    expect(await server.write('/open/a.txt', 'A')).toBe('done')
    await server.kill()
    await server.again()
    server.put('open/late.txt', 'late')
    await server.eventually(async () => (await server.history('/open/late.txt')).length === 1)
    mode('shut', 0o777)
    await server.eventually(async () => (await server.read('/shut/b.txt')) === 'shut/b.txt')
    expect(await server.read('/shut/deep/c.txt')).toBe('shut/deep/c.txt')
    expect(await server.history('/shut/b.txt')).toEqual(['write by outside'])
    expect(await server.stop()).toBe(0)
    expect((await server.commits()).filter((line) => line.includes('delete'))).toEqual([])
  })

  test('folder §9: a file that may not be read is refused, and what others hold is not', async () => {
    mode('open/secret.txt', 0o000)
    expect(await server.read('/open/secret.txt')).toBe('open/secret.txt')
    server.put('open/secret.txt', 'another secret')
    expect(await server.read('/open/secret.txt')).toBe('(forbidden)')
    expect(await server.change({ op: 'copy', path: '/open/secret.txt', to: '/copy.txt' })).toBe(
      'forbidden',
    )
    expect((await server.ask('PATCH', '/files/open/secret.txt', { append: 'x' })).code).toBe(
      'forbidden',
    )
    expect(await server.list()).toContain('/open/secret.txt')
    expect(await server.read('/open/a.txt')).toBe('open/a.txt')
    // What nobody may read cannot be kept, so it does not go.
    const { text } = await server.ask('GET', '/entries/open/secret.txt')
    const { version } = JSON.parse(text) as { version: number }
    expect(
      await server.change({ op: 'delete', path: '/open/secret.txt', if_version: version }),
    ).toBe('forbidden')
    expect(await server.remove('/open/a.txt')).toBe('done')
    mode('open/secret.txt', 0o644)
    expect(await server.read('/open/secret.txt')).toBe('another secret')
  })

  test('folder §9: a folder that may only be looked at', async () => {
    chownSync(join(root, 'fixed'), 0, 0)
    mode('fixed', 0o755)
    expect(await server.read('/fixed/d.txt')).toBe('fixed/d.txt')
    expect(await server.write('/fixed/d.txt', 'x')).toBe('forbidden')
    expect(await server.write('/fixed/new/e.txt', 'x')).toBe('forbidden')
    expect(await server.remove('/fixed/d.txt')).toBe('forbidden')
    expect(await server.change({ op: 'move', path: '/fixed/d.txt', to: '/d.txt' })).toBe(
      'forbidden',
    )
    expect(readFileSync(join(root, 'fixed/d.txt'), 'utf8')).toBe('fixed/d.txt')
    expect(await server.read('/fixed/d.txt')).toBe('fixed/d.txt')
  })
})
