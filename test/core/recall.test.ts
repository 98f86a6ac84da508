import { describe, expect, it } from 'vitest'
import { actor, granted, World } from './world.ts'

function recalled(world: World, lock: number) {
  return world.state.locks.locks.get(lock)?.recall
}

function recall(world: World, who: string, lock: number, role: 'agent' | 'supervisor' | 'human') {
  return world.run({
    kind: 'recall-lock',
    actor: actor(who, role),
    lock,
    reason: 'the release is today',
  })
}

describe('recall', () => {
  it('locks §38: by a supervisor, with a deadline; agents may not', () => {
    const world = new World()
    const lock = granted(world.acquire('ann', '/a', 'write'))
    expect(recall(world, 'bob', lock, 'agent').refusal?.code).toBe('forbidden')
    world.at += 10_000
    recall(world, 'sue', lock, 'human')
    expect(recalled(world, lock)).toMatchObject({
      reason: 'supervisor',
      deadline: world.at + 30_000,
      why: 'the release is today',
    })
  })

  it('locks §38: a minimum hold of 5 s comes first', () => {
    const world = new World()
    const lock = granted(world.acquire('ann', '/a', 'write'))
    recall(world, 'sue', lock, 'supervisor')
    expect(recalled(world, lock)?.deadline).toBe(world.at + 35_000)
  })

  it('locks §39: at the deadline that one hold is revoked, nothing else of its owner', () => {
    const world = new World()
    const lock = granted(world.acquire('ann', '/a', 'write'))
    const other = granted(world.acquire('ann', '/b', 'write'))
    recall(world, 'sue', lock, 'supervisor')
    world.at += 34_999
    expect(world.followUp().events).toEqual([])
    world.at += 1
    const step = world.followUp()
    expect(step.events).toMatchObject([{ kind: 'lock-released', lock, reason: 'revoked' }])
    expect([...world.state.locks.locks.keys()]).toEqual([other])
    expect(world.write('ann', '/a', 'late').refusal).toMatchObject({
      code: 'lock_lost',
      data: { reason: 'revoked' },
    })
  })

  it('locks §38: one extension, no second', () => {
    const world = new World()
    const lock = granted(world.acquire('ann', '/a', 'write'))
    const extend = () => world.run({ kind: 'extend-recall', actor: actor('ann'), lock })
    expect(extend().refusal?.code).toBe('invalid_request')
    recall(world, 'sue', lock, 'supervisor')
    extend()
    expect(recalled(world, lock)?.deadline).toBe(world.at + 65_000)
    expect(extend().refusal?.code).toBe('too_many')
    world.at += 40_000
    expect(world.followUp().events).toEqual([])
    world.at += 25_000
    expect(world.followUp().events).toHaveLength(1)
  })

  it('locks §38: when a waiter is more urgent by 3, in a workspace with priorities', () => {
    const world = new World({ order: 'priority' })
    const lock = granted(world.acquire('ann', '/a', 'write', { priority: 4 }))
    world.acquire('bob', '/a', 'write', { queue: true, priority: 6 })
    expect(world.followUp().events).toEqual([])
    // One step of age makes 7.
    world.at += 5000
    const step = world.followUp()
    expect(step.events).toMatchObject([
      { kind: 'lock-recalled', lock, reason: 'priority', for: 'bob', deadline: world.at + 30_000 },
    ])
    world.at += 30_000
    const revoked = world.followUp()
    expect(revoked.events.map((event) => event.kind)).toEqual(['lock-released', 'lock-acquired'])
    expect(world.holders).toEqual(['bob'])
  })

  it('locks §38: not in a workspace that goes by ticket', () => {
    const world = new World()
    granted(world.acquire('ann', '/a', 'write', { priority: 0 }))
    world.acquire('bob', '/a', 'write', { queue: true, priority: 9 })
    world.at += 100_000
    expect(world.followUp().events).toEqual([])
  })

  it('locks §38: a cool-down of 30 s before the same agent is preferred again', () => {
    const world = new World({ order: 'priority' })
    granted(world.acquire('ann', '/a', 'write', { priority: 1 }))
    const second = granted(world.acquire('ann', '/b', 'write', { priority: 1 }))
    world.acquire('bob', '/a', 'write', { queue: true, priority: 9 })
    expect(world.followUp().events).toHaveLength(1)
    world.acquire('bob:2', '/b', 'write', { queue: true, priority: 9 })
    world.at += 29_999
    expect(world.followUp().events).toEqual([])
    world.at += 1
    expect(world.followUp().events).toContainEqual(
      expect.objectContaining({ kind: 'lock-recalled', lock: second }),
    )
  })

  it('locks §25: at max_hold, while somebody waits', () => {
    const world = new World({ max_hold_s: 100 })
    const lock = granted(world.acquire('ann', '/a', 'write', { ttlMs: 86_400_000 }))
    world.at += 200_000
    expect(world.followUp().events).toEqual([])
    world.acquire('bob', '/a', 'write', { queue: true })
    const step = world.followUp()
    expect(step.events).toMatchObject([{ kind: 'lock-recalled', lock, reason: 'max-hold' }])
  })

  it('locks §25: max_hold counts from the first grant, through raises and a handover', () => {
    const world = new World({ max_hold_s: 100 })
    const lock = granted(world.acquire('ann', '/a', 'read', { ttlMs: 86_400_000, stable: true }))
    world.acquire('bob', '/a', 'exclusive', { queue: true })
    world.at += 50_000
    world.change('ann', lock, 'write')
    const to = { agent: 'cyd', session: 'cyd:default', role: 'agent', rights: [] } as const
    const step = world.run({ kind: 'hand-over-lock', actor: actor('ann'), lock, to })
    const handed = step.events[0]?.revision
    world.at += 49_999
    expect(world.followUp().events).toEqual([])
    world.at += 1
    expect(world.followUp().events).toMatchObject([
      { kind: 'lock-recalled', lock: handed, reason: 'max-hold' },
    ])
  })

  it('locks §38: an extension is as long as what the supervisor gave', () => {
    const world = new World()
    const lock = granted(world.acquire('ann', '/a', 'write'))
    world.at += 10_000
    const recall = { kind: 'recall-lock', actor: actor('sue', 'supervisor'), lock } as const
    world.run({ ...recall, reason: 'now', graceMs: 2000 })
    world.run({ kind: 'extend-recall', actor: actor('ann'), lock })
    expect(recalled(world, lock)?.deadline).toBe(world.at + 4000)
  })

  it('locks §38: it ends when nobody waits any more', () => {
    const world = new World({ max_hold_s: 100 })
    const lock = granted(world.acquire('ann', '/a', 'write', { ttlMs: 86_400_000 }))
    const [queued] = world.acquire('bob', '/a', 'write', { queue: true }).events
    world.at += 100_000
    world.followUp()
    const ticket = queued?.revision as number
    world.run({ kind: 'leave-queue', actor: actor('bob'), ticket })
    world.at += 30_000
    expect(world.followUp().events).toMatchObject([{ kind: 'recall-ended', lock }])
    expect(world.holders).toEqual(['ann'])
  })

  it('locks §38: a weaker lock that nobody minds is kept', () => {
    const world = new World({ max_hold_s: 100 })
    const lock = granted(world.acquire('ann', '/a', 'exclusive', { ttlMs: 86_400_000 }))
    world.acquire('bob', '/a', 'read', { queue: true })
    world.at += 100_000
    world.followUp()
    world.change('ann', lock, 'write')
    expect(world.holders).toEqual(['ann', 'bob'])
    world.at += 30_000
    expect(world.followUp().events).toMatchObject([{ kind: 'recall-ended' }])
  })

  it('locks §41: handing it over does not shake off a recall', () => {
    const world = new World()
    const lock = granted(world.acquire('ann', '/a', 'write'))
    recall(world, 'sue', lock, 'supervisor')
    world.run({ kind: 'hand-over-lock', actor: actor('ann'), lock, to: actor('bob') })
    world.at += 35_000
    expect(world.followUp().events).toMatchObject([{ kind: 'lock-released', reason: 'revoked' }])
  })
})

