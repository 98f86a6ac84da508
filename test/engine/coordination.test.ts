import { describe, expect, it } from 'vitest'
import type { Settings } from '../../src/contract/events.ts'
import { EngineWorld, settle } from './world.ts'

async function withSupervisor(settings: Partial<Settings> = {}): Promise<EngineWorld> {
  const world = await EngineWorld.start(settings)
  await world.addAgent('sue', { role: 'supervisor' })
  return world
}

function notices(world: EngineWorld, who: string): Promise<string[]> {
  return world
    .call(who, 'workspace_status', {})
    .then(({ messages }) => messages.map(({ kind }) => kind))
}

async function queue(world: EngineWorld, who: string, path: string): Promise<string> {
  const queued = await world.call(who, 'acquire_lock', { path, queue: true })
  if (queued.status !== 'queued') throw new Error('granted')
  return queued.ticket
}

describe('recall', () => {
  it('locks §38–39: told, revoked at the deadline, and the late write kept as a draft', async () => {
    const world = await withSupervisor({ draft_kept_s: 60 })
    const lock = await world.lock('ann', '/f')
    await queue(world, 'bob', '/f')
    await world.clock.advance(10_000)
    const answer = await world.call('sue', 'recall_lock', { id: lock.lock.id, reason: 'lunch' })
    expect(answer.lock.recall).toMatchObject({ reason: 'supervisor', extended: false })
    expect(await notices(world, 'ann')).toEqual(['waiting', 'recalled'])
    await world.clock.advance(31_000)
    expect((await world.call('ann', 'list_locks', {})).locks[0]?.owner).toBe('bob')

    const late = world.call('ann', 'write_file', { path: '/f' }, 'my work')
    const problem = await late.then(
      () => undefined,
      (error) => error.problem,
    )
    expect(problem).toMatchObject({ code: 'lock_lost', reason: 'revoked', draft: /^D\d+$/ })
    const draft = problem.draft as string
    const kept = await world.answer('ann', 'read_draft', { draft })
    expect(Buffer.from(kept.content?.bytes ?? []).toString()).toBe('my work')
    expect((await world.call('ann', 'workspace_status', {})).drafts[0]).toMatchObject({
      draft,
      path: '/f',
      base: 0,
    })
    expect(await world.code(world.call('bob', 'read_draft', { draft }))).toBe('not_found')
    await world.clock.advance(60_000)
    expect(await world.code(world.call('ann', 'read_draft', { draft }))).toBe('not_found')
  })

  it('locks §38: extended once; released in time it is over', async () => {
    const world = await withSupervisor()
    const { lock } = await world.lock('ann', '/f')
    await queue(world, 'bob', '/f')
    await world.call('sue', 'recall_lock', { id: lock.id, reason: 'lunch' })
    const extended = await world.call('ann', 'extend_recall', { id: lock.id })
    expect(extended.lock.recall?.extended).toBe(true)
    expect(await world.code(world.call('ann', 'extend_recall', { id: lock.id }))).toBe('too_many')
    await world.clock.advance(60_000)
    expect((await world.call('ann', 'list_locks', {})).locks[0]?.owner).toBe('ann')
    await world.call('ann', 'release_lock', { id: lock.id })
    expect((await world.call('ann', 'list_locks', {})).locks[0]?.owner).toBe('bob')
  })

  it('locks §25: max_hold recalls even an active holder, while others wait', async () => {
    const world = await withSupervisor({ max_hold_s: 60, recall_grace_s: 10 })
    await world.lock('ann', '/f')
    await queue(world, 'bob', '/f')
    for (let second = 0; second < 75; second += 5) {
      await world.call('ann', 'workspace_status', {})
      await world.clock.advance(5000)
    }
    const { locks } = await world.call('ann', 'list_locks', {})
    expect(locks[0]?.owner).toBe('bob')
  })

  it('locks §38: by priority, in a workspace of that order, also by age alone', async () => {
    const world = await withSupervisor({ order: 'priority', recall_grace_s: 10 })
    await world.lock('ann', '/f', { priority: 5, ttl: 3600 })
    await queue(world, 'bob', '/f')
    await world.clock.advance(14_000)
    expect((await world.call('ann', 'list_locks', {})).locks[0]?.recall).toBeUndefined()
    await world.clock.advance(3000)
    expect((await world.call('ann', 'list_locks', {})).locks[0]?.recall?.reason).toBe('priority')
    await world.clock.advance(11_000)
    expect((await world.call('ann', 'list_locks', {})).locks[0]?.owner).toBe('bob')
  })

  it('locks §28: a recall goes on after a restart', async () => {
    const world = await withSupervisor()
    const { lock } = await world.lock('ann', '/f', { ttl: 3600 })
    await queue(world, 'bob', '/f')
    await world.call('sue', 'recall_lock', { id: lock.id, reason: 'lunch', grace: 20 })
    await world.crash()
    await world.call('bob', 'list_locks', {})
    await world.clock.advance(30_000)
    expect((await world.call('ann', 'list_locks', {})).locks[0]?.owner).toBe('bob')
  })
})

