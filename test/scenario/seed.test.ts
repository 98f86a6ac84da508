import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Carrier, type Era, openMcp } from './doors.ts'
import { House } from './house.ts'
import type { McpSeat } from './mcp-seat.ts'
import { refusalOf } from './scenarios.ts'

/**
 * The scene this project began with: two agents, one file that both want, and only MCP between them
 * and the server. One comes by stdio, the other by HTTP, each in either revision.
 */
let house: House
beforeAll(async () => {
  house = await House.open()
})
afterAll(() => house.close())

const PATH = '/shared-data/results.csv'
const ASK = { path: PATH, type: 'exclusive', ttl: 300 }

async function pair(name: string, first: [Carrier, Era], second: [Carrier, Era]) {
  const one = await openMcp(house, ...first, `first-${name}`, 'apart')
  const other = await openMcp(house, ...second, `second-${name}`, 'apart')
  return { one, other }
}

const PAIRS: [string, [Carrier, Era], [Carrier, Era]][] = [
  ['stdio-old-http-new', ['stdio', 'legacy'], ['http', 'auto']],
  ['http-old-stdio-new', ['http', 'legacy'], ['stdio', 'auto']],
]

/** Waits until the other's request stands in the queue, as the holder sees it. */
async function untilWaiting(seat: McpSeat): Promise<void> {
  while ((await seat.waiting(PATH)) === 0) {}
}

for (const [name, first, second] of PAIRS) {
  test(`files §22, locks §4, §9, §33: the first agent’s lock holds, is handed on, and ends (${name})`, async () => {
    const { one, other } = await pair(name, first, second)
    const isThere = (await one.call('list_directory', { path: '/' })).content
    const granted = await one.call('acquire_lock', ASK)
    expect(granted).toMatchObject({
      status: 'granted',
      lock: { owner: one.agent, level: 'exclusive', ttl: 300, items: [{ path: PATH }] },
    })
    const refused = await refusalOf(other.write(PATH, 'second,1\n'))
    expect(refused).toMatchObject({ code: 'locked', holders: [{ agent: one.agent, path: PATH }] })
    expect(refused.detail).toContain(one.agent)
    // On the first run the path did not exist yet, on the second it does: both have to work.
    if (String(isThere).includes('shared-data')) await one.read(PATH)
    await one.write(PATH, 'first,1\n')

    const waiting = other.call('acquire_lock', ASK)
    await untilWaiting(one)
    await one.call('release_lock', { path: PATH })
    expect(await waiting).toMatchObject({ status: 'granted', lock: { owner: other.agent } })
    expect(await other.read(PATH)).toBe('first,1\n')
    await other.write(PATH, 'first,1\nsecond,2\n')
    await other.releaseAll()

    expect(await one.read(PATH)).toBe('first,1\nsecond,2\n')
    await one.call('acquire_lock', { ...ASK, ttl: 1 })
    // The first agent is silent for longer than its TTL: the lock goes to the next by itself.
    expect(await other.call('acquire_lock', ASK)).toMatchObject({
      status: 'granted',
      lock: { owner: other.agent },
    })
    const late = await refusalOf(one.write(PATH, 'late\n'))
    expect(late.code).toBe('lock_lost')
    expect(late.detail).toContain('Read')
    expect(await other.read(PATH)).toBe('first,1\nsecond,2\n')
    await other.releaseAll()
    await Promise.all([one.end(), other.end()])
  }, 60_000)
}
