import fc from 'fast-check'
import type { Command } from '../../src/core/command.ts'
import { actor, type World } from '../core/world.ts'

/**
 * What somebody does next, as plain data: which lock or ticket is meant is a number that is taken
 * among those that there are, so that any list of recipes can be played, and cut when one fails.
 */
export type Recipe = { who: string; after: number } & (
  | {
      do: 'acquire'
      paths: string[]
      level: 'read' | 'write' | 'exclusive'
      stable: boolean
      queue: boolean
      priority: number
      subtree: boolean
      any: number
      ttl: number
    }
  | {
      do: 'range'
      start: number
      size: number
      level: 'read' | 'write' | 'exclusive'
      queue: boolean
    }
  | { do: 'metadata'; path: string; queue: boolean }
  | {
      do: 'change'
      which: number
      to: 'read' | 'write' | 'exclusive'
      stable: boolean
      queue: boolean
    }
  | { do: 'release' | 'leave' | 'recall'; which: number }
  | { do: 'hand over'; which: number; to: string }
  | { do: 'end'; reason: 'ended' | 'idle' }
  | { do: 'expire' | 'follow up' }
  | { do: 'write'; path: string }
  | { do: 'splice'; start: number; size: number; text: number }
)

export const SESSIONS = ['ann', 'bob', 'bob:2', 'cyd']
const PATHS = ['/', '/f', '/f/a', '/f/a/x', '/b', '/c.txt']

const who = fc.constantFrom(...SESSIONS)
const path = fc.constantFrom(...PATHS)
const level = fc.constantFrom('read' as const, 'write' as const, 'exclusive' as const)
const often = fc.oneof(
  { weight: 3, arbitrary: fc.constant(true) },
  { weight: 1, arbitrary: fc.constant(false) },
)
const rarely = often.map((yes) => !yes)
const which = fc.nat(20)
const start = fc.nat(12)
const size = fc.nat(4)
const base = { who, after: fc.oneof(fc.constant(0), fc.nat(3000)) }

const acquire = fc.record({
  ...base,
  do: fc.constant('acquire' as const),
  paths: fc.array(path, { minLength: 1, maxLength: 3 }),
  level,
  stable: rarely,
  queue: often,
  priority: fc.nat(9),
  subtree: rarely,
  any: fc.oneof(
    { weight: 6, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.constantFrom(1, 2) },
  ),
  ttl: fc.constantFrom(1000, 5000, 20_000),
})

export const recipe: fc.Arbitrary<Recipe> = fc.oneof(
  { weight: 10, arbitrary: acquire },
  {
    weight: 3,
    arbitrary: fc.record({
      ...base,
      do: fc.constant('range' as const),
      start,
      size,
      level,
      queue: often,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ ...base, do: fc.constant('metadata' as const), path, queue: often }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      ...base,
      do: fc.constant('change' as const),
      which,
      to: level,
      stable: rarely,
      queue: often,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      ...base,
      do: fc.constantFrom(
        'release' as const,
        'release' as const,
        'leave' as const,
        'recall' as const,
      ),
      which,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ ...base, do: fc.constant('hand over' as const), which, to: who }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      ...base,
      do: fc.constant('end' as const),
      reason: fc.constantFrom('ended' as const, 'idle' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ ...base, do: fc.constantFrom('expire' as const, 'follow up' as const) }),
  },
  { weight: 2, arbitrary: fc.record({ ...base, do: fc.constant('write' as const), path }) },
  {
    weight: 2,
    arbitrary: fc.record({
      ...base,
      do: fc.constant('splice' as const),
      start,
      size,
      text: fc.nat(3),
    }),
  },
)

/** The command that a recipe comes to here and now; undefined where it has nothing to be about. */
export function commandOf(world: World, recipe: Recipe): Command | undefined {
  const { state } = world
  const by = actor(recipe.who)
  const own = <T extends { owner: { session: string } }>(all: Iterable<T>): T[] =>
    [...all].filter((one) => one.owner.session === by.session)
  const locks = own(state.locks.locks.values())
  const lock = 'which' in recipe ? locks[recipe.which % Math.max(1, locks.length)] : undefined
  const terms = { kind: 'acquire-lock', actor: by, renew: 'activity' } as const
  switch (recipe.do) {
    case 'acquire': {
      const { paths, level, stable, queue, priority, subtree, any, ttl } = recipe
      const items = paths.map((one) => ({
        path: one,
        level,
        stable: stable && level === 'read',
        ...(subtree ? { scope: 'subtree' as const } : {}),
      }))
      const choice = any > 0 && any < paths.length ? { any } : {}
      return { ...terms, items, queue, priority, ttlMs: ttl, ...choice }
    }
    case 'range': {
      const { start: from, size: bytes, level, queue } = recipe
      const range = bytes === 0 ? { start: from } : { start: from, end: from + bytes }
      return { ...terms, items: [{ path: '/c.txt', level, range }], queue }
    }
    case 'metadata': {
      const items = [{ path: recipe.path, level: 'write' as const, key: 'metadata' as const }]
      return { ...terms, items, queue: recipe.queue }
    }
    case 'change':
      if (lock === undefined) return undefined
      return {
        kind: 'change-lock',
        actor: by,
        lock: lock.id,
        to: recipe.to,
        stable: recipe.stable,
        queue: recipe.queue,
      }
    case 'release':
      return lock && { kind: 'release-lock', actor: by, lock: lock.id, force: false }
    case 'recall': {
      const sue = actor('sue', 'supervisor')
      return lock && { kind: 'recall-lock', actor: sue, lock: lock.id, reason: 'why' }
    }
    case 'leave': {
      const tickets = own(state.locks.tickets.values())
      const ticket = tickets[recipe.which % Math.max(1, tickets.length)]
      return ticket && { kind: 'leave-queue', actor: by, ticket: ticket.id }
    }
    case 'hand over':
      return lock && { kind: 'hand-over-lock', actor: by, lock: lock.id, to: actor(recipe.to) }
    case 'end':
      return { kind: 'end-session', session: by.session, reason: recipe.reason }
    case 'expire':
      return {
        kind: 'expire-locks',
        locks: [...state.locks.locks.keys()].map((id) => ({
          lock: id,
          renewedAt: 0,
          unclaimed: false,
        })),
      }
    case 'follow up':
      return {
        kind: 'follow-up',
        locks: [...state.locks.locks.keys()],
        tickets: [...state.locks.tickets.keys()],
        closed: [...state.locks.closed.keys()],
        drafts: [],
      }
    case 'write':
      return writeOf(recipe.who, recipe.path)
    case 'splice':
      return spliceOf(world, recipe)
  }
}

function writeOf(who: string, path: string): Command | undefined {
  if (path === '/' || path === '/c.txt') return undefined
  const content = { sha256: 'x', size: 1 }
  return commit(who, { kind: 'write', how: 'write', path, content })
}

function spliceOf(world: World, { who, start, size, text }: Recipe & { do: 'splice' }): Command {
  const { version, length } = world.file('/c.txt')
  const from = Math.min(start, length)
  const end = Math.min(from + size, length)
  return commit(who, {
    kind: 'write',
    how: 'edit',
    path: '/c.txt',
    content: { sha256: 'x', size: length - (end - from) + text },
    onto: version,
    splice: { start: from, end, size: text },
  })
}

function commit(
  who: string,
  change: Extract<Command, { kind: 'commit' }>['changes'][number],
): Command {
  return { kind: 'commit', actor: actor(who), changes: [change], locks: [], release: false }
}
