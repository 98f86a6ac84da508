import { expect, test } from 'vitest'
import { Place, type Ran, type RunOptions, until } from './sluice.ts'

test('locks §5: lock --range and --lines: parts of one file are held side by side', async () => {
  const place = new Place()
  await place.open()
  await place.run(['put', '/a'], { input: 'one\ntwo\nthree\n' })
  const bytes = await taken(place, ['/a', '--range', '0:4'])
  expect(bytes.items).toMatchObject([{ path: '/a', range: { start: 0, end: 4 } }])
  // Without a version the lines of the file as it is now are meant.
  const lines = await taken(place, ['/a', '--lines', '2:2', '--session', 'other'])
  expect(lines.items).toMatchObject([{ range: { start: 4, end: 8 } }])
  const rest = await taken(place, ['/a', '--lines', '3:@1', '--session', 'third'])
  expect(rest.items).toMatchObject([{ range: { start: 8 } }])
  expect((await place.run(['locks'])).out).toMatch(/write +\/a 0:4 .*write +\/a 4:8 /s)
  const over = await place.run(['lock', '/a', '--range', '2:6', '--session', 'fourth'])
  expect(over.code).toBe(7)
})

test('locks §5: lock --range and --lines that mean nothing take nothing, and say why', async () => {
  const place = new Place()
  await place.open()
  await place.run(['put', '/a'], { input: 'one\ntwo\nthree\n' })
  expect((await place.run(['lock', '/a', '--lines', '1:2@99'])).code).toBe(8)
  expect((await place.run(['lock', '/a', '/b', '--range', '0:4'])).code).toBe(2)
  for (const part of [
    ['--range', '4'],
    ['--range', ':4'],
    ['--lines', '1-2'],
  ]) {
    const refused = await place.run(['lock', '/a', ...part])
    expect(refused, part.join(' ')).toMatchObject({ code: 2, out: '' })
    expect(refused.err).toContain(`${part[0]}: "${part[1]}" is not`)
  }
})

test('locks §9: lock --any takes what is free, and tells the command which', async () => {
  const place = new Place()
  await place.open()
  await place.run(['lock', '/job/1', '--session', 'other'])
  const free = await taken(place, ['/job/1', '/job/2', '/job/3', '--any', '1'])
  expect(free.items).toMatchObject([{ path: '/job/2' }])
  const script = 'console.log(process.env.SLUICE_PATHS)'
  const jobs = ['lock', '/job/1', '/job/2', '/job/3', '--any', '1']
  const ran = await place.run([...jobs, '--', process.execPath, '-e', script])
  expect(ran).toMatchObject({ code: 0, out: '/job/3\n' })
})

test('locks §2, §6, §19, §31: lock --stable, --priority, --lock-delay and --key reach the lock, also around a command', async () => {
  const place = new Place()
  await place.open()
  const terms = ['--level', 'read', '--stable', '--priority', '7', '--lock-delay', '3']
  const plain = await taken(place, ['/a', ...terms])
  expect(plain).toMatchObject({ priority: 7, lock_delay: 3, items: [{ stable: true }] })
  const key = await taken(place, ['/b', '/c', '--key', 'metadata'])
  expect(key.items).toMatchObject([{ key: 'metadata' }, { key: 'metadata' }])
  const held = place.start(['lock', '/d', ...terms, '--', process.execPath, '-e', IDLE])
  await held.says(/running/)
  const { locks } = jsonOf(await place.run(['locks', '/d', '--json'])) as { locks: unknown[] }
  expect(locks).toMatchObject([{ priority: 7, lock_delay: 3, items: [{ stable: true }] }])
  held.child.stdin.end()
  expect((await held.ended()).code).toBe(0)
})

test('locks §15: change makes a lock stronger and weaker under its id', async () => {
  const place = new Place()
  await place.open()
  const { id } = await taken(place, ['/a', '--level', 'read'])
  await place.run(['lock', '/a', '--level', 'read', '--session', 'other'])
  expect(jsonOf(await place.run(['change', id, 'write', '--json']))).toMatchObject({
    lock: { id, level: 'write' },
  })
  const late = await place.run(['change', id, 'exclusive', '--wait', '0.3'])
  expect(late.code).toBe(7)
  expect(late.err).toContain('Not granted within 0.3 s')
  const after = jsonOf(await place.run(['locks', '--json'])) as { waiting: unknown[] }
  expect(after).toMatchObject({ waiting: [], locks: [{ id, level: 'write' }, { level: 'read' }] })
  expect((await place.run(['change', id, 'read'])).out).toMatch(/level +read/)
  expect((await place.run(['change', id, 'alone'])).code).toBe(2)
  expect((await place.run(['change', 'L999', 'read'])).code).toBe(8)
  expect((await place.run(['change', id, 'write', '--session', 'other'])).code).toBe(4)
})

test('locks §41: handover gives a lock to another session, under a new id', async () => {
  const place = new Place()
  await place.open()
  await place.run(['agents', 'add', 'bob'])
  const { id } = await taken(place, ['/a'])
  expect((await place.run(['handover', id, 'bob'])).code).toBe(5)
  // Any call opens the session that it is made in.
  await place.run(['status', '--agent', 'bob', '--session', 'desk'])
  const given = await place.run(['handover', id, 'bob:desk'])
  expect(given.out).toMatch(new RegExp(`^${id} is L\\d+ now, held by bob:desk.\n$`))
  const now = /L\d+ now/.exec(given.out)?.[0].slice(0, -4) ?? ''
  expect((await place.run(['unlock', now, '--agent', 'bob', '--session', 'desk'])).code).toBe(0)
  expect((await place.run(['handover', id, 'bob:desk'])).code).toBe(8)
})

