import { describe, expect, it } from 'vitest'
import type { Event } from '../../src/contract/events.ts'
import { amountOf } from '../amount.ts'
import { actor } from '../core/world.ts'
import { Chance, JudgedWorld } from './judged-world.ts'

/**
 * Six sessions that nearly always wait, for one to three of five files, any of them or all: cycles
 * everywhere, which is where moving waiters goes wrong. The model judges every decision, false alarms
 * that one move would have avoided included.
 */
describe('a crowd that waits in circles', () => {
  it('locks §22, I9: inheritance ends where a cycle stops it', () => {
    // It went round for ever: two that may not be moved, each holding the other up.
    history(245)
  })

  it('locks §23: to go ahead of one that is not stuck may be what helps', () => {
    history(20692)
  })

  it('locks §23, I9: cycles are refused, and nothing but cycles', () => {
    const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
    const runs = amountOf(import.meta.url)
    let deadlocks = 0
    for (let run = 0; run < runs; run++) {
      try {
        deadlocks += history(seed + run)
      } catch (error) {
        throw new Error(`SEED=${seed + run} AMOUNT=1\n${(error as Error).message}`, {
          cause: error,
        })
      }
    }
    console.log(`SEED=${seed}: ${runs} histories, ${deadlocks} refused as deadlocks`)
    expect(deadlocks).toBeGreaterThan(0)
  })
})

const FILES = ['/a', '/b', '/c', '/d', '/e']

/** Plays 30 moves, and says how many were refused as deadlocks. */
function history(seed: number): number {
  const chance = new Chance(seed)
  const order = chance.below(3) > 0 ? 'priority' : 'fcfs'
  const judged = new JudgedWorld({ order, locks_per_agent: 50, waiting_per_agent: 50 })
  const { world } = judged
  const played: string[] = []
  let deadlocks = 0
  try {
    for (let move = 0; move < 30; move++) {
      world.at += chance.below(800)
      const who = `u${chance.below(6)}`
      const locks = chance.below(8) === 0 ? [...world.state.locks.locks.values()] : undefined
      if (locks !== undefined) {
        if (locks.length > 0) release(judged, chance.pick(locks).id)
        played.push('somebody releases')
        continue
      }
      const files = Array.from({ length: 1 + chance.below(3) }, () => chance.pick(FILES))
      const items = [...new Set(files)].map((path) => wanted(chance, path))
      const isChoice = items.length > 1 && chance.below(2) === 0
      const any = isChoice ? { any: 1 + chance.below(items.length - 1) } : {}
      const { events, refusal } = judged.acquire(who, items, { priority: chance.below(10), ...any })
      played.push([who, ...items.map(({ path, level }) => level + path), ...told(events)].join(' '))
      if (refusal?.code === 'deadlock') deadlocks += 1
    }
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${order}\n${played.join('\n')}`, { cause: error })
  }
  return deadlocks
}

function wanted(chance: Chance, path: string) {
  const level = chance.pick(['write', 'write', 'exclusive', 'read'] as const)
  return { path, level, stable: chance.below(3) === 0 && level === 'read' }
}

function release(judged: JudgedWorld, lock: number): void {
  const owner = judged.world.state.locks.locks.get(lock)?.owner
  if (owner === undefined) return
  judged.decide({ kind: 'release-lock', actor: actor(owner.agent), lock, force: false })
}

function told(events: readonly Event[]): string[] {
  return events.map(({ kind, revision }) => `${kind} ${revision}`)
}
