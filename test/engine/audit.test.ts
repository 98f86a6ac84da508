import { describe, expect, it } from 'vitest'
import type { ShownEvent } from '../../src/contract/events.ts'
import { EndedLocks } from '../../src/core/lock/ended-locks.ts'
import { EngineWorld, settle } from './world.ts'

async function rows(world: EngineWorld, who: string, input = {}) {
  return (await world.call(who, 'query_audit', input)).rows
}

describe('audit', () => {
  it('contract §11: every decision is there, refused ones too, with who and what and why', async () => {
    const world = await EngineWorld.start()
    await world.call('ann', 'open_session', { name: 'run', about: { model: 'm-1' } })
    await world.lock('ann:run', '/f', { intent: 'edit' })
    await world.code(world.call('bob', 'write_file', { path: '/f' }, 'x'))
    await world.call('ann:run', 'write_file', { path: '/f', message: 'done' }, 'x')
    const all = await rows(world, 'admin')
    expect(all.map((row) => [row.kind, row.outcome])).toEqual([
      ['files-committed', 'done'],
      ['write_file', 'refused'],
      ['lock-acquired', 'done'],
    ])
    expect(all[1]).toMatchObject({ agent: 'bob', code: 'locked', paths: ['/f'], count: 1 })
    expect(all[2]).toMatchObject({ agent: 'ann', session: 'ann:run', about: { model: 'm-1' } })
    expect(all[0]?.detail).toContain('done')
  })

  it('contract §11: filters by agent, path, kind and outcome, in pages', async () => {
    const world = await EngineWorld.start()
    for (const who of ['ann', 'bob']) {
      for (let i = 0; i < 3; i++) await world.call(who, 'write_file', { path: `/${who}/${i}` }, 'x')
    }
    expect(await rows(world, 'admin', { agent: 'ann' })).toHaveLength(3)
    expect(await rows(world, 'admin', { path: '/bob' })).toHaveLength(3)
    expect(await rows(world, 'admin', { kind: 'lock-acquired' })).toHaveLength(0)
    const page = await world.call('admin', 'query_audit', { limit: 4 })
    expect(page.more).toBe(true)
    const before = page.rows.at(-1)?.revision as number
    const rest = await world.call('admin', 'query_audit', { limit: 4, before })
    expect(rest).toMatchObject({ more: false, rows: [{}, {}] })
  })

  it('contract §11: the same refusal again and again is counted, one event a second', async () => {
    const world = await EngineWorld.start()
    await world.lock('ann', '/f')
    const before = world.engine.revision('main') as number
    for (let i = 0; i < 50; i++) await world.code(world.call('bob', 'acquire_lock', { path: '/f' }))
    await world.clock.advance(3_000)
    const refused = await rows(world, 'admin', { outcome: 'refused' })
    expect(refused.reduce((sum, row) => sum + row.count, 0)).toBe(50)
    expect((world.engine.revision('main') as number) - before).toBeLessThanOrEqual(2)
  })

  it('contract §11: agents see their own rows, supervisors all', async () => {
    const world = await EngineWorld.start()
    await world.call('ann', 'write_file', { path: '/f' }, 'x')
    await world.call('bob', 'write_file', { path: '/g' }, 'x')
    expect(await rows(world, 'bob')).toHaveLength(1)
    expect(await world.code(rows(world, 'bob', { agent: 'ann' }))).toBe('forbidden')
    await world.addAgent('sue', { role: 'supervisor' })
    expect((await rows(world, 'sue')).map(({ agent, kind }) => [agent, kind])).toEqual([
      ['bob', 'query_audit'],
      ['bob', 'files-committed'],
      ['ann', 'files-committed'],
    ])
  })

  it('contract §11: verify finds what was altered in the ledger', async () => {
    const world = await EngineWorld.start()
    for (let i = 0; i < 5; i++) await world.call('ann', 'write_file', { path: `/${i}` }, 'x')
    const fine = await world.call('admin', 'verify_audit', {})
    expect(fine).toMatchObject({ ok: true, from: 1, to: 5 })
    const disk = world.ledgers.get('main')
    const row = disk?.rows[2] as { payload: Uint8Array }
    row.payload = Uint8Array.from(row.payload, (byte, i) => (i === 10 ? byte ^ 1 : byte))
    const bad = await world.call('admin', 'verify_audit', {})
    expect(bad.ok).toBe(false)
    expect(bad.fault).toContain('revision 3')
    expect(await world.code(world.call('ann', 'verify_audit', {}))).toBe('forbidden')
  })

  it('contract §11: neither audit nor watch ever shows a secret', async () => {
    const world = await EngineWorld.start()
    const { token } = await world.lock('ann', '/f', { request_id: 'secret-request' })
    const all = JSON.stringify(await rows(world, 'admin'))
    expect(all).not.toContain(token.split('.')[1])
    expect(all).not.toContain('secret-request')
  })
})

