import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LockModel } from '../../sim/model/judge.ts'
import { DEFAULT_SETTINGS, type Settings } from '../../src/contract/events.ts'
import { World } from '../core/world.ts'
import { commandOf, type Recipe, recipe } from './recipe.ts'

const settings = fc.record({
  order: fc.constantFrom('fcfs' as const, 'priority' as const),
  wins_in_a_row: fc.constantFrom(1, 3),
  max_hold_s: fc.constantFrom(5, 3600),
  lock_delay_s: fc.oneof(
    { weight: 4, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.constant(3) },
  ),
})

let commands = 0
const outcomes = new Map<string, number>()

/** Plays recipes on the real core, each decision judged by the model. */
function play(chosen: Partial<Settings>, recipes: readonly Recipe[]): void {
  const world = new World(chosen)
  const model = new LockModel({ ...DEFAULT_SETTINGS, ...chosen })
  const decide = (command: Parameters<World['runUnchecked']>[0]): void => {
    model.at = world.at
    const { events, refusal, held, waiting } = world.runUnchecked(command)
    model.judge(events, { command, refusal, held: held?.id, waiting: waiting?.id })
    for (const event of events) model.noteTerms(event)
    commands += 1
    const outcome = refusal?.code ?? events[0]?.kind ?? 'nothing'
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  }
  decide({
    kind: 'commit',
    actor: { agent: 'ann', session: 'ann:default', role: 'agent', rights: [] },
    changes: [{ kind: 'write', how: 'write', path: '/c.txt', content: { sha256: 'x', size: 12 } }],
    locks: [],
    release: false,
  })
  for (const one of recipes) {
    world.at += one.after
    const command = commandOf(world, one)
    if (command !== undefined) decide(command)
  }
}

describe('the independent model', () => {
  it('locks §1–41, I1–I9: agrees with the core in every decision', { timeout: 600_000 }, () => {
    const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
    const numRuns = Number(process.env.RUNS ?? 600)
    const started = performance.now()
    fc.assert(
      fc.property(settings, fc.array(recipe, { maxLength: 60, size: 'max' }), (chosen, recipes) => {
        play(chosen, recipes)
      }),
      { seed, numRuns, endOnFailure: false },
    )
    const minutes = (performance.now() - started) / 60_000
    const counts = [...outcomes].sort(([, a], [, b]) => b - a).map(([what, n]) => `${what} ${n}`)
    console.log(
      `seed ${seed}: ${commands} commands, ${Math.round(commands / minutes)} a minute\n${counts.join(', ')}`,
    )
    expect(outcomes.get('deadlock')).toBeGreaterThan(0)
  })
})
