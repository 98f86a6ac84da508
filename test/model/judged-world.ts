import { LockModel } from '../../sim/model/lock-model.ts'
import { DEFAULT_SETTINGS, type LockItem, type Settings } from '../../src/contract/events.ts'
import type { Command } from '../../src/core/command.ts'
import type { Step } from '../../src/core/step.ts'
import { actor, World } from '../core/world.ts'

/** A core of which every decision goes before the model. */
export class JudgedWorld {
  readonly world: World
  readonly model: LockModel
  decisions = 0

  constructor(settings: Partial<Settings> = {}) {
    this.world = new World(settings)
    this.model = new LockModel({ ...DEFAULT_SETTINGS, ...settings })
  }

  decide(command: Command): Step {
    this.decisions += 1
    const made = this.world.runUnchecked(command)
    const { events, refusal, held, waiting } = made
    const told = { command, at: this.world.at, refusal, held: held?.id, waiting: waiting?.id }
    try {
      this.model.judge(events, told)
    } catch (error) {
      const decided = [command, ...events].map((one) => JSON.stringify(one)).join('\n')
      throw new Error(`${(error as Error).message}\n${decided}`, { cause: error })
    }
    return made
  }

  acquire(
    who: string,
    items: readonly Wanted[],
    more: Partial<Extract<Command, { kind: 'acquire-lock' }>> = {},
  ): Step {
    return this.decide({
      kind: 'acquire-lock',
      actor: actor(who),
      items: [...items],
      renew: 'activity',
      queue: true,
      ...more,
    })
  }
}

export type Wanted = Pick<LockItem, 'path' | 'level'> & Partial<LockItem>

/** Small fast generator (mulberry32): a printed seed gives the same run again. */
export class Chance {
  private state: number

  constructor(seed: number) {
    this.state = seed >>> 0
  }

  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0
    let t = this.state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit)
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T
  }
}
