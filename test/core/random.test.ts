import { describe, expect, it } from 'vitest'
import { apply } from '../../src/core/apply.ts'
import { newState } from '../../src/core/state.ts'
import { amountOf } from '../amount.ts'
import { actor, memoryRecords, World } from './world.ts'

/** Small fast generator (mulberry32), so that a printed seed gives the same run again. */
function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

const paths = ['/a', '/a/x', '/a/x/1', '/a/y', '/b', '/b/1', '/c.txt', '/']
const sessions = ['ann', 'bob', 'bob:2', 'cyd', 'dee']
const levels = ['read', 'write', 'exclusive'] as const

class RandomRun {
  readonly world: World
  private readonly random: () => number

  constructor(seed: number) {
    this.random = generator(seed)
    this.world = new World({
      waiting_per_agent: 5,
      locks_per_agent: 6,
      order: this.chance(0.5) ? 'priority' : 'fcfs',
      wins_in_a_row: 1 + this.below(3),
      max_hold_s: this.chance(0.5) ? 10 : 3600,
      lock_delay_s: this.chance(0.2) ? 3 : 0,
    })
    this.world.write('ann', '/c.txt', 'abcdefghijklmnopqrstuvwxyz')
  }

  run(steps: number): World {
    for (let i = 0; i < steps; i++) {
      this.world.at += this.below(2000)
      this.step(this.pick(sessions), i)
    }
    return this.world
  }

  private step(who: string, i: number): void {
    const { world } = this
    const dice = this.random()
    const lock = this.own(world.state.locks.locks.values(), who)
    const ticket = this.own(world.state.locks.tickets.values(), who)
    if (dice < 0.4) this.acquire(who)
    else if (dice < 0.58) {
      if (lock !== undefined) world.release(who, lock.id)
    } else if (dice < 0.66) {
      const options = { queue: this.chance(0.7), stable: this.chance(0.2) }
      if (lock !== undefined) world.change(who, lock.id, this.pick(levels), options)
    } else if (dice < 0.69) {
      const to = actor(this.pick(sessions))
      if (lock !== undefined)
        world.run({ kind: 'hand-over-lock', actor: actor(who), lock: lock.id, to })
    } else if (dice < 0.72) {
      if (ticket !== undefined) {
        world.run({ kind: 'leave-queue', actor: actor(who), ticket: ticket.id })
      }
    } else if (dice < 0.74) {
      const session = actor(who).session
      world.run({ kind: 'end-session', session, reason: this.chance(0.5) ? 'ended' : 'idle' })
    } else if (dice < 0.78) world.expire()
    else if (dice < 0.82) world.followUp()
    else if (dice < 0.83) {
      const reason = 'random'
      const sue = actor('sue', 'supervisor')
      if (lock !== undefined) world.run({ kind: 'recall-lock', actor: sue, lock: lock.id, reason })
    } else if (dice < 0.91) {
      const { start, end } = this.range()
      world.splice(who, '/c.txt', start, end ?? start, '-'.repeat(this.below(4)))
    } else this.write(who, i)
  }

  private acquire(who: string): void {
    const count = this.chance(0.7) ? 1 : 3
    const onRange = this.chance(0.35)
    const path = onRange ? '/c.txt' : Array.from({ length: count }, () => this.pick(paths))
    this.world.acquire(who, path, this.pick(levels), {
      queue: this.chance(0.7),
      stable: this.chance(0.3),
      ttlMs: 1000 + this.below(20_000),
      priority: this.below(10),
      ...(onRange ? { range: this.range() } : {}),
      ...(!onRange && count > 1 && this.chance(0.3) ? { any: 1 + this.below(2) } : {}),
      ...(!onRange && this.chance(0.3) ? { scope: 'subtree' as const } : {}),
    })
  }

  private write(who: string, i: number): void {
    const path = this.pick(paths)
    const dice = this.random()
    if (dice < 0.6) this.world.write(who, path === '/' ? '/d' : path, `v${i}`)
    else if (dice < 0.8) {
      const to = this.pick(paths)
      this.world.commit(who, [{ kind: 'move', path, to, overwrite: this.chance(0.5) }])
    } else this.world.commit(who, [{ kind: 'delete', path, recursive: this.chance(0.5) }])
  }

  private range(): { start: number; end?: number } {
    const start = this.below(20)
    return this.chance(0.2) ? { start } : { start, end: start + 1 + this.below(6) }
  }

  private own<T extends { owner: { session: string } }>(all: Iterable<T>, who: string) {
    const own = [...all].filter((one) => one.owner.session === actor(who).session)
    return own.length === 0 ? undefined : this.pick(own)
  }

  private below(limit: number): number {
    return Math.floor(this.random() * limit)
  }

  private chance(of: number): boolean {
    return this.random() < of
  }

  private pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T
  }
}

function randomRun(seed: number, steps: number): World {
  return new RandomRun(seed).run(steps)
}

describe('random histories', () => {
  const first = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9))

  const histories = amountOf(import.meta.url)

  it('locks §8, §42, I1, I9: no broken invariant in any decision', () => {
    for (let seed = first; seed < first + histories; seed++) {
      try {
        randomRun(seed, 300)
      } catch (error) {
        throw new Error(`seed ${seed} (run again with SEED=${seed} AMOUNT=1)`, { cause: error })
      }
    }
  })

  it('I13: folding the events from zero gives the same state', () => {
    const world = randomRun(first, 400)
    const again = newState('main', memoryRecords())
    again.settings = world.state.settings
    for (const event of world.events) apply(again, JSON.parse(JSON.stringify(event)))
    again.locks.freed.length = 0
    again.locks.moved.length = 0
    const plain = (state: typeof again) => ({
      revision: state.revision,
      nextFileId: state.nextFileId,
      locks: [...state.locks.locks.values()].map((lock) => [
        lock.id,
        lock.fence,
        lock.owner.session,
        lock.items.map((item) => [item.path, item.mode, item.subtree, item.range, item.key]),
      ]),
      tickets: [...state.locks.tickets.values()].map(({ id, rank, seq, items }) => [
        [id, rank, seq],
        items.map((item) => [item.path, item.range]),
      ]),
      closed: [...state.locks.closed.keys()],
      recalls: [...state.locks.locks.values()].map((lock) => lock.recall),
      rows: (state.records as ReturnType<typeof memoryRecords>).rows,
    })
    expect(plain(again)).toEqual(plain(world.state))
  })
})