describe('watch', () => {
  async function collect(
    world: EngineWorld,
    who: string,
    query: { since?: number; path?: string },
  ): Promise<{ events: ShownEvent[]; stop: () => void; failed: Promise<unknown> }> {
    const stop = new AbortController()
    const events: ShownEvent[] = []
    const caller = await world.caller(who)
    const run = async () => {
      const watch = world.engine.watch(caller, {
        workspace: 'main',
        since: query.since ?? 0,
        ...(query.path === undefined ? {} : { path: query.path }),
        signal: stop.signal,
      })
      for await (const batch of watch) events.push(...batch)
    }
    return { events, stop: () => stop.abort(), failed: run().catch((error: unknown) => error) }
  }

  it('I11, locks §43: a watch is the exact slice of the stream, from the past into the present', async () => {
    const world = await EngineWorld.start()
    for (let i = 0; i < 5; i++) await world.call('ann', 'write_file', { path: `/${i}` }, 'x')
    const watch = await collect(world, 'bob', { since: 2 })
    await settle()
    for (let i = 5; i < 9; i++) await world.call('ann', 'write_file', { path: `/${i}` }, 'x')
    await settle()
    expect(watch.events.map((event) => event.revision)).toEqual([3, 4, 5, 6, 7, 8, 9])
    watch.stop()
    expect(await watch.failed).toBeUndefined()
  })

  it('locks §43: it can be narrowed to a path, and shows nothing that may not be read', async () => {
    const world = await EngineWorld.start()
    await world.addAgent('eve', { rights: [{ path: '/hidden', access: 'none' }] })
    const narrow = await collect(world, 'bob', { path: '/docs' })
    const limited = await collect(world, 'eve', {})
    await world.call('ann', 'write_file', { path: '/docs/a' }, 'x')
    await world.call('ann', 'write_file', { path: '/hidden/b' }, 'x')
    await settle()
    expect(narrow.events).toHaveLength(1)
    expect(limited.events.map((event) => event.revision)).toEqual([1])
    narrow.stop()
    limited.stop()
  })

  const QUICK = { max_hold_s: 1, minimum_hold_s: 0, recall_grace_s: 2 }

  /** What becomes of locks and requests on one path, and of others beside it. */
  async function ends(world: EngineWorld): Promise<string[]> {
    await world.addAgent('sue', { role: 'supervisor' })
    const bob = await world.call('admin', 'open_session', { agent: 'bob', name: 'run' })
    const queue = async (who: string) => {
      const queued = await world.call(who, 'acquire_lock', { path: '/docs/a', queue: true })
      if (queued.status !== 'queued') throw new Error('granted')
      return queued.ticket
    }
    const { lock } = await world.lock('ann', '/docs/a', { lock_delay: 5 })
    const other = await world.lock('ann', '/other')
    const ticket = await queue('cyd')
    const { ask } = await world.call('cyd', 'ask_holder', { id: lock.id, message: 'soon?' })
    await world.call('ann', 'answer_ask', { ask, answer: 'no' })
    await world.clock.advance(2000)
    await world.call('ann', 'extend_recall', { id: lock.id })
    await world.call('cyd', 'leave_queue', { ticket })
    await world.clock.advance(5000)
    const given = await world.call('ann', 'handover_lock', { id: lock.id, to: bob.id })
    const again = await world.call('bob:run', 'handover_lock', { id: given.lock.id, to: 'ann' })
    await queue('cyd')
    await world.call('sue', 'recall_lock', { id: again.lock.id, reason: 'lunch', grace: 1 })
    await world.call('ann', 'release_lock', { id: other.lock.id })
    await world.clock.advance(15_000)
    return [
      'lock-acquired',
      'lock-queued',
      'holder-asked',
      'ask-answered',
      'lock-recalled',
      'recall-extended',
      'ticket-left',
      'recall-ended',
      'lock-handed-over',
      'lock-handed-over',
      'lock-queued',
      'lock-recalled',
      'lock-released',
      'lock-opened',
      'lock-acquired',
    ]
  }

  it('I11, locks §43: of a path it shows how locks and requests ended, now and ever after', async () => {
    const world = await EngineWorld.start(QUICK)
    const live = await collect(world, 'bob', { path: '/docs' })
    const kinds = await ends(world)
    expect(live.events.map((event) => event.kind)).toEqual(kinds)
    live.stop()

    const { revision } = live.events[0] as ShownEvent
    const reads = async (since: number) => {
      const watch = await collect(world, 'bob', { path: '/docs', since })
      await settle()
      watch.stop()
      return watch.events
    }
    expect(await reads(0)).toEqual(live.events)
    await world.restart()
    expect(await reads(0)).toEqual(live.events)
    // So long ago that only the ledger knows.
    const { state } = world.engine.streamOf('main')
    state.locks.ended = new EndedLocks()
    for (const [id] of [...state.asks.entries()]) state.asks.delete(id)
    for (let since = revision; since <= (world.engine.revision('main') ?? 0); since++) {
      expect(await reads(since)).toEqual(live.events.filter((event) => event.revision > since))
    }
  })

  it('locks §43: who may not read a path does not hear how its locks end', async () => {
    const world = await EngineWorld.start(QUICK)
    await world.addAgent('eve', { rights: [{ path: '/docs', access: 'none' }] })
    const watch = await collect(world, 'eve', {})
    await ends(world)
    expect(watch.events.map((event) => event.kind)).toEqual([
      'workspace-set',
      'lock-acquired',
      'lock-released',
    ])
    watch.stop()
  })

  it('the audit of a path has how its locks ended', async () => {
    const world = await EngineWorld.start(QUICK)
    const kinds = await ends(world)
    const found = await rows(world, 'admin', { path: '/docs' })
    expect(found.map((row) => row.kind).toReversed()).toEqual(kinds)
    expect(new Set(found.flatMap((row) => row.paths))).toEqual(new Set(['/docs/a']))
  })

  it('a watcher that does not read costs nothing and misses nothing', async () => {
    const world = await EngineWorld.start()
    const caller = await world.caller('bob')
    const stop = new AbortController()
    const watch = world.engine.watch(caller, { workspace: 'main', since: 0, signal: stop.signal })
    const reader = watch[Symbol.asyncIterator]()
    await world.call('ann', 'write_file', { path: '/0' }, 'x')
    expect((await reader.next()).value).toHaveLength(1)
    for (let i = 1; i <= 100; i++) {
      const changes = Array.from({ length: 1 }, () => ({
        op: 'append' as const,
        path: '/log',
        text: 'x',
      }))
      await world.call('ann', 'commit', { changes })
    }
    const seen: number[] = []
    while (seen.length < 100)
      seen.push(...(await reader.next()).value.map((one: ShownEvent) => one.revision))
    expect(seen).toEqual(Array.from({ length: 100 }, (_, i) => i + 2))
    stop.abort()
  })

  it('a cursor from the future is refused', async () => {
    const world = await EngineWorld.start()
    const watch = await collect(world, 'bob', { since: 99 })
    expect(await watch.failed).toMatchObject({ code: 'invalid_request' })
  })
})

