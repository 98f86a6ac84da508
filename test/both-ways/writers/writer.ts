import { setTimeout as pause } from 'node:timers/promises'
import type { Chance } from '../../../sim/chance.ts'
import type { Log } from '../log.ts'
import type { Turns } from '../turns.ts'

/** What all writers share. */
export interface Stage {
  root: string
  log: Log
  turns: Turns
}

/** One who does something every now and then, by chance. */
export abstract class Writer {
  readonly name: string
  protected readonly stage: Stage
  protected readonly chance: Chance
  private number = 0

  constructor(name: string, stage: Stage, chance: Chance) {
    this.name = name
    this.stage = stage
    this.chance = chance.fork(name)
  }

  /** Goes on until it is told to stop: two to ten things a second. */
  async run(stop: AbortSignal): Promise<void> {
    await pause(this.chance.between(0, MOST_MS))
    while (!stop.aborted) {
      try {
        await this.act()
      } catch (error) {
        this.stage.log.trouble(`${this.name}: ${error instanceof Error ? error.stack : error}`)
      }
      await pause(this.chance.between(LEAST_MS, MOST_MS))
    }
  }

  protected abstract act(): Promise<void>

  /** A name for what it writes next, which nothing else has. */
  protected unit(): string {
    this.number += 1
    return `${this.name}.${this.number}`
  }
}

const LEAST_MS = 100
const MOST_MS = 500
