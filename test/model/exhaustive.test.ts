import { describe, expect, it } from 'vitest'
import { LockModel } from '../../sim/model/lock-model.ts'
import { DEFAULT_SETTINGS, type Event, type Settings } from '../../src/contract/events.ts'
import { apply } from '../../src/core/apply.ts'
import { check } from '../../src/core/check.ts'
import type { Command } from '../../src/core/command.ts'
import { newState, type State } from '../../src/core/state.ts'
import { step } from '../../src/core/step.ts'
import { amountOf } from '../amount.ts'
import { memoryRecords } from '../core/world.ts'
import { canonical, commandsIn, type Scope, SMALL } from './small-scope.ts'

const AT = 1_800_000_000_000

/** Every state that any commands lead to, breadth first, each known by the facts that led to it. */
class Search {
  readonly seen = new Set<string>([''])
  decisions = 0
  private readonly scope: Scope
  private readonly settings: Settings

  constructor(scope: Scope, settings: Partial<Settings> = {}) {
    this.scope = scope
    // Who won how often in a row would be one more dimension; the random runs have it.
    this.settings = { ...DEFAULT_SETTINGS, wins_in_a_row: 1_000_000, ...settings }
  }

  /** The number of new states at each depth. */
  run(depth: number): number[] {
    const found: number[] = []
    let states: (readonly Event[])[] = [[]]
    for (let level = 0; level < depth; level++) {
      const next: (readonly Event[])[] = []
      for (const facts of states) this.expand(facts, next, level + 1 < depth)
      found.push(next.length)
      states = next
    }
    return found
  }

  private expand(facts: readonly Event[], next: (readonly Event[])[], isKept: boolean): void {
    let state = this.replayed(facts)
    for (const command of [...commandsIn(state, this.scope)]) {
      const events = this.decided(state, facts, command)
      if (events.length === 0) continue
      const name = canonical(state)
      if (!this.seen.has(name)) {
        this.seen.add(name)
        check(state)
        next.push(isKept ? [...facts, ...events] : facts)
      }
      state = this.replayed(facts)
    }
  }

  private decided(state: State, facts: readonly Event[], command: Command): Event[] {
    this.decisions += 1
    const moment = { at: AT, seen: () => undefined, expiresAt: () => AT }
    try {
      const { events, refusal, held, waiting } = step(state, command, moment)
      const model = new LockModel(this.settings)
      for (const event of facts) model.facts.fold(event)
      const told = { command, at: AT, refusal, held: held?.id, waiting: waiting?.id }
      model.judge(events, told)
      return events
    } catch (error) {
      const history = [...facts, command].map((one) => JSON.stringify(one)).join('\n')
      throw new Error(`${(error as Error).message}\nafter\n${history}`, { cause: error })
    }
  }

  private replayed(facts: readonly Event[]): State {
    const state = newState('main', memoryRecords())
    state.settings = this.settings
    for (const event of facts) apply(state, event)
    state.locks.freed.length = 0
    state.locks.moved.length = 0
    return state
  }
}

describe('everything that can happen in a small world', () => {
  const { sessions, nodes, levels } = SMALL
  // Each as deep as a second goes; AMOUNT=3 goes three steps deeper, in half an hour.
  const scopes: [string, Scope, number][] = [
    ['all', SMALL, 3],
    ['one file', { sessions, nodes: ['/b'], levels }, 6],
    ['a folder and its file', { sessions, nodes: ['/f', '/f/a'], levels }, 3],
    ['stable, write', { sessions, nodes, levels: ['stable', 'write'] }, 4],
    ['read, exclusive', { sessions, nodes, levels: ['read', 'exclusive'] }, 4],
    ['write', { sessions, nodes, levels: ['write'] }, 5],
  ]
  const deeper = amountOf(import.meta.url)
  it.each(scopes)(
    'locks §2–23, I1, I7, I9: in every state: %s',
    (what, scope, usual) => {
      const depth = usual + deeper
      const started = performance.now()
      const search = new Search(scope)
      const found = search.run(depth)
      const seconds = ((performance.now() - started) / 1000).toFixed(1)
      console.log(
        `${what}, depth ${depth}: ${search.seen.size} states (${found.join(', ')}), ` +
          `${search.decisions} decisions, ${seconds} s`,
      )
      expect(search.seen.size).toBeGreaterThan(100)
    },
    3_600_000,
  )
})