describe('notices', () => {
  it('locks §37: a holder hears who waits, a question, and its asker the answer', async () => {
    const world = await withSupervisor()
    const { lock } = await world.lock('ann', '/f')
    const caller = await world.caller('ann')
    const told: string[] = []
    const stop = world.engine.onNotice(caller, (_workspace, list) => {
      told.push(...list.map(({ text }) => text))
    })
    await queue(world, 'bob', '/f')
    const { ask } = await world.call('bob', 'ask_holder', { id: lock.id, message: 'how long?' })
    await settle()
    expect(told).toEqual([
      expect.stringContaining('bob:default waits for /f'),
      expect.stringContaining('"how long?"'),
    ])
    stop()
    await world.call('ann', 'answer_ask', { ask, answer: 'estimate', estimate_s: 30 })
    const bob = await world.caller('bob')
    expect(world.engine.untoldNotices(bob, 'main')).toBe(1)
    expect(world.engine.takeNotices(bob, 'main')[0]?.text).toContain('needs about 30 s')
    expect(world.engine.takeNotices(bob, 'main')).toEqual([])
    const answered = await world.call('ann', 'answer_ask', { ask, answer: 'yield' })
    expect(answered).toEqual({ answered: true, released: true })
  })

  it('locks §37–39: a status shows no message of what is over', async () => {
    const world = await withSupervisor()
    const { lock } = await world.lock('ann', '/f')
    const ticket = await queue(world, 'bob', '/f')
    const [waiting] = (await world.call('ann', 'workspace_status', {})).messages
    expect(waiting).toMatchObject({ kind: 'waiting', lock: lock.id, ticket })
    await world.call('bob', 'leave_queue', { ticket })
    expect(await notices(world, 'ann')).toEqual([])

    const { ask } = await world.call('bob', 'ask_holder', { id: lock.id, message: 'how long?' })
    expect(await notices(world, 'ann')).toEqual(['asked'])
    await world.call('ann', 'answer_ask', { ask, answer: 'no' })
    expect(await notices(world, 'ann')).toEqual([])
    expect(await notices(world, 'bob')).toEqual(['answered'])

    await queue(world, 'bob', '/f')
    await world.call('sue', 'recall_lock', { id: lock.id, reason: 'lunch' })
    expect(await notices(world, 'ann')).toEqual(['waiting', 'recalled'])
    await world.call('ann', 'release_lock', { id: lock.id })
    expect(await notices(world, 'ann')).toEqual([])
  })

  it('locks §37: of a lock that was passed on or lost, its holder hears that alone', async () => {
    const world = await withSupervisor()
    const { lock } = await world.lock('ann', '/f')
    await world.caller('bob')
    const handed = await world.call('ann', 'handover_lock', { id: lock.id, to: 'bob' })
    await queue(world, 'cyd', '/f')
    expect(await notices(world, 'bob')).toEqual(['handed_over', 'waiting'])
    await world.call('sue', 'release_lock', { id: handed.lock.id, force: true, reason: 'lunch' })
    expect(await notices(world, 'bob')).toEqual(['lost'])
  })

  it('locks §38: when a recall is over its holder hears that too', async () => {
    const world = await withSupervisor({ max_hold_s: 20, recall_grace_s: 10 })
    const { lock } = await world.lock('ann', '/f')
    const ann = await world.caller('ann')
    const ticket = await queue(world, 'bob', '/f')
    await world.clock.advance(21_000)
    expect(await notices(world, 'ann')).toEqual(['waiting', 'recalled'])
    await world.call('bob', 'leave_queue', { ticket })
    await world.clock.advance(11_000)
    expect(world.engine.takeNotices(ann, 'main')).toMatchObject([
      {
        kind: 'recall_ended',
        lock: lock.id,
        paths: ['/f'],
        text: expect.stringContaining('Go on'),
      },
    ])
    expect(await notices(world, 'ann')).toEqual(['recall_ended'])
  })

  it('locks §1: a read lock pins its version, and hears of a newer one', async () => {
    const world = await withSupervisor()
    const { version } = await world.call('ann', 'write_file', { path: '/f' }, 'one')
    const held = await world.lock('bob', '/f', { level: 'read' })
    expect(held.versions).toEqual({ '/f': version })
    await world.call('ann', 'write_file', { path: '/f' }, 'two')
    expect(await notices(world, 'bob')).toEqual(['changed'])
    expect(await notices(world, 'ann')).toEqual([])
    expect(await world.text('bob', '/f', version)).toBe('one')
  })

  it('locks §41: who is handed a lock hears of it; the old token is worth nothing', async () => {
    const world = await withSupervisor()
    const { lock, token } = await world.lock('ann', '/f')
    await world.caller('bob')
    const handed = await world.call('ann', 'handover_lock', { id: lock.id, to: 'bob' })
    expect(handed).toMatchObject({ was: lock.id, lock: { owner: 'bob' } })
    expect(handed.lock.fence).toBeGreaterThan(lock.fence)
    expect(await notices(world, 'bob')).toEqual(['handed_over'])
    const late = world.call('cyd', 'write_file', { path: '/f', locks: [token] }, 'x')
    expect(await world.code(late)).toBe('lock_lost')
    expect((await world.lock('bob', '/f')).already_held).toBe(true)
    expect((await world.lock('bob', '/f')).token).not.toBe(token)
  })

  it('locks §41: to nobody, to one of several sessions, to oneself', async () => {
    const world = await withSupervisor()
    const { lock } = await world.lock('ann', '/f')
    const to = (name: string) => world.call('ann', 'handover_lock', { id: lock.id, to: name })
    expect(await world.code(to('bob'))).toBe('not_found')
    await world.caller('bob', 'one')
    await world.caller('bob', 'two')
    expect(await world.code(to('bob'))).toBe('invalid_request')
    expect((await to('ann')).lock.id).toBe(lock.id)
    expect((await to('bob:two')).lock.session).toBe('bob:two')
  })
})

