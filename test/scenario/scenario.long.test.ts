import { afterAll, beforeAll } from 'vitest'
import { commandDoors } from './doors.ts'
import { House } from './house.ts'
import { tellAt } from './tell.ts'

/** The stories once more where each command is a process: a call at the command line, a client at stdio. */
let house: House
beforeAll(async () => {
  house = await House.open()
})
afterAll(() => house.close())

tellAt(
  commandDoors(() => house, 'apart'),
  () => house,
)
