import { describe, expect, it } from 'vitest'
import { amountOf } from '../amount.ts'
import { granted } from '../core/world.ts'
import { failureOf, historyOf, play } from './crowd.ts'
import { type CycleStep, cycleIn } from './cycle.ts'
import { JudgedWorld, type Wanted } from './judged-world.ts'

/** What each session of a ring holds and then asks for, so that it waits for the next. */
interface Ring {
  held: (index: number, next: number) => Wanted[]
  asked: (index: number, next: number) => Wanted[]
  /** The path that each is told to wait for. */
  path: (index: number, next: number) => string
}

const write = (path: string): Wanted => ({ path, level: 'write' })
const bytes = (index: number): Wanted => ({
  ...write('/file'),
  range: { start: index * 10, end: index * 10 + 10 },
})

const RINGS: Record<string, Ring> = {
  'one path each': {
    held: (index) => [write(`/p${index}`)],
    asked: (_, next) => [write(`/p${next}`)],
    path: (_, next) => `/p${next}`,
  },
  'stable readers that go over to write': {
    held: (index, next) => [
      { path: `/p${index}`, level: 'read', stable: true },
      { path: `/p${next}`, level: 'read', stable: true },
    ],
    asked: (_, next) => [write(`/p${next}`)],
    path: (_, next) => `/p${next}`,
  },
  'several paths at once': {
    held: (index) => [write(`/p${index}/a`), write(`/q${index}`)],
    asked: (index, next) => [write(`/a${index}`), write(`/p${next}/a`), write(`/z${index}`)],
    path: (_, next) => `/p${next}/a`,
  },
  'a folder over what another holds': {
    held: (index) => [write(`/d${index}/deep/file`)],
    asked: (_, next) => [{ ...write(`/d${next}`), scope: 'subtree' }],
    path: (_, next) => `/d${next}`,
  },
  'a file under a folder that another holds': {
    held: (index) => [{ ...write(`/d${index}`), scope: 'subtree' }],
    asked: (_, next) => [{ path: `/d${next}/deep/file`, level: 'exclusive' }],
    path: (_, next) => `/d${next}/deep/file`,
  },
  'bytes of one file': {
    held: (index) => [bytes(index)],
    asked: (_, next) => [bytes(next)],
    path: () => '/file',
  },
}

const LENGTHS = [2, 3, 4, 5, 6, 7, 8, 9, 10]
const CASES = Object.entries(RINGS).flatMap(([what, ring]) =>
  LENGTHS.map((length) => ({ what, length, ring })),
)

describe('cycles by construction', () => {
  it.each(CASES)('locks §23: $what, $length sessions', ({ length, ring }) => {
    const world = new JudgedWorld()
    const indexes = Array.from({ length }, (_, index) => index)
    const nextOf = (index: number): number => (index + 1) % length
    const ask = (index: number) =>
      world.acquire(`s${index}`, ring.asked(index, nextOf(index)), { queue: true })
    for (const index of indexes) {
      granted(world.acquire(`s${index}`, ring.held(index, nextOf(index))))
    }
    for (const index of indexes.slice(0, -1)) expect(ask(index).refusal).toBeUndefined()
    const { refusal, events } = ask(length - 1)
    expect(events).toEqual([])
    expect(refusal?.code).toBe('deadlock')
    expect(namesOf(cycleIn(refusal))).toEqual(
      rotated(indexes, length - 1).map((index) => ({
        session: `s${index}:default`,
        agent: `s${index}`,
        path: ring.path(index, nextOf(index)),
        held_by: `s${nextOf(index)}:default`,
      })),
    )
  })
})

function namesOf(cycle: readonly CycleStep[]): object[] {
  return cycle.map(({ session, agent, waits_for, held_by }) => ({
    ...{ session, agent, path: waits_for.path, held_by },
  }))
}

function rotated(indexes: readonly number[], first: number): number[] {
  return [...indexes.slice(first), ...indexes.slice(0, first)]
}

const ORDERS = ['fcfs', 'priority'] as const

describe('cycles by chance', () => {
  const histories = amountOf(import.meta.url)
  it.each(ORDERS)(
    'locks §23, §24: no false alarm, none missed: %s',
    (order) => {
      const first = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9))
      // With priorities a choice of any can end the search for another order too early: ANY=1 shows it.
      const choices = order === 'fcfs' || process.env.ANY !== undefined
      let deadlocks = 0
      let decisions = 0
      for (let seed = first; seed < first + histories; seed++) {
        const history = historyOf(seed, 30, order, choices)
        try {
          const played = play(history)
          deadlocks += played.deadlocks
          decisions += played.decisions
        } catch (error) {
          // Whatever else the model finds belongs to the random histories.
          if (!/^(locks §2[34]|I9)/.test((error as Error).message)) continue
          const failure = failureOf(history) ?? (error as Error)
          throw new Error(`${failure.message}\nAMOUNT=1 SEED=${seed} (${order})`, {
            cause: failure,
          })
        }
      }
      console.log(
        `SEED=${first} ${order}: ${histories} histories, ${decisions} decisions, ${deadlocks} deadlocks`,
      )
      expect(deadlocks).toBeGreaterThan(histories / 10)
    },
    3_600_000,
  )
})
