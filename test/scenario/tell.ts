import { describe, test } from 'vitest'
import type { House } from './house.ts'
import { SCENARIOS, type Scenario } from './scenarios.ts'
import type { Door, Seat } from './seat.ts'

let runs = 0

async function play(house: House, door: Door, tell: Scenario['run']): Promise<void> {
  runs += 1
  const run = runs
  const [ann, bob] = await Promise.all([door.open(`ann-${run}`), door.open(`bob-${run}`)])
  const guests: Seat[] = []
  const guest = async (name: string): Promise<Seat> => {
    const seat = await door.open(`${name}-${run}`)
    guests.push(seat)
    return seat
  }
  try {
    await tell({ door, ann, bob, house, guest, at: (name) => `/run-${run}/${name}` })
  } finally {
    await Promise.allSettled([ann, bob, ...guests].map((seat) => seat.end()))
  }
}

/** Tells every story at every door that can tell it. */
export function tellAt(doors: readonly Door[], house: () => House): void {
  for (const door of doors) {
    const scenarios = SCENARIOS.filter(({ needs }) => {
      if (needs === 'commit' && door.name.startsWith('MCP')) return false
      return needs !== 'requestIds' || door.takesRequestIds
    })
    describe(door.name, () => {
      for (const { title, run, lacking, proof } of scenarios) {
        const why = lacking?.(door)
        if (why === undefined) test(title, () => play(house(), door, run), 60_000)
        else test(`${title}: not here, ${why}`, () => play(house(), door, proof ?? run), 60_000)
      }
    })
  }
}
