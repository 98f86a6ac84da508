import { describe, expect, it } from 'vitest'
import type { Event } from '../../src/contract/events.ts'
import type { Follower } from '../../src/engine/stream/followers.ts'
import { EngineWorld, settle } from './world.ts'

/** A plain example: the paths that were ever written, as a list kept outside of the engine. */
class Paths implements Follower {
  readonly name = 'paths'
  readonly taken: number[] = []
  readonly paths = new Set<string>()
  barrier: Follower['barrier']
  /** Takes nothing before it is let go. */
  hold: Promise<void> | undefined
  failures = 0

  async take(events: readonly Event[]): Promise<void> {
    await this.hold
    if (this.failures-- > 0) throw new Error('no')
    for (const event of events) {
      this.taken.push(event.revision)
      if (event.kind !== 'files-committed') continue
      for (const { path } of event.changes) this.paths.add(path)
    }
  }
}

async function followed(follower: Paths): Promise<EngineWorld> {
  const world = new EngineWorld()
  world.extensions = { followersOf: (name) => (name === 'main' ? [follower] : []) }
  await world.start()
  return world
}

const write = (world: EngineWorld, path: string) =>
  world.call('ann', 'write_file', { path, request_id: path }, 'x')

describe('followers', () => {
  it('are given every fact once, in order, refusals too', async () => {
    const follower = new Paths()
    const world = await followed(follower)
    for (const path of ['/a', '/b', '/c']) await write(world, path)
    await world.lock('ann', '/held')
    await world.code(world.call('bob', 'write_file', { path: '/held' }, 'x'))
    await settle()
    expect(follower.taken).toEqual([1, 2, 3, 4, 5])
    expect([...follower.paths]).toEqual(['/a', '/b', '/c'])
  })

  it('answers do not wait for one that has no barrier', async () => {
    const follower = new Paths()
    follower.hold = new Promise(() => {})
    const world = await followed(follower)
    await write(world, '/a')
    expect(follower.taken).toEqual([])
  })

  it('go on where they stood after a stop, and miss nothing after a crash', async () => {
    const follower = new Paths()
    const world = await followed(follower)
    await write(world, '/a')
    await settle()
    await world.restart()
    await write(world, '/b')
    await settle()
    expect(follower.taken).toEqual([1, 2])
    await world.crash()
    await write(world, '/c')
    await settle()
    // What was not noted before the crash is given again: its part is the same done twice.
    expect(new Set(follower.taken)).toEqual(new Set([1, 2, 3]))
    expect([...follower.paths]).toEqual(['/a', '/b', '/c'])
  })

  it('one that fails is given the same facts again', async () => {
    const follower = new Paths()
    follower.failures = 2
    const world = await followed(follower)
    await write(world, '/a')
    await settle()
    expect(follower.taken).toEqual([])
    await world.clock.advance(5000)
    expect(follower.taken).toEqual([1])
  })

  it('one that was added later begins with the first fact', async () => {
    const world = await EngineWorld.start()
    for (const path of ['/a', '/b']) await write(world, path)
    const follower = new Paths()
    world.extensions = { followersOf: () => [follower] }
    await world.restart()
    await settle()
    expect([...follower.paths]).toEqual(['/a', '/b'])
  })
})

describe('a barrier', () => {
  const BARRIER = { kinds: ['files-committed'] as const, withinMs: 1000 }

  function held(): { follower: Paths; letGo: () => void } {
    const follower = new Paths()
    follower.barrier = BARRIER
    const { promise, resolve } = Promise.withResolvers<void>()
    follower.hold = promise
    return { follower, letGo: resolve }
  }

  it('holds back the answers to its kinds of facts until its part is done, and no others', async () => {
    const { follower, letGo } = held()
    const world = await followed(follower)
    let isAnswered = false
    const answer = write(world, '/a').then(() => {
      isAnswered = true
    })
    await settle()
    expect(isAnswered).toBe(false)
    // A lock is another kind, and what is stored can be read.
    await world.lock('ann', '/other')
    expect(await world.text('bob', '/a')).toBe('x')
    letGo()
    await answer
    expect([...follower.paths]).toEqual(['/a'])
  })

  it('that is broken says so: it is stored, and a retry waits for the rest', async () => {
    const { follower, letGo } = held()
    const world = await followed(follower)
    const late = write(world, '/a').catch((error: unknown) => error)
    await settle()
    await world.clock.advance(1001)
    expect(await late).toMatchObject({ code: 'overloaded', problem: { revision: 1 } })
    expect(await world.text('bob', '/a')).toBe('x')
    letGo()
    expect(await write(world, '/a')).toMatchObject({ path: '/a', version: 1 })
    expect(follower.taken[0]).toBe(1)
  })
})