describe('ranges', () => {
  it('locks §5: lines become bytes of a named version', async () => {
    const world = await withSupervisor()
    const text = 'one\ntwo\nthree\nfour'
    const { version } = await world.call('ann', 'write_file', { path: '/f' }, text)
    const lines = { from: 2, to: 3, version }
    const held = await world.lock('ann', '/f', { lines })
    expect(held.lock.items[0]?.range).toEqual({ start: 4, end: 14 })
    expect(
      (await world.lock('bob', '/f', { lines: { from: 4, version } })).lock.items[0],
    ).toMatchObject({ range: { start: 14 } })
    const beyond = world.lock('cyd', '/f', { lines: { from: 9, to: 9, version } })
    expect(await world.code(beyond)).toBe('range_invalid')
    await world.call('ann', 'patch_file', {
      path: '/f',
      edits: [{ oldText: 'two', newText: 'TWO and a half' }],
    })
    expect(await world.code(world.lock('cyd', '/f', { lines: { from: 1, to: 1, version } }))).toBe(
      'stale_version',
    )
  })

  it('locks §5: two edit one file at once, each in its range, and both stand', async () => {
    const world = await withSupervisor()
    const text = '# A\naaaa\n# B\nbbbb\n'
    const { version } = await world.call('ann', 'write_file', { path: '/f' }, text)
    await world.lock('ann', '/f', { lines: { from: 2, to: 2, version } })
    await world.lock('bob', '/f', { lines: { from: 4, to: 4, version } })
    await world.call('ann', 'patch_file', {
      path: '/f',
      replace: { text: 'much longer\nthan before\n' },
    })
    await world.call('bob', 'patch_file', { path: '/f', replace: { text: 'short\n' } })
    await world.call('ann', 'patch_file', {
      path: '/f',
      edits: [{ oldText: 'much longer', newText: 'a' }],
    })
    expect(await world.text('ann', '/f')).toBe('# A\na\nthan before\n# B\nshort\n')
    const other = world.call('ann', 'patch_file', {
      path: '/f',
      edits: [{ oldText: 'short', newText: 'mine' }],
    })
    expect(await world.code(other)).toBe('locked')
    const outside = world.call('ann', 'patch_file', {
      path: '/f',
      replace: { text: 'x', range: { start: 90, end: 99 } },
    })
    expect(await world.code(outside)).toBe('range_invalid')
  })

  it('locks §5: repeated text does not lead an edit out of its range', async () => {
    const world = await withSupervisor()
    await world.call('ann', 'write_file', { path: '/f' }, 'aaaaaaaaaa')
    await world.lock('ann', '/f', { range: { start: 2, end: 4 } })
    const bob = await world.lock('bob', '/f', { range: { start: 6, end: 8 } })
    await world.call('ann', 'patch_file', { path: '/f', replace: { text: 'a' } })
    const held = await world.call('bob', 'get_lock', { id: bob.lock.id })
    expect(held.lock.items[0]?.range).toEqual({ start: 5, end: 7 })
  })
})

