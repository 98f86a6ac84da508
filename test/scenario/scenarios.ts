import { expect } from 'vitest'
import { SluiceError } from '../../src/contract/errors.ts'
import { BAD_PATHS } from './bad-paths.ts'
import type { House } from './house.ts'
import { lockStories } from './lock-stories.ts'
import type { Door, Seat } from './seat.ts'

/** What every door must do alike. `ann` and `bob` are two agents; `at` gives paths of this run only. */
export interface Stage {
  door: Door
  ann: Seat
  bob: Seat
  at(name: string): string
  house: House
  /** One more agent at the same door, for stories of three. */
  guest(name: string): Promise<Seat>
}

export interface Scenario {
  title: string
  needs?: 'commit' | 'requestIds'
  /** Why a door cannot tell it; `proof` then shows that it says so itself. */
  lacking?: (door: Door) => string | undefined
  proof?: (stage: Stage) => Promise<void>
  run(stage: Stage): Promise<void>
}

/** The problem that a call is refused with. */
export async function refusalOf(call: Promise<unknown>): Promise<Record<string, unknown>> {
  try {
    await call
  } catch (error) {
    if (error instanceof SluiceError) return error.problem
    throw error
  }
  throw new Error('the call was not refused')
}

export async function granted(answer: ReturnType<Seat['acquire']>): Promise<{ id: string }> {
  const value = await answer
  if (value.status !== 'granted') throw new Error(`queued: ${JSON.stringify(value)}`)
  return value.lock
}

const lockScenarios: Scenario[] = [
  {
    title:
      'locks §4, files §10: a path that does not exist yet is locked, and others’ writes are refused naming the holder',
    async run({ ann, bob, at }) {
      const lock = await granted(ann.acquire(at('new'), { type: 'exclusive', intent: 'make it' }))
      expect(await refusalOf(bob.write(at('new'), 'bob'))).toMatchObject({
        code: 'locked',
        holders: [{ agent: ann.agent, lock: lock.id, level: 'exclusive', intent: 'make it' }],
      })
      expect(await refusalOf(bob.acquire(at('new')))).toMatchObject({ code: 'lock_conflict' })
      await ann.write(at('new'), 'ann')
      await ann.release(lock)
      expect(await bob.read(at('new'))).toBe('ann')
      await bob.write(at('new'), 'bob')
      expect(await ann.read(at('new'))).toBe('bob')
    },
  },
  {
    title: 'locks §9, §42: who waits is granted when the holder gives back',
    async run({ ann, bob, at }) {
      const lock = await granted(ann.acquire(at('f')))
      const waiting = bob.acquire(at('f'), { wait: 20 })
      await ann.release(lock)
      const next = await granted(waiting)
      expect(await ann.locks(at('f'))).toEqual([next.id])
      await bob.release(next)
    },
  },
  {
    title:
      'locks §10: a wait that is over gives a ticket that keeps its place and is claimed later',
    async run({ ann, bob, at }) {
      const lock = await granted(ann.acquire(at('f')))
      const queued = await bob.acquire(at('f'), { wait: 0.05 })
      expect(queued).toMatchObject({ status: 'queued', position: 1 })
      if (queued.status !== 'queued') return
      await ann.release(lock)
      await bob.release(await granted(bob.claim(queued.ticket, 20)))
      expect(await refusalOf(bob.claim(queued.ticket, 0))).toMatchObject({ code: 'ticket_gone' })
    },
  },
  {
    title: 'locks §12: asking again for what one holds gives the same lock',
    async run({ ann, at }) {
      const lock = await granted(ann.acquire(at('f')))
      expect(await ann.acquire(at('f'))).toMatchObject({
        already_held: true,
        lock: { id: lock.id },
      })
      expect(await ann.locks(at('f'))).toEqual([lock.id])
    },
  },
  {
    title:
      'locks §33: a late write after the TTL is refused as lock_lost, when the lock went to the next',
    async run({ ann, bob, at, house }) {
      await ann.write(at('f'), 'one')
      await granted(ann.acquire(at('f'), { type: 'exclusive', ttl: 20 }))
      const next = bob.acquire(at('f'), { wait: 25 })
      await house.untilWaiting(at('f'))
      house.leap(22)
      await granted(next)
      expect(await refusalOf(ann.write(at('f'), 'late'))).toMatchObject({ code: 'lock_lost' })
      expect(await bob.read(at('f'))).toBe('one')
    },
  },
  {
    title: 'contract: release-all gives back every lock and every place in a queue',
    async run({ ann, bob, at }) {
      for (const name of ['a', 'b', 'c']) await granted(ann.acquire(at(name)))
      await granted(bob.acquire(at('d')))
      await ann.acquire(at('d'), { wait: 0.05 })
      await ann.releaseAll()
      for (const name of ['a', 'b', 'c']) expect(await bob.locks(at(name))).toEqual([])
      expect(await bob.waiting(at('d'))).toBe(0)
    },
  },
  {
    title: 'locks §26: the end of a session frees its locks for who waits',
    async run({ ann, bob, at }) {
      await granted(ann.acquire(at('f'), { type: 'exclusive' }))
      const waiting = bob.acquire(at('f'), { wait: 25 })
      await ann.end()
      await granted(waiting)
    },
  },
]

