import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'vitest'
import { granted, refusalOf, type Scenario } from './scenarios.ts'

/** Two agents and one lock, told at every door: what becomes of holds, and who goes first. */
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
    isMain: true,
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
    isMain: true,
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
      await house.set({ minimum_hold_s: 0, recall_grace_s: 1 })
      try {
        const lock = await granted(ann.acquire(at('f')))
        await house.recall(lock.id, 'it is needed', 1)
        const told = (await ann.messages()).find(({ kind }) => kind === 'recalled')
        expect(told?.text).toContain('it is needed')
        await ann.extend(lock)
        expect(await refusalOf(ann.extend(lock))).toMatchObject({ code: 'too_many' })
        for (let tries = 0; (await ann.locks(at('f'))).length > 0 && tries < 100; tries++) {
          await delay(100)
        }
        expect(await refusalOf(ann.write(at('f'), 'late'))).toMatchObject({
          code: 'lock_lost',
          reason: 'revoked',
          draft: expect.stringMatching(/^D\d+$/),
        })
      } finally {
        await house.set({ minimum_hold_s: 5, recall_grace_s: 30 })
      }
    },
  },
  {
    title: 'locks §41: handed over without a gap; the giver may not write any more',
    async run({ ann, bob, at }) {
      const lock = await granted(ann.acquire(at('f'), { type: 'exclusive' }))
      await ann.handOver(lock, await bob.session())
      expect((await bob.messages()).map(({ kind }) => kind)).toContain('handed_over')
      expect(await refusalOf(ann.write(at('f'), 'mine'))).toMatchObject({
        code: 'lock_lost',
        reason: 'handed-over',
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
        for (let tries = 0; (await ann.waiting(at('f'))) === 0 && tries < 100; tries++)
          await delay(20)
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
]