test('locks §37: a holder is asked, and answers with no, an estimate, or the lock', async () => {
  const place = new Place()
  await place.open()
  await place.run(['agents', 'add', 'bob'])
  const bob: RunOptions = { env: { SLUICE_AGENT: 'bob' } }
  const { id } = await taken(place, ['/a'])
  const ask = async (): Promise<string> => {
    const asked = await place.run(['ask', id, 'may I?'], bob)
    expect(asked.out).toMatch(/^Asked admin:cli. The question is A\d+.\n$/)
    return /A\d+/.exec(asked.out.slice(5))?.[0] ?? ''
  }
  const [first, second, third] = [await ask(), await ask(), await ask()]
  expect((await place.run(['answer', first, 'no', '--message', 'busy'])).out).toBe('Answered.\n')
  expect((await place.run(['answer', second, 'estimate', '--estimate', '60'])).code).toBe(0)
  const yielded = await place.run(['answer', third, 'yield'])
  expect(yielded.out).toBe('Answered, and the lock is given back.\n')
  expect((await place.run(['locks'])).out).toBe('No locks.\n')
  expect((await place.run(['answer', third, 'perhaps'])).code).toBe(2)
  expect((await place.run(['answer', 'A999', 'no'])).code).toBe(5)
  expect((await place.run(['ask', id, 'still?'], bob)).code).toBe(8)
})

test('locks §38: recall tells until when, locks shows it, and it is for supervisors', async () => {
  const place = new Place()
  await place.open()
  await place.run(['agents', 'add', 'bob'])
  const { id } = await taken(place, ['/a', '--agent', 'bob'])
  const words = ['recall', id, '--reason', 'release day', '--grace', '60']
  expect((await place.run([...words, '--agent', 'bob'])).code).toBe(4)
  const recalled = await place.run(words)
  expect(recalled.out).toMatch(/^bob:cli must give L\d+ back in 1m.* \(supervisor.*: release day\)/)
  expect((await place.run(['locks'])).out).toMatch(/GIVE BACK.*\n.*in .*release day/)
  expect((await place.run(['recall', id])).code).toBe(2)
})

test('locks §38: extend gives a recalled holder its time once more, once, and nobody else', async () => {
  const place = new Place()
  await place.open()
  await place.run(['agents', 'add', 'bob'])
  const bob: RunOptions = { env: { SLUICE_AGENT: 'bob' } }
  const { id } = await taken(place, ['/a', '--agent', 'bob'])
  expect((await place.run(['extend', id], bob)).code).toBe(2)
  const recalled = await place.run(['recall', id, '--reason', 'tidy', '--grace', '60', '--json'])
  expect((await place.run(['extend', id])).code).toBe(4)
  const extended = await place.run(['extend', id, '--json'], bob)
  expect(deadlineOf(extended) - deadlineOf(recalled)).toBeGreaterThan(1000)
  expect((await place.run(['locks'])).out).toMatch(/GIVE BACK.*\n.*extended: tidy/)
  expect((await place.run(['extend', id], bob)).code).toBe(12)
  expect((await place.run(['extend', 'L999'], bob)).code).toBe(8)
})

function deadlineOf(ran: Ran): number {
  const { lock } = jsonOf(ran) as { lock: { recall: { deadline: string } } }
  return Date.parse(lock.recall.deadline)
}

test('locks §31, §40: what was forced away stays closed for its delay, and locks says so', async () => {
  const place = new Place()
  await place.open()
  const { id } = await taken(place, ['/a', '--lock-delay', '60', '--session', 'other'])
  expect((await place.run(['unlock', id, '--force'])).code).toBe(2)
  const forced = await place.run(['unlock', id, '--force', '--reason', 'stuck'])
  expect(forced).toMatchObject({ code: 0, out: 'Released.\n' })
  expect((await place.run(['locks'])).out).toMatch(/CLOSED.*\n.*write +\/a +admin:other +in /)
  const late = await place.run(['lock', '/a', '--wait', '0.3'])
  expect(late.code).toBe(7)
  expect(late.err).toMatch(/\/a is closed and opens in (1m|\d+s), as admin:other lost its lock/)
})

test('locks §31: locks says what is closed to whom waits, below a closed folder too', async () => {
  const place = new Place()
  await place.open()
  const terms = ['--scope', 'subtree', '--lock-delay', '60', '--session', 'other']
  const { id } = await taken(place, ['/docs', ...terms])
  await place.run(['unlock', id, '--force', '--reason', 'stuck'])
  place.start(['lock', '/docs/a', '--wait', '20'])
  const rows = await until(async () => {
    const { out } = await place.run(['locks'])
    return out.includes('/docs/a') ? out : undefined
  })
  expect(rows).toMatch(new RegExp(`/docs/a .*closed after ${id}`))
})

const IDLE = 'console.log("running"); process.stdin.resume()'

interface Held {
  id: string
  items: object[]
}

/** The lock that was taken, in the session of the command line unless told otherwise. */
async function taken(place: Place, words: readonly string[]): Promise<Held> {
  const { lock } = jsonOf(await place.run(['lock', ...words, '--json'])) as { lock: Held }
  return lock
}

function jsonOf({ code, out, err }: Ran): unknown {
  expect({ code, err }).toEqual({ code: 0, err: '' })
  return JSON.parse(out)
}
