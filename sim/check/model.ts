import type { Event, Settings } from '../../src/contract/events.ts'
import type { Command } from '../../src/core/command.ts'
import type { Step } from '../../src/core/step.ts'
import { broken } from '../history.ts'
import type { Told } from '../model/foresight.ts'
import type { LockModel } from '../model/lock-model.ts'

/** One decision as the server took it; a crash may have undone it. */
export interface Decided {
  events: readonly Event[]
  told: Told
}

export function decidedFrom(command: Command, at: number, step: Step): Decided {
  const { events, refusal, held, waiting } = step
  return {
    events,
    told: { command, at, refusal, held: held?.id, waiting: waiting?.id },
  }
}

/**
 * The independent model goes through everything that is stored, decision by decision, and says
 * whether each was allowed and none is missing. Decisions are known by the revision of their first
 * fact; what nobody saw being decided (before the run) is judged fact by fact.
 */
export function checkModel(
  stored: readonly Event[],
  decisions: ReadonlyMap<number, Decided>,
  settings: Settings,
  Model: typeof LockModel,
): void {
  const model = new Model(settings)
  for (let index = 0; index < stored.length; ) {
    const first = stored[index] as Event
    const decided = decisions.get(first.revision)
    const isThis = decided !== undefined && isStored(decided.events, stored, index)
    const count = isThis ? decided.events.length : 1
    try {
      model.judge(stored.slice(index, index + count), isThis ? decided.told : undefined)
    } catch (error) {
      const { name, message } = error as Error
      if (name !== 'ModelDisagrees') throw error
      broken('model', `at ${first.revision}: ${message}`)
    }
    index += count
  }
}

/** Revisions of what was lost are given again. */
function isStored(events: readonly Event[], stored: readonly Event[], from: number): boolean {
  return events.every((event, index) => {
    const other = stored[from + index]
    return other?.kind === event.kind && other.at === event.at && other.session === event.session
  })
}
