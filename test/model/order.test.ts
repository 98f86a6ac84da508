import { describe, expect, it } from 'vitest'
import type { Settings } from '../../src/contract/events.ts'
import { amountOf } from '../amount.ts'
import { type Habits, QueueWorld, type Served } from './queue-world.ts'

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9))
const RUNS = amountOf(import.meta.url)
const SECONDS = 3000

const SETTINGS: Partial<Settings> = {
  max_hold_s: 10,
  minimum_hold_s: 2,
  recall_grace_s: 3,
  recall_cooldown_s: 20,
  age_step_s: 2,
}
const STEPS_MS = 9 * 2000
const HOLD_MS = (10 + 2 + 2 * 3) * 1000
/** Time is looked at once a second: for the recall, for its end, and for the extension. */
const TICKS_MS = 3000

const ALL_LEVELS: Habits['levels'] = [
  { level: 'read' },
  { level: 'read', stable: true },
  { level: 'write' },
  { level: 'exclusive' },
]

const CROWD: Habits = {
  sessions: Array.from({ length: 12 }, (_, index) => `a${index % 8}:${index}`),
  paths: ['/f', '/g'],
  levels: ALL_LEVELS,
  greedy: 0.6,
  // One in four is of no importance at all.
  priorityOf: (who, chance) => (who.endsWith('3') ? 0 : chance.below(10)),
}

function eachRun(settings: Partial<Settings>, habits: Habits, judge: (run: QueueWorld) => void) {
  for (let seed = SEED; seed < SEED + RUNS; seed++) {
    try {
      const run = new QueueWorld(seed, { ...SETTINGS, ...settings }, habits)
      run.run(SECONDS)
      judge(run)
    } catch (error) {
      const text = `${(error as Error).message}\nAMOUNT=1 SEED=${seed}`
      throw new Error(text, { cause: error })
    }
  }
}

/** Nobody waited longer than the rule says; the worst of all, as a share of its bound. */
function withinBound({ served, longest }: QueueWorld, times: number): number {
  let worst = 0
  for (const one of served) {
    const bound = STEPS_MS + one.inTheWay * times * (HOLD_MS + TICKS_MS)
    worst = Math.max(worst, one.waitedMs / bound)
    if (one.waitedMs > bound) {
      const { agent, path, waitedMs, inTheWay } = one
      throw new Error(
        `I8: ${agent} waited ${waitedMs} ms for ${path} behind ${inTheWay}, not ${bound} ms`,
      )
    }
  }
  const most = Math.max(...served.map(({ waitedMs }) => waitedMs))
  expect(longest).toBeLessThan(Math.max(2 * most, STEPS_MS + 12 * times * HOLD_MS))
  return worst
}

describe('how long anybody waits', () => {
  const free = { wins_in_a_row: 1_000_000 }

  /** @param times so many times the bound of record 0008 no. 25 */
  function keepsBound(order: 'priority' | 'fcfs', times: number): void {
    let grants = 0
    let worst = 0
    eachRun({ ...free, order }, CROWD, (run) => {
      worst = Math.max(worst, withinBound(run, times))
      grants += run.served.length
    })
    const percent = (100 * worst).toFixed(0)
    console.log(`SEED=${SEED} ${order}: ${grants} waits, at worst ${percent} % of the bound`)
    expect(grants).toBeGreaterThan(RUNS * 300)
  }

  it('locks §19, I8: order priority keeps its bound', () => keepsBound('priority', 1))

  it('locks §18, I8: order fcfs, with phases counted, keeps twice that', () => {
    keepsBound('fcfs', 2)
  })
})

describe('how often anybody wins', () => {
  const writers: Habits = {
    sessions: ['ann:1', 'ann:2', 'ann:3', 'ann:4', 'bob:1', 'cyd:1'],
    paths: ['/f'],
    levels: [{ level: 'write' }],
    greedy: 0.1,
    priorityOf: (who) => (who.startsWith('ann') ? 9 : 0),
  }
  const cases = (['fcfs', 'priority'] as const).flatMap((order) =>
    [1, 2, 3].map((limit) => ({ order, limit })),
  )

  it.each(cases)('locks §21: at most $limit in a row, order $order', ({ order, limit }) => {
    let longest = 0
    eachRun({ order, wins_in_a_row: limit }, writers, (run) => {
      longest = Math.max(longest, longestRun(run.served))
      const agents = new Set(run.served.map(({ agent }) => agent))
      expect([...agents].sort()).toEqual(['ann', 'bob', 'cyd'])
    })
    expect(longest).toBeLessThanOrEqual(limit)
    if (order === 'priority') expect(longest).toBe(limit)
  })
})

/** Grants of one path to one agent in a row, while somebody of another agent waited for it. */
function longestRun(served: readonly Served[]): number {
  let longest = 0
  let run = { agent: '', wins: 0 }
  for (const { agent, isContested } of served) {
    const wins = isContested ? (run.agent === agent ? run.wins + 1 : 1) : 0
    run = { agent, wins }
    longest = Math.max(longest, wins)
  }
  return longest
}
