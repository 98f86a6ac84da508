import { readdirSync, writeFileSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { FolderWorld } from './world.ts'

let world: FolderWorld
let startedAt = 0
afterEach(() => world.end())

/** What was said to be done: by path, the content, or undefined where it was taken away. */
type Said = Map<string, string | undefined>

interface Step {
  does: string
  run(): Promise<unknown>
  /** What stands once it is done. */
  leaves: [path: string, content: string | undefined][]
}

const FILES = {
  'a.txt': 'a0',
  'b.txt': 'b0',
  'sub/c.txt': 'c0',
  'sub/deep/d.txt': 'd0',
  'gone.txt': 'g0',
  'large.txt': 'l'.repeat(100_000),
}

/** The life of a folder's commits, each kind of them. */
function steps(): Step[] {
  const write = (path: string, content: string): Step => ({
    does: `write ${path}`,
    run: () => world.call('ann', 'write_file', { path }, content),
    leaves: [[path, content]],
  })
  return [
    write('/a.txt', 'a1'),
    write('/new/deep/e.txt', 'e1'),
    write('/large.txt', 'L'.repeat(120_000)),
    {
      does: 'append',
      run: () => world.call('ann', 'patch_file', { path: '/a.txt', append: '+' }),
      leaves: [['/a.txt', 'a1+']],
    },
    {
      does: 'commit of many',
      run: () =>
        world.call('ann', 'commit', {
          changes: [
            { op: 'write', path: '/x.txt', text: 'x1' },
            { op: 'write', path: '/b.txt', text: 'b1' },
            { op: 'copy', path: '/sub/c.txt', to: '/copy.txt' },
            { op: 'delete', path: '/gone.txt' },
          ],
        }),
      leaves: [
        ['/x.txt', 'x1'],
        ['/b.txt', 'b1'],
        ['/copy.txt', 'c0'],
        ['/gone.txt', undefined],
      ],
    },
    {
      does: 'move a folder, and write in it',
      run: () =>
        world.call('ann', 'commit', {
          changes: [
            { op: 'move', path: '/sub', to: '/moved' },
            { op: 'write', path: '/moved/new.txt', text: 'n1' },
          ],
        }),
      leaves: [
        ['/moved/c.txt', 'c0'],
        ['/moved/deep/d.txt', 'd0'],
        ['/moved/new.txt', 'n1'],
        ['/sub/c.txt', undefined],
      ],
    },
    {
      does: 'move over another file, and write anew under the old name',
      run: () =>
        world.call('ann', 'commit', {
          changes: [
            { op: 'move', path: '/b.txt', to: '/a.txt', overwrite: true },
            { op: 'write', path: '/b.txt', text: 'b2' },
          ],
        }),
      leaves: [
        ['/a.txt', 'b1'],
        ['/b.txt', 'b2'],
      ],
    },
    {
      does: 'delete a folder',
      run: () => world.call('ann', 'delete_file', { path: '/moved/deep', recursive: true }),
      leaves: [['/moved/deep/d.txt', undefined]],
    },
  ]
}

async function prepared(): Promise<void> {
  world = await FolderWorld.of(FILES)
  for (const path of ['/a.txt', '/b.txt', '/gone.txt', '/large.txt', '/sub/c.txt']) {
    await world.text('ann', path)
  }
  startedAt = world.engine.streamOf('main').state.revision
}

/** Commits in the name of somebody outside since the start: nobody was. */
async function takenForTheirs(): Promise<string[]> {
  const found: string[] = []
  for await (const { events } of world.engine.streamOf('main').history(startedAt + 1)) {
    for (const event of events) {
      if (event.kind !== 'files-committed' || event.agent !== 'outside') continue
      found.push(...event.changes.map(({ path }) => path))
    }
  }
  return found
}

/** Runs the steps until the process is killed. Gives what was said, and what was under way. */
async function untilKilled(said: Said): Promise<Step | undefined> {
  for (const step of steps()) {
    const { life } = world
    let isAnswered = false
    const run = step.run().then(
      () => {
        isAnswered = !life.isOver
      },
      () => {},
    )
    const over = new Promise<void>((resolve) => {
      const look = setInterval(() => {
        if (!life.isOver) return
        clearInterval(look)
        resolve()
      }, 1)
      void run.then(() => {
        clearInterval(look)
        resolve()
      })
    })
    await over
    if (!isAnswered) return step
    for (const [path, content] of step.leaves) said.set(path, content)
  }
  return undefined
}

function standing(): Record<string, string> {
  return world.files()
}

async function expectWhole(said: Said, underWay: Step | undefined, what: string): Promise<void> {
  const files = standing()
  expect(await world.heads(), what).toEqual(files)
  const touched = new Map(underWay?.leaves ?? [])
  expect(await takenForTheirs(), what).toEqual([])
  for (const [path, content] of said) {
    if (touched.has(path)) continue
    expect(files[path], `${what}: ${path}`).toBe(content)
  }
  if (underWay === undefined) return
  // Whole or not at all.
  const before = (path: string): string | undefined =>
    said.has(path) ? said.get(path) : (FILES as Record<string, string>)[path.slice(1)]
  const isDone = underWay.leaves.every(([path, content]) => files[path] === content)
  const isUndone = underWay.leaves.every(([path]) => files[path] === before(path))
  expect([isDone, isUndone], `${what}: ${JSON.stringify(underWay.leaves)}`).toContain(true)
}

function leftovers(): string[] {
  return ['new', 'held'].flatMap((name) => readdirSync(world.path(`.sluice/${name}`)))
}

describe('killed at any step', () => {
  it('folder §6, §8: folder and ledger agree after the start, and what was answered stands', async () => {
    await prepared()
    const first = world.life.calls
    await untilKilled(new Map())
    const last = world.life.calls
    expect(last - first).toBeGreaterThan(60)
    await world.end()
    for (let at = first + 1; at <= last; at += 1) {
      await prepared()
      world.life.killAt = world.life.calls + (at - first)
      const said: Said = new Map()
      const underWay = await untilKilled(said)
      world.life.end()
      await world.begin()
      await expectWhole(said, underWay, `killed before call ${at - first}`)
      await world.engine.close()
      world.life.end()
      expect(leftovers(), `killed before call ${at - first}`).toEqual([])
      await world.end()
    }
    await prepared()
  }, 120_000)

  it('folder §6, §7: what somebody outside wrote while nobody looked is in the history', async () => {
    for (const at of [1, 4, 7, 10, 13, 16, 19, 22]) {
      await prepared()
      world.life.killAt = world.life.calls + at
      const said: Said = new Map()
      await untilKilled(said)
      world.life.end()
      writeFileSync(world.path('a.txt'), 'written while nobody looked')
      await world.begin()
      expect(await world.heads()).toEqual(standing())
      expect((await world.contents('/a.txt')).at(-1)).toBe('written while nobody looked')
      if (said.has('/a.txt')) expect(await world.contents('/a.txt')).toContain('a1')
      await world.end()
    }
    await prepared()
  }, 60_000)

  it('folder §6: after a loss of power, what the disk made of a commit is brought up', async () => {
    await prepared()
    let boot = 'before'
    world.fs = { ...world.fs, bootId: () => boot }
    await world.restart()
    await world.text('ann', '/a.txt')
    await world.call('ann', 'write_file', { path: '/a.txt' }, 'acknowledged')
    await world.call('ann', 'write_file', { path: '/n.txt' }, 'new')
    world.life.end()
    // What was renamed is there, and what was written to it is not.
    writeFileSync(world.path('a.txt'), '\0'.repeat(12))
    writeFileSync(world.path('n.txt'), '')
    boot = 'after'
    await world.begin()
    expect(world.read('a.txt')).toBe('acknowledged')
    expect(world.read('n.txt')).toBe('new')
    expect(await world.heads()).toEqual(standing())
    await world.engine.close()
    world.life.end()
    expect(leftovers()).toEqual([])
  })
})
