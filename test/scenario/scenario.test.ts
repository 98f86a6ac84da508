import { afterAll, beforeAll, describe, test } from 'vitest'
import { doorsOf } from './doors.ts'
import { House } from './house.ts'
import { SCENARIOS, type Scenario } from './scenarios.ts'
import type { Door, Seat } from './seat.ts'

let house: House
beforeAll(async () => {
  house = await House.open()
})
afterAll(() => house.close())

let runs = 0

async function play(door: Door, tell: Scenario['run']): Promise<void> {
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

for (const door of doorsOf(() => house)) {
  const scenarios = SCENARIOS.filter(({ isMain, needs }) => {
    if (needs === 'commit' && door.name.startsWith('MCP')) return false
    if (needs === 'requestIds' && !door.takesRequestIds) return false
    return !door.isSlow || isMain === true
  })
  describe(door.name, () => {
    for (const { title, run, lacking, proof } of scenarios) {
      const why = lacking?.(door)
      if (why === undefined) test(title, () => play(door, run), 60_000)
      else test(`${title}: not here, ${why}`, () => play(door, proof ?? run), 60_000)
    }
  })
}