describe('asking', () => {
  const ask = (world: World, who: string, lock: number) =>
    world.run({ kind: 'ask-holder', actor: actor(who), lock, message: 'may I?' })

  it('locks §37: costs nothing and forces nothing; the holder answers', () => {
    const world = new World()
    const lock = granted(world.acquire('ann', '/a', 'write'))
    const [asked] = ask(world, 'bob', lock).events
    expect(asked).toMatchObject({ kind: 'holder-asked', to: { session: 'ann:default' } })
    expect(world.holders).toEqual(['ann'])
    const answer = (who: string, said: 'yield' | 'no') =>
      world.run({
        kind: 'answer-ask',
        actor: actor(who),
        ask: asked?.revision as number,
        answer: said,
      })
    expect(answer('bob', 'yield').refusal?.code).toBe('not_found')
    expect(answer('ann', 'no').events).toHaveLength(1)
    expect(world.holders).toEqual(['ann'])
    expect(answer('ann', 'yield').events.map((event) => event.kind)).toEqual([
      'ask-answered',
      'lock-released',
    ])
  })

  it('locks §37: not oneself, not a lock that is gone, not without end', () => {
    const world = new World()
    const lock = granted(world.acquire('ann', '/a', 'write'))
    expect(ask(world, 'ann', lock).refusal?.code).toBe('invalid_request')
    for (let i = 0; i < 20; i++) ask(world, 'bob', lock)
    expect(ask(world, 'bob', lock).refusal?.code).toBe('too_many')
    world.release('ann', lock)
    expect(ask(world, 'bob', lock).refusal?.code).toBe('lock_lost')
  })
})

