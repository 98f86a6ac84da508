import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'vitest'
import { granted, refusalOf, type Scenario } from './scenarios.ts'
import type { Door, Seat } from './seat.ts'

const isMcp = ({ name }: Door): boolean => name.startsWith('MCP')
/** HTTP serves every agent the same tools, and those of supervisors are not among them. */
const isMcpOverHttp = ({ name }: Door): boolean => name.startsWith('MCP over http')

/** What time has ended is given up at the server's next turn. */
async function untilFree(seat: Seat, path: string): Promise<void> {
  while ((await seat.locks(path)).length > 0) await pause(5)
}

/** Agents and locks, told at every door: what becomes of holds, and who goes first. */
export const lockStories: Scenario[] = [
  {
    title: 'locks §15: from read to write past another reader; locks §17: weaker wakes who waits',
    async run({ ann, bob, at }) {
      const lock = await granted(ann.acquire(at('f'), { type: 'read' }))
      const other = await granted(bob.acquire(at('f'), { type: 'read' }))
      expect(await ann.change(lock, 'write')).toMatchObject({ status: 'granted' })
      expect(await refusalOf(bob.change(other, 'write'))).toMatchObject({ code: 'lock_conflict' })
      const waiting = bob.change(other, 'write', 20)
      await ann.change(lock, 'read')
      expect(await waiting).toMatchObject({ status: 'granted', lock: { id: other.id } })
    },
  },
  {
    title: 'locks §16: of two who want the same for themselves alone, the second is refused',
    async run({ ann, bob, at }) {
      const lock = await granted(ann.acquire(at('f'), { type: 'read' }))
      const other = await granted(bob.acquire(at('f'), { type: 'read' }))
      expect(await ann.change(lock, 'exclusive', 0.05)).toMatchObject({ status: 'queued' })
      expect(await refusalOf(bob.change(other, 'exclusive', 5))).toMatchObject({
        code: 'upgrade_conflict',
        agent: ann.agent,
      })
      expect((await bob.messages()).map(({ kind }) => kind)).toContain('recalled')
      await bob.release(other)
      expect(await ann.change(lock, 'exclusive')).toMatchObject({ status: 'granted' })
    },
  },
  {
    title: 'locks §23: a request that would never be granted is refused with the cycle by name',
    async run({ ann, bob, at }) {
      const own = await granted(ann.acquire(at('a')))
      const other = await granted(bob.acquire(at('b')))
      await ann.acquire(at('b'), { wait: 0.05 })
      const refusal = await refusalOf(bob.acquire(at('a'), { wait: 5 }))
      expect(refusal).toMatchObject({
        code: 'deadlock',
        cycle: [
          { agent: bob.agent, waits_for: { path: at('a') }, lock: own.id },
          { agent: ann.agent, waits_for: { path: at('b') }, lock: other.id },
        ],
        release: [{ lock: other.id, path: at('b') }],
      })
      expect(refusal.detail).toContain(`Release ${other.id} on ${at('b')} first`)
    },
  },
  {
    title: 'locks §9: any of several is a work queue',
    async run({ ann, bob, at }) {
      const jobs = [at('job-1'), at('job-2')]
      const first = await ann.acquire('', { paths: jobs, any: 1 })
      const second = await bob.acquire('', { paths: jobs, any: 1 })
      expect(first).toMatchObject({ lock: { items: [{ path: at('job-1') }] } })
      expect(second).toMatchObject({ lock: { items: [{ path: at('job-2') }] } })
      const waiting = bob.acquire('', { paths: [at('job-1'), at('job-3')], any: 2, wait: 20 })
      await ann.release(await granted(Promise.resolve(first)))
      expect(await waiting).toMatchObject({ status: 'granted' })
    },
  },
  {
    title: 'locks §5: two edit one file, each its lines; what one writes moves the other’s',
    async run({ ann, bob, at }) {
      const { version } = await ann.write(at('f'), '# A\naaa\n# B\nbbb\n')
      await granted(ann.acquire(at('f'), { lines: { from: 2, to: 2, version } }))
      const lines = { from: 4, to: 4, version }
      await granted(bob.acquire(at('f'), { lines }))
      await ann.edit(at('f'), 'aaa', 'much more than before')
      await bob.edit(at('f'), 'bbb', 'BBB')
      expect(await refusalOf(bob.edit(at('f'), 'much', 'little'))).toMatchObject({ code: 'locked' })
      expect(await bob.read(at('f'))).toBe('# A\nmuch more than before\n# B\nBBB\n')
    },
  },
  {
    title: 'locks §37: the holder is asked, hears it with its next result, and yields',
    async run({ ann, bob, at }) {
      await granted(ann.acquire(at('f')))
      const ask = await bob.ask(at('f'), 'how long will you be?')
      const told = (await ann.messages()).find((one) => one.ask === ask)
      expect(told?.text).toContain('how long will you be?')
      await ann.answer(ask, 'yield')
      expect((await bob.messages()).map(({ kind }) => kind)).toContain('answered')
      await granted(bob.acquire(at('f')))
    },
  },
  {
    title:
      'locks §38–39: recalled, told until when, extended once, revoked; a late write is a draft',
    async run({ ann, at, house }) {
      await house.set({ minimum_hold_s: 0, recall_grace_s: 30 })
      try {
        const lock = await granted(ann.acquire(at('f')))
        await house.recall(lock.id, 'it is needed', 30)
        const told = (await ann.messages()).find(({ kind }) => kind === 'recalled')
        expect(told?.text).toContain('it is needed')
        await ann.extend(lock)
        expect(await refusalOf(ann.extend(lock))).toMatchObject({ code: 'too_many' })
        expect(await ann.locks(at('f'))).toEqual([lock.id])
        house.leap(65)
        await untilFree(ann, at('f'))
        const late = await refusalOf(ann.write(at('f'), 'late'))
        expect(late).toMatchObject({ code: 'lock_lost', reason: 'revoked' })
        expect(late.draft).toMatch(/^D\d+$/)
        expect(await ann.draft(String(late.draft))).toBe('late')
      } finally {
        await house.set({ minimum_hold_s: 5, recall_grace_s: 30 })
      }
    },
  },
  {
    title: 'locks §41: handed over without a gap; the giver may not write any more',
    async run({ ann, bob, at }) {
      const held = await ann.acquire(at('f'), { type: 'exclusive' })
      if (held.status !== 'granted') throw new Error('queued')
      const { lock, token } = held
      await ann.handOver(lock, await bob.session())
      expect((await bob.messages()).map(({ kind }) => kind)).toContain('handed_over')
      expect(await refusalOf(ann.write(at('f'), 'mine'))).toMatchObject({
        code: 'lock_lost',
        reason: 'handed-over',
      })
      expect(await refusalOf(ann.write(at('f'), 'mine', { token }))).toMatchObject({
        code: 'lock_lost',
        lock: lock.id,
      })
      await bob.write(at('f'), 'mine')
      expect(await ann.read(at('f'))).toBe('mine')
    },
  },
  {
    title: 'locks §19: in a workspace with priorities the more urgent goes first',
    async run({ ann, bob, at, house }) {
      await house.set({ order: 'priority' })
      try {
        const lock = await granted(ann.acquire(at('f')))
        const early = bob.acquire(at('f'), { wait: 20, priority: 1 })
        await house.untilWaiting(at('f'))
        await ann.release(lock)
        const next = await granted(early)
        const urgent = await ann.acquire(at('f'), { wait: 0.05, priority: 9 })
        expect(urgent).toMatchObject({ status: 'queued', position: 1 })
        await bob.release(next)
      } finally {
        await house.set({ order: 'fcfs' })
      }
    },
  },
  {
    title: 'locks §23: a cycle of three is refused with all three by name',
    async run({ ann, bob, at, guest }) {
      const cat = await guest('cat')
      const held = [
        await granted(ann.acquire(at('a'))),
        await granted(bob.acquire(at('b'))),
        await granted(cat.acquire(at('c'))),
      ]
      await ann.acquire(at('b'), { wait: 0.05 })
      await bob.acquire(at('c'), { wait: 0.05 })
      const refusal = await refusalOf(cat.acquire(at('a'), { wait: 5 }))
      expect(refusal).toMatchObject({
        code: 'deadlock',
        cycle: [
          { agent: cat.agent, lock: held[0]?.id },
          { agent: ann.agent, lock: held[1]?.id },
          { agent: bob.agent, lock: held[2]?.id },
        ],
        release: [{ lock: held[2]?.id }],
      })
      for (const { agent } of [ann, bob]) expect(refusal.detail).toContain(agent)
    },
  },
  {
    title: 'locks §18: when an exclusive leaves, all who wait to read enter, past one that waits',
    async run({ ann, bob, at, guest }) {
      const [cat, dan] = [await guest('cat'), await guest('dan')]
      const lock = await granted(ann.acquire(at('f'), { type: 'exclusive' }))
      const queued = async (seat: typeof ann, type: 'read' | 'exclusive') => {
        const answer = await seat.acquire(at('f'), { type, wait: 0.05 })
        return answer.status === 'queued' ? answer.ticket : ''
      }
      const first = await queued(bob, 'read')
      const alone = await queued(cat, 'exclusive')
      const second = await queued(dan, 'read')
      await ann.release(lock)
      const readers = [await granted(bob.claim(first, 5)), await granted(dan.claim(second, 5))]
      // While it waits, new readers do.
      expect(await ann.acquire(at('f'), { type: 'read', wait: 0.05 })).toMatchObject({
        status: 'queued',
      })
      await bob.release(readers[0] as { id: string })
      expect(await cat.claim(alone, 0)).toMatchObject({ status: 'queued' })
      await dan.release(readers[1] as { id: string })
      await granted(cat.claim(alone, 5))
    },
  },
  {
    title: 'locks §6: metadata has a lock beside the content’s',
    lacking: (door) => (isMcp(door) ? 'its acquire_lock takes no key' : undefined),
    async proof({ ann, at }) {
      const refusal = await refusalOf(ann.acquire(at('f'), { key: 'metadata' }))
      expect(refusal).toMatchObject({ code: 'invalid_request' })
      expect(refusal.detail).toContain('key')
    },
    async run({ ann, bob, at }) {
      await granted(ann.acquire(at('f'), { type: 'exclusive' }))
      await granted(bob.acquire(at('f'), { key: 'metadata' }))
      expect(await refusalOf(ann.acquire(at('f'), { key: 'metadata' }))).toMatchObject({
        code: 'lock_conflict',
        holders: [{ agent: bob.agent, key: 'metadata' }],
      })
    },
  },
  {
    title: 'locks §40: taken by force, with a reason for the holder and the audit',
    lacking: (door) => (isMcpOverHttp(door) ? 'it shows the core tools' : undefined),
    async proof({ ann, at }) {
      const lock = await granted(ann.acquire(at('f')))
      await expect(ann.force(lock, 'x')).rejects.toThrow()
      expect(await ann.locks(at('f'))).toEqual([lock.id])
    },
    async run({ ann, bob, at, house, guest }) {
      await house.appoint(bob.agent.replace('bob', 'sue'))
      const sue = await guest('sue')
      const lock = await granted(ann.acquire(at('f'), { type: 'exclusive' }))
      expect(await refusalOf(bob.force(lock, 'mine'))).toMatchObject({ code: 'forbidden' })
      await sue.force(lock, `${at('f')} hangs`)
      const told = (await ann.messages()).find(({ kind }) => kind === 'lost')
      expect(told?.text).toContain(`taken away by ${sue.agent}`)
      expect(await refusalOf(ann.write(at('f'), 'late'))).toMatchObject({
        code: 'lock_lost',
        reason: 'forced',
        why: `${at('f')} hangs`,
      })
      await bob.write(at('f'), 'mine')
      expect(await house.audit('lock-released')).toContain(`${at('f')} hangs`)
    },
  },
  {
    title: 'locks §31: a lock that expires with a delay keeps its path closed that long',
    lacking: (door) => (isMcp(door) ? 'its acquire_lock takes no lock_delay' : undefined),
    async proof({ ann, at }) {
      const refusal = await refusalOf(ann.acquire(at('f'), { lock_delay: 1 }))
      expect(refusal).toMatchObject({ code: 'invalid_request' })
      expect(refusal.detail).toContain('lock_delay')
    },
    async run({ ann, bob, at, house }) {
      const lock = await granted(ann.acquire(at('f'), { ttl: 20, lock_delay: 20 }))
      expect(await bob.locks(at('f'))).toEqual([lock.id])
      house.leap(25)
      await untilFree(bob, at('f'))
      const refusal = await refusalOf(bob.acquire(at('f')))
      expect(refusal).toMatchObject({
        code: 'lock_conflict',
        holders: [{ agent: ann.agent, closed_until: expect.any(String) }],
      })
      expect(refusal.detail).toContain('stays closed until')
      const opened = bob.acquire(at('f'), { wait: 25 })
      await house.untilWaiting(at('f'))
      house.leap(10)
      expect(await ann.waiting(at('f'))).toBe(1)
      house.leap(12)
      await granted(opened)
    },
  },
  {
    title: 'locks §44: how often and how long requests waited for a path',
    lacking: (door) => (isMcp(door) ? 'its list_locks takes no statistics' : undefined),
    async proof({ ann, at }) {
      expect(await refusalOf(ann.statistics(at('f')))).toMatchObject({ code: 'invalid_request' })
    },
    async run({ ann, bob, at, house }) {
      const lock = await granted(ann.acquire(at('f')))
      const waiting = bob.acquire(at('f'), { wait: 20 })
      await house.untilWaiting(at('f'))
      house.leap(2)
      await ann.release(lock)
      await granted(waiting)
      const [row] = await ann.statistics(at('f'))
      expect(row).toMatchObject({ path: at('f'), waiting: 0, waits: 1 })
      expect(row?.waited_s_total).toBeGreaterThanOrEqual(2)
    },
  },
]
