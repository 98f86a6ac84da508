import { LockModel } from '../../sim/model/lock-model.ts'
import { DEFAULT_SETTINGS, type Settings } from '../../src/contract/events.ts'
import type { Command } from '../../src/core/command.ts'
import { World } from '../core/world.ts'
import { commandOf, type Deed, START, said } from './deed.ts'

/** Plays what is done on the real core, each decision judged by the model. */
export function play(
  chosen: Partial<Settings>,
  deeds: readonly Deed[],
  seen: (outcome: string) => void,
): void {
  const world = new World(chosen)
  const model = new LockModel({ ...DEFAULT_SETTINGS, ...chosen })
  const decide = (command: Command): void => {
    const { events, refusal, held, waiting } = world.runUnchecked(command)
    const told = { command, at: world.at, refusal, held: held?.id, waiting: waiting?.id }
    model.judge(events, told)
    seen(refusal?.code ?? (events[0]?.kind || (held && 'held') || (waiting && 'waiting')) ?? '–')
  }
  decide(START)
  for (const one of deeds) {
    world.at += one.after
    const command = commandOf(world, one)
    if (command !== undefined) decide(command)
  }
}

/** A history that failed, one line for each thing that was done. */
export function inWords(
  seed: number,
  shrunk: [Partial<Settings>, readonly Deed[]] | null,
  error: unknown,
): Error {
  if (shrunk === null) return new Error(`SEED=${seed}`, { cause: error })
  const [chosen, deeds] = shrunk
  const lines = [`SEED=${seed}`, JSON.stringify(chosen), ...deeds.map(said)]
  return new Error(`${(error as Error).message}\n${lines.join('\n')}`, { cause: error })
}
