import { expect, test, vi } from 'vitest'
import { Place } from '../cli/sluice.ts'

/** `cases` H3 and guard §2: what a lock's token does at the command line, where nothing says who calls. */
// Where the tests run there may be a terminal, which would.
vi.mock('../../src/cli/terminal.ts', () => ({ terminalName: () => undefined }))

const NOBODY = { env: { SLUICE_SESSION: '' }, detached: true }

/** A lock of a caller that only its token knows. */
async function lockOf(place: Place, path: string): Promise<{ id: string; token: string }> {
  const taken = await place.run(['lock', path, '--ttl', '60', '--json'], NOBODY)
  const { lock, token } = JSON.parse(taken.out) as { lock: { id: string }; token: string }
  return { id: lock.id, token }
}

test('H3: unlock takes the token in place of the id, and beside it', async () => {
  const place = new Place()
  await place.open()
  const { id, token } = await lockOf(place, '/a')
  expect(token.startsWith(`${id}.`)).toBe(true)
  const unproven = await place.run(['unlock', id], NOBODY)
  expect(unproven.code).toBe(4)
  expect(unproven.err).toContain('token')
  expect(await place.run(['unlock', token], NOBODY)).toMatchObject({ code: 0, out: 'Released.\n' })
  for (const flag of ['--lock', '--locks']) {
    const next = await lockOf(place, '/a')
    const ran = await place.run(['unlock', next.id, flag, next.token], NOBODY)
    expect(ran, flag).toMatchObject({ code: 0, out: 'Released.\n' })
  }
  const last = await lockOf(place, '/a')
  const inside = { ...NOBODY, env: { ...NOBODY.env, SLUICE_LOCK: last.token } }
  expect((await place.run(['unlock', last.id], inside)).out).toBe('Released.\n')
})

test('H3: put and rm are done under a token, and without it are not', async () => {
  const place = new Place()
  await place.open()
  const { token } = await lockOf(place, '/a')
  expect((await place.run(['put', '/a'], { ...NOBODY, input: 'x' })).code).toBe(7)
  const put = await place.run(['put', '/a', '--locks', token], { ...NOBODY, input: 'x' })
  expect(put).toMatchObject({ code: 0 })
  expect((await place.run(['rm', '/a'], NOBODY)).code).toBe(7)
  expect((await place.run(['rm', '/a', '--lock', token], NOBODY)).code).toBe(0)
})

test('H3+: change, extend and handover take the token in place of the id too', async () => {
  const place = new Place()
  await place.open()
  const { id, token } = await lockOf(place, '/a')
  const changed = await place.run(['change', token, 'exclusive', '--json'], NOBODY)
  expect(JSON.parse(changed.out)).toMatchObject({ status: 'granted', lock: { level: 'exclusive' } })
  // It has not been recalled, which only its holder is told.
  const extended = await place.run(['extend', token], NOBODY)
  expect(extended.err).toContain('recall')
  const after = JSON.parse(changed.out) as { token: string }
  await place.run(['status', '--session', 'next'])
  const handed = await place.run(['handover', after.token, 'admin:next'], NOBODY)
  expect(handed.out).toMatch(new RegExp(`^${id} is L\\d+ now, held by admin:next\\.\n$`))
})

test('H3+: a token that proves nothing is refused, and another lock stays where it is', async () => {
  const place = new Place()
  await place.open()
  const { id, token } = await lockOf(place, '/a')
  const forged = `${id}.${'A'.repeat(22)}`
  expect((await place.run(['unlock', forged], NOBODY)).code).not.toBe(0)
  const other = await lockOf(place, '/b')
  expect((await place.run(['unlock', id, '--lock', other.token], NOBODY)).code).toBe(4)
  expect((await place.run(['unlock', token], NOBODY)).out).toBe('Released.\n')
})