describe('explaining', () => {
  it('locks §44: who blocks whom, for how long, and how long requests waited', async () => {
    const world = await withSupervisor()
    const { lock } = await world.lock('ann', '/f')
    const first = await queue(world, 'bob', '/f')
    await queue(world, 'cyd', '/f')
    await world.clock.advance(4000)
    const { waiting } = await world.call('sue', 'list_locks', {})
    expect(waiting[0]).toMatchObject({
      waited_s: 4,
      position: 1,
      blocked_by: [{ agent: 'ann', lock: lock.id, path: '/f' }],
    })
    expect(waiting[1]?.blocked_by).toMatchObject([{ lock: lock.id }, { ticket: first }])
    await world.call('ann', 'release_lock', { id: lock.id })
    const { statistics } = await world.call('sue', 'list_locks', { statistics: true })
    expect(statistics).toEqual([
      { path: '/f', waiting: 1, waits: 1, waited_s_total: 4, waited_s_longest: 4 },
    ])
  })

  it('locks §17: a waiting request whose version was passed is told so', async () => {
    const world = await withSupervisor()
    const { version } = await world.call('ann', 'write_file', { path: '/f' }, 'one')
    const { lock } = await world.lock('ann', '/f')
    const asked = world.call('bob', 'acquire_lock', { path: '/f', if_version: version, wait: 20 })
    await settle()
    await world.call('ann', 'write_file', { path: '/f' }, 'two')
    await world.call('ann', 'release_lock', { id: lock.id })
    expect(await world.code(asked)).toBe('stale_version')
  })

  it('locks §31: lost with a delay, the paths stay closed and are listed as that', async () => {
    const world = await withSupervisor()
    await world.lock('ann', '/f', { ttl: 1, lock_delay: 60 })
    await world.clock.advance(2000)
    const { closed, locks } = await world.call('sue', 'list_locks', {})
    expect(locks).toEqual([])
    expect(closed).toMatchObject([{ path: '/f', agent: 'ann', closed_until: expect.any(String) }])
    const asked = world.call('bob', 'acquire_lock', { path: '/f', queue: true })
    expect(await asked).toMatchObject({ status: 'queued', holders: [{ agent: 'ann' }] })
    const { waiting } = await world.call('sue', 'list_locks', {})
    const { agent, session, lock, closed_until } = closed[0] as (typeof closed)[0]
    const blockers = [{ agent, session, path: '/f', lock, closed_until }]
    expect(waiting).toMatchObject([{ agent: 'bob', blocked_by: blockers }])
    await world.clock.advance(60_000)
    expect((await world.call('sue', 'list_locks', {})).locks[0]?.owner).toBe('bob')
  })
})

