import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FolderServer } from './folder-server.ts'
import { Mounts } from './mounts.ts'

const { skipped } = Mounts
if (skipped !== undefined) console.log(`disks that vanish: skipped, ${skipped}`)

let mounts: Mounts
let server: FolderServer
let root: string

beforeEach(() => {
  mounts = new Mounts()
  root = mounts.make('root')
})

afterEach(async () => {
  await server?.kill()
  mounts.end()
})

async function begin(data = mounts.path('data')): Promise<void> {
  server = await FolderServer.start(root, { data })
  server.put('a.txt', 'a')
  server.put('sub/b.txt', 'b')
  expect([await server.read('/a.txt'), await server.read('/sub/b.txt')]).toEqual(['a', 'b'])
}

/** Nothing of it can be read, listed or written, and that is said in so many words. */
async function expectRefused(): Promise<void> {
  const { problem } = await server.ask('GET', '/files/a.txt')
  expect(problem).toMatchObject({ code: 'read_only_mode', reason: 'folder_missing', root })
  expect(problem?.detail).toContain('is not there now')
  expect(await server.list()).toEqual(['(read_only_mode)'])
  expect(await server.write('/a.txt', 'x')).toBe('read_only_mode')
  expect(await server.remove('/sub', true)).toBe('read_only_mode')
  expect((await server.report()).watching.fault).toContain('is not there now')
}

async function expectBack(): Promise<void> {
  expect([await server.read('/a.txt'), await server.read('/sub/b.txt')]).toEqual(['a', 'b'])
  expect(await server.list()).toEqual(['/a.txt', '/sub/b.txt'])
  expect((await server.report()).watching.fault).toBeUndefined()
  // The watches are there again.
  server.put('sub/new.txt', 'new')
  await server.eventually(async () => (await server.history('/sub/new.txt')).length === 1)
  expect(await server.write('/a.txt', 'A')).toBe('done')
  expect(readFileSync(join(root, 'a.txt'), 'utf8')).toBe('A')
  expect(await server.stop()).toBe(0)
  expect(server.leftovers()).toEqual([])
  const gone = (await server.commits()).filter((line) => line.includes('delete '))
  expect(gone).toEqual([])
}

describe.skipIf(skipped !== undefined)('a disk that vanishes and comes back', () => {
  test('folder §9: unmounted in order, and mounted again', async () => {
    const image = mounts.image('disk', 16, 1_700_000_000)
    mounts.attach(image, root)
    await begin()
    mounts.detach(root)
    await expectRefused()
    // Long enough to be looked through, if it were.
    await sleep(1500)
    expect(readdirSync(root)).toEqual([])
    mounts.attach(image, root)
    await server.eventually(async () => (await server.read('/a.txt')) === 'a')
    await expectBack()
  }, 30_000)

  test('folder §9: another disk in its place, of the same device and number', async () => {
    const image = mounts.image('disk', 16, 1_700_000_000)
    const other = mounts.image('other', 16, 1_600_000_000)
    mounts.attach(image, root)
    await begin()
    mounts.detach(root)
    mounts.attach(other, root)
    writeFileSync(join(root, 'a.txt'), 'of another disk')
    await expectRefused()
    await sleep(300)
    expect(readdirSync(root).sort()).toEqual(['a.txt', 'lost+found'])
    mounts.detach(root)
    mounts.attach(image, root)
    await server.eventually(async () => (await server.read('/a.txt')) === 'a')
    rmdirSync(join(root, 'lost+found'))
    await expectBack()
  }, 30_000)

  test('folder §9: torn out while agents write, with what they were told on it', async () => {
    const image = mounts.image('disk', 16, 1_700_000_000)
    mounts.attach(image, root)
    await begin()
    const answers: string[] = []
    const done: string[] = []
    let isOver = false
    const writing = (async () => {
      for (let i = 0; !isOver; i++) {
        const answer = await server.write('/sub/log.txt', `${i}`)
        answers.push(answer)
        if (answer === 'done') done.push(`${i}`)
      }
    })()
    await server.eventually(async () => answers.length > 20)
    mounts.detach(root, { isTorn: true })
    // One that was decided already waits for the folder; all others are refused.
    await expectRefused()
    isOver = true
    mounts.attach(image, root)
    await writing
    expect(new Set([...answers, 'read_only_mode'])).toEqual(new Set(['done', 'read_only_mode']))
    await server.eventually(async () => (await server.read('/sub/log.txt')) === done.at(-1))
    expect(readFileSync(join(root, 'sub/log.txt'), 'utf8')).toBe(done.at(-1))
    expect(new Set(await server.history('/sub/log.txt'))).toEqual(new Set(['write by admin']))
  }, 30_000)
})

describe('a folder that is moved', () => {
  test('folder §9: away and back, with its data in it', async () => {
    await begin(join(root, '.sluice'))
    renameSync(root, mounts.path('elsewhere'))
    const inFolder = mounts.path('elsewhere')
    await sleep(100)
    mkdirSync(root)
    // Its token lies where the folder is.
    mkdirSync(join(root, '.sluice'))
    writeFileSync(
      join(root, '.sluice/admin.token'),
      readFileSync(join(inFolder, '.sluice/admin.token')),
    )
    await expectRefused()
    await sleep(1200)
    expect(readdirSync(root)).toEqual(['.sluice'])
    rmSync(root, { recursive: true })
    renameSync(inFolder, root)
    await server.eventually(async () => (await server.read('/a.txt')) === 'a')
    await expectBack()
  }, 30_000)
})
