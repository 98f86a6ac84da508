import { afterAll, beforeAll } from 'vitest'
import { doorsOf } from './doors.ts'
import { House } from './house.ts'
import { tellAt } from './tell.ts'

let house: House
beforeAll(async () => {
  house = await House.open()
})
afterAll(() => house.close())

tellAt(
  doorsOf(() => house),
  () => house,
)
