import type { Runtime } from '../../src/client/runtime.ts'
import type { Clock } from '../../src/engine/clock.ts'
import type { Chance } from '../chance.ts'
import type { Loop, Program } from '../loop.ts'

/** What the machine's clock on the wall says; people and NTP set it as they like. */
export class WallClock {
  private readonly loop: Loop
  offsetMs = 1_800_000_000_000

  constructor(loop: Loop) {
    this.loop = loop
  }

  now(): number {
    return this.offsetMs + this.loop.now
  }
}

/** As `systemClock`: the wall clock at the start of the program, carried on by the monotonic one. */
export function serverClock(loop: Loop, program: Program, wall: WallClock): Clock {
  const base = wall.offsetMs
  return {
    now: () => Math.floor(base + loop.now),
    after: (delayMs, callback) => loop.after(delayMs, program, callback),
    soon: (callback) => {
      loop.at(loop.now, program, callback)
    },
  }
}

/** A client's machine, whose clock runs at `rate` and began whenever it was switched on. */
export function clientRuntime(
  loop: Loop,
  program: Program,
  chance: Chance,
  rate: number,
  open: Runtime['open'],
): Runtime {
  const base = chance.between(0, 1e9)
  return {
    now: () => base + loop.now * rate,
    after: (delayMs, callback) => loop.after(delayMs / rate, program, callback),
    soon: (callback) => {
      loop.at(loop.now, program, callback)
    },
    random: () => chance.next(),
    open,
  }
}