describe('the lock delay', () => {
  it('locks §31: keeps a lost lock closed to everybody, and opens it in time', () => {
    const world = new World()
    const lock = granted(world.acquire('ann', '/a', 'write', { ttlMs: 1000, delayMs: 5000 }))
    world.acquire('bob', '/a', 'write', { queue: true })
    world.at += 1000
    expect(world.expire().events).toMatchObject([
      { kind: 'lock-released', reason: 'expired', closedUntil: world.at + 5000 },
    ])
    expect(world.acquire('ann', '/a', 'write').refusal).toMatchObject({
      code: 'lock_conflict',
      data: { holders: [{ lock: `L${lock}`, closed_until: expect.any(String) }] },
    })
    expect(world.write('cyd', '/a', 'x').refusal?.code).toBe('locked')
    world.at += 4999
    expect(world.followUp().events).toEqual([])
    world.at += 1
    expect(world.followUp().events.map((event) => event.kind)).toEqual([
      'lock-opened',
      'lock-acquired',
    ])
  })

  it('locks §31: not after a release, nor when a session ends on purpose', () => {
    const world = new World({ lock_delay_s: 5 })
    world.release('ann', granted(world.acquire('ann', '/a', 'write')))
    granted(world.acquire('bob', '/a', 'write'))
    world.run({ kind: 'end-session', session: 'bob:default', reason: 'ended' })
    granted(world.acquire('cyd', '/a', 'write'))
    world.run({ kind: 'end-session', session: 'cyd:default', reason: 'disconnected' })
    expect(world.acquire('dee', '/a', 'write').refusal?.code).toBe('lock_conflict')
  })

  it('locks §40: a supervisor may open it', () => {
    const world = new World({ lock_delay_s: 60 })
    const lock = granted(world.acquire('ann', '/a', 'write'))
    world.run({ kind: 'end-session', session: 'ann:default', reason: 'disconnected' })
    world.acquire('bob', '/a', 'write', { queue: true })
    const force = {
      kind: 'release-lock',
      lock,
      force: true,
      reason: 'nothing runs outside',
    } as const
    const step = world.run({ ...force, actor: actor('sue', 'human') })
    expect(step.events.map((event) => event.kind)).toEqual(['lock-opened', 'lock-acquired'])
  })
})