describe('snapshots', () => {
  it('I13: a snapshot holds all of the lock manager’s state', async () => {
    const world = await withSupervisor({ order: 'priority', wins_in_a_row: 2 })
    await world.call('ann', 'write_file', { path: '/text' }, 'one\ntwo\n')
    await world.lock('ann', '/text', { range: { start: 0, end: 4 } })
    await world.lock('bob', '/text', { key: 'metadata' })
    const hot = await world.lock('ann', '/hot', { priority: 1, lock_delay: 30 })
    await queue(world, 'bob', '/hot')
    await world.call('cyd', 'acquire_lock', { path: '/hot', queue: true, priority: 9 })
    await world.call('cyd', 'acquire_lock', {
      items: [{ path: '/q/1' }, { path: '/hot' }],
      any: 2,
      queue: true,
    })
    await world.call('sue', 'recall_lock', { id: hot.lock.id, reason: 'because', grace: 3600 })
    await world.call('ann', 'extend_recall', { id: hot.lock.id })
    await world.call('bob', 'ask_holder', { id: hot.lock.id, message: 'soon?' })
    await world.lock('ann', '/closed', { ttl: 1, renew: 'explicit', lock_delay: 60 })
    await world.clock.advance(2000)
    await world.code(world.call('ann', 'write_file', { path: '/closed' }, 'late'))
    const seen = async () => ({
      locks: await world.call('sue', 'list_locks', {}),
      status: await world.call('ann', 'workspace_status', {}),
    })
    const before = await seen()
    expect(before.status.drafts).toHaveLength(1)
    // From the snapshot, then from the ledger alone.
    await world.restart()
    expect(plain(await seen())).toEqual(plain(before))
    world.tables.clear()
    await world.crash()
    expect(plain(await seen())).toEqual(plain(before))
  })
})

/** Leases begin anew at a start, and the words of notices are memory only. */
function plain(seen: unknown): unknown {
  const text = JSON.stringify(seen, (key, value) =>
    ['expires_at', 'server_time', 'messages', 'revision'].includes(key) ? undefined : value,
  )
  return JSON.parse(text)
}

describe('drafts', () => {
  it('locks §39: a large late write is kept too, with its bytes', async () => {
    const world = await withSupervisor()
    const { lock } = await world.lock('ann', '/f')
    await world.call('sue', 'release_lock', { id: lock.id, force: true, reason: 'lunch' })
    const large = new Uint8Array(200_000).fill(7)
    const late = await world
      .call('ann', 'write_file', { path: '/f' }, large)
      .catch((error) => error)
    expect(late.problem).toMatchObject({ code: 'lock_lost', draft: /^D\d+$/ })
    const kept = await world.answer('ann', 'read_draft', { draft: late.problem.draft })
    expect(kept.content?.size).toBe(200_000)
  })
})
