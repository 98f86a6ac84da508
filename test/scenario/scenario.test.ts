import { afterAll, beforeAll, describe, test } from 'vitest'
import { doorsOf } from './doors.ts'
import { House } from './house.ts'
import { SCENARIOS, type Scenario } from './scenarios.ts'
import type { Door } from './seat.ts'

let house: House
beforeAll(async () => {
  house = await House.open()
})
afterAll(() => house.close())

let runs = 0

async function play(door: Door, scenario: Scenario): Promise<void> {
  runs += 1
  const run = runs
  const [ann, bob] = await Promise.all([door.open(`ann-${run}`), door.open(`bob-${run}`)])
  try {
    await scenario.run({ door, ann, bob, house, at: (name) => `/run-${run}/${name}` })
  } finally {
    await Promise.allSettled([ann.end(), bob.end()])
  }
}

for (const door of doorsOf(() => house)) {
  const scenarios = SCENARIOS.filter(({ isMain, needs }) => {
    if (needs === 'commit' && door.name.startsWith('MCP')) return false
    if (needs === 'requestIds' && !door.takesRequestIds) return false
    return !door.isSlow || isMain === true
  })
  describe(door.name, () => {
    for (const scenario of scenarios) {
      test(scenario.title, () => play(door, scenario), 60_000)
    }
  })
}