describe('principals', () => {
  it('contract §10: tokens are stored hashed, work until revoked, and belong to one agent', async () => {
    const world = await EngineWorld.start()
    const { token } = await world.call('admin', 'create_token', { name: 'ann' })
    expect(world.engine.authenticate(token)).toEqual({ name: 'ann', role: 'agent' })
    expect(world.engine.authenticate(`${token}x`)).toBeUndefined()
    const stored = JSON.stringify([...(world.ledgers.get('(server)')?.rows ?? [])].map(String))
    expect(stored).not.toContain(token)
    await world.restart()
    expect(world.engine.authenticate(token)?.name).toBe('ann')
    await world.call('admin', 'create_token', { name: 'ann', revoke_others: true })
    expect(world.engine.authenticate(token)).toBeUndefined()
  })

  it('contract §10: only admins manage, and the last admin stays', async () => {
    const world = await EngineWorld.start()
    expect(await world.code(world.call('ann', 'put_agent', { name: 'x' }))).toBe('forbidden')
    expect(await world.code(world.call('ann', 'list_agents', {}))).toBe('forbidden')
    expect(await world.code(world.call('admin', 'delete_agent', { name: 'admin' }))).toBe(
      'invalid_request',
    )
  })

  it('contract §10: removing an agent ends its sessions and gives its locks back', async () => {
    const world = await EngineWorld.start()
    await world.lock('ann', '/f')
    await world.call('admin', 'delete_agent', { name: 'ann' })
    expect((await world.call('bob', 'list_locks', {})).locks).toHaveLength(0)
  })

  it('contract §10: group rights apply where the agent has none of its own', async () => {
    const world = await EngineWorld.start()
    await world.call('admin', 'put_group', {
      name: 'readers',
      rights: [{ path: '/', access: 'read' }],
    })
    await world.addAgent('eve', { group: 'readers', rights: [{ path: '/eve', access: 'write' }] })
    expect(await world.code(world.call('eve', 'write_file', { path: '/f' }, 'x'))).toBe('forbidden')
    await world.call('eve', 'write_file', { path: '/eve/f' }, 'x')
    await world.call('admin', 'put_group', { name: 'readers', rights: [] })
    expect(await world.code(world.call('eve', 'read_file', { path: '/f' }))).toBe('forbidden')
    await world.addAgent('eve')
    await world.call('eve', 'write_file', { path: '/f' }, 'x')
  })

  it('principals never share a session', async () => {
    const world = await EngineWorld.start()
    await expect(world.caller('ann', 'bob:default')).rejects.toMatchObject({ code: 'forbidden' })
    const odd = world.engine.callerOf({ name: 'ann', role: 'agent' }, { session: 'no/slash' })
    await expect(odd).rejects.toMatchObject({ code: 'invalid_request' })
  })
})