const fileScenarios: Scenario[] = [
  {
    title: 'files §9: what was never read is not overwritten, nor what changed since',
    async run({ ann, bob, at }) {
      const { version } = await ann.write(at('f'), 'one')
      expect(await refusalOf(bob.write(at('f'), 'x'))).toMatchObject({
        code: 'unseen_version',
        current: version,
        changed_by: ann.agent,
      })
      await bob.read(at('f'))
      await ann.write(at('f'), 'two')
      expect(await refusalOf(bob.write(at('f'), 'x'))).toMatchObject({
        code: 'stale_version',
        yours: version,
        changed_by: ann.agent,
      })
      const stale = bob.write(at('f'), 'x', { ifVersion: version })
      expect(await refusalOf(stale)).toMatchObject({ code: 'stale_version' })
      expect(await ann.read(at('f'))).toBe('two')
    },
  },
  {
    title: 'files §11: appends of many at once are all there, once',
    async run({ ann, bob, at }) {
      const lines = Array.from({ length: 20 }, (_, index) => `line ${index}`)
      await Promise.all(
        lines.map((line, index) => (index % 2 ? ann : bob).append(at('log'), `${line}\n`)),
      )
      const text = await ann.read(at('log'))
      expect(text.trimEnd().split('\n').sort()).toEqual([...lines].sort())
    },
  },
  {
    title:
      'files §12: an edit goes onto the newest text, or says that the old text does not stand there',
    async run({ ann, bob, at }) {
      await ann.write(at('f'), 'one\ntwo\nthree\n')
      await Promise.all([ann.edit(at('f'), 'one', 'ONE'), bob.edit(at('f'), 'three', 'THREE')])
      expect(await ann.read(at('f'))).toBe('ONE\ntwo\nTHREE\n')
      expect(await refusalOf(bob.edit(at('f'), 'one', 'x'))).toMatchObject({
        code: 'edit_conflict',
      })
    },
  },
  {
    title: 'files §14, I6: a commit is all or nothing',
    needs: 'commit',
    async run({ ann, bob, at }) {
      await ann.write(at('theirs'), 'ann')
      const half = bob.commit?.([
        { op: 'write', path: at('a'), text: 'a' },
        { op: 'write', path: at('theirs'), text: 'b' },
      ])
      expect(await refusalOf(half as Promise<unknown>)).toMatchObject({ code: 'unseen_version' })
      expect(await refusalOf(bob.read(at('a')))).toMatchObject({ code: 'not_found' })
      await bob.commit?.([
        { op: 'write', path: at('a'), text: 'a' },
        { op: 'append', path: at('theirs'), text: '+b' },
        { op: 'copy', path: at('a'), to: at('copy') },
      ])
      const texts = await Promise.all(['a', 'theirs', 'copy'].map((name) => ann.read(at(name))))
      expect(texts).toEqual(['a', 'ann+b', 'a'])
    },
  },
  {
    title: 'locks §11, I10: the same request id gives the same answer, again and twice at once',
    needs: 'requestIds',
    async run({ ann, at }) {
      const id = at('id').replaceAll('/', '.')
      const first = await ann.append(at('log'), 'x', id)
      expect((await ann.append(at('log'), 'x', id)).version).toBe(first.version)
      const twice = [1, 2].map(() => ann.write(at('f'), 'y', { requestId: `${id}-w` }))
      const [one, other] = await Promise.all(twice)
      expect(one?.version).toBe(other?.version)
      expect(await ann.read(at('log'))).toBe('x')
    },
  },
  {
    title: 'files §16: what is deleted is gone, and its path is free again',
    async run({ ann, bob, at }) {
      await ann.write(at('f'), 'one')
      await ann.remove(at('f'))
      expect(await refusalOf(bob.read(at('f')))).toMatchObject({ code: 'not_found' })
      expect(await refusalOf(bob.remove(at('f')))).toMatchObject({ code: 'not_found' })
      await bob.write(at('f'), 'two')
    },
  },
]

const badInputScenarios: Scenario[] = [
  {
    title: 'files §19: a path that is none is refused as such and changes nothing',
    async run({ door, ann, at }) {
      for (const { what, path, not = [] } of BAD_PATHS) {
        if (not.some((one) => door.name.startsWith(one))) continue
        const whole = path.startsWith('/') ? `${at('')}${path.slice(1)}` : path
        const bad = path.startsWith('/..') ? path : whole
        expect(await refusalOf(ann.write(bad, 'x')), what).toMatchObject({ code: 'invalid_path' })
        expect(await refusalOf(ann.acquire(bad)), what).toMatchObject({ code: 'invalid_path' })
        expect(await refusalOf(ann.read(bad)), what).toMatchObject({ code: 'invalid_path' })
      }
      expect(await ann.locks(at(''))).toEqual([])
    },
  },
  {
    title:
      'files §19: names that only look different in Unicode are one, and names that differ in case collide',
    async run({ ann, at }) {
      await ann.write(at('caf\u00e9'), 'one')
      expect(await ann.read(at('cafe\u0301'))).toBe('one')
      await ann.write(at('Readme'), 'one')
      expect(await refusalOf(ann.write(at('README'), 'x'))).toMatchObject({
        code: 'already_exists',
      })
      expect(await ann.read(at('Readme'))).toBe('one')
    },
  },
  {
    title: 'files §19: odd names that are allowed come back as they were given',
    async run({ ann, at }) {
      const names = ['a b', '%2e%2e', '%00', '..a', 'a?b#c', '\u{1f4a5}', 'n'.repeat(255)]
      for (const name of names) {
        await ann.write(at(name), name)
        expect(await ann.read(at(name))).toBe(name)
      }
    },
  },
]

export const SCENARIOS: readonly Scenario[] = [
  ...lockStories,
  ...lockScenarios,
  ...fileScenarios,
  ...badInputScenarios,
]
