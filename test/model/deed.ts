import fc from 'fast-check'
import type { Command, CommitChange } from '../../src/core/command.ts'
import { actor, type World } from '../core/world.ts'

/**
 * What somebody does next, as plain data. Locks and tickets are meant by number among those that
 * there are, so that any list of deeds can be played, and cut down when it shows something.
 */
export type Deed = { who: string; after: number } & (
  | {
      do: 'acquire'
      items: { path: string; level: Level; stable: boolean; subtree: boolean }[]
      range: { start: number; end?: number } | undefined
      metadata: boolean
      any: number
      queue: boolean
      priority: number
      ttlMs: number
      delayMs: number | undefined
      ifVersion: 'none' | 'current' | 'wrong'
    }
  | { do: 'change'; which: number; to: Level; stable: boolean; queue: boolean }
  | { do: 'release' | 'recall' | 'extend'; which: number }
  | { do: 'leave' | 'force'; which: number }
  | { do: 'hand over'; which: number; to: string }
  | { do: 'end'; reason: 'ended' | 'idle' }
  | { do: 'expire' | 'follow up' | 'release all' }
  /** `under`: no lock, those of its own on the path, or one by number, which may be long gone. */
  | { do: 'write' | 'append'; path: string; under: 'none' | 'own' | 'old'; which: number }
  | { do: 'move'; path: string; to: string }
  | { do: 'delete'; path: string }
  | { do: 'splice'; start: number; size: number; text: number }
)

type Level = 'read' | 'write' | 'exclusive'

export const SESSIONS = ['ann', 'bob', 'bob:2', 'cyd', 'dee']
const PATHS = ['/', '/f', '/f/a', '/f/a/x', '/b', '/c.txt']

const base = {
  who: fc.constantFrom(...SESSIONS),
  after: fc.oneof(fc.constant(0), fc.nat(2500)),
}
const path = fc.constantFrom(...PATHS)
const level = fc.constantFrom<Level>('read', 'write', 'exclusive')
const mostly = fc.constantFrom(true, true, true, false)
const rarely = fc.constantFrom(false, false, false, true)
const which = fc.nat(9)
const range: fc.Arbitrary<{ start: number; end?: number }> = fc
  .record({ start: fc.nat(12), size: fc.nat(5) })
  .map(({ start, size }) => (size === 0 ? { start } : { start, end: start + size }))

const acquire = fc.record({
  ...base,
  do: fc.constant('acquire' as const),
  items: fc.array(fc.record({ path, level, stable: rarely, subtree: rarely }), {
    minLength: 1,
    maxLength: 3,
  }),
  range: fc.option(range, { nil: undefined, freq: 2 }),
  metadata: fc.constantFrom(false, false, false, false, false, true),
  any: fc.constantFrom(0, 0, 0, 0, 1, 2),
  queue: mostly,
  priority: fc.nat(9),
  ttlMs: fc.constantFrom(1000, 5000, 20_000),
  delayMs: fc.constantFrom(undefined, undefined, undefined, 0, 2000),
  ifVersion: fc.constantFrom(...(['none', 'none', 'none', 'current', 'current', 'wrong'] as const)),
})

/** A deed of one of these names; `rest` is what else it says. */
function deedOf<N extends string, T>(
  names: readonly N[],
  rest: { [K in keyof T]: fc.Arbitrary<T[K]> },
) {
  return fc
    .tuple(base.who, base.after, fc.constantFrom(...names), fc.record<T>(rest))
    .map(([who, after, name, more]) => ({ who, after, do: name, ...more }))
}

export const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 14, arbitrary: acquire },
  {
    weight: 4,
    arbitrary: deedOf(['change'], { which, to: level, stable: rarely, queue: mostly }),
  },
  {
    weight: 6,
    arbitrary: deedOf(
      ['release', 'release', 'release', 'release', 'leave', 'leave', 'recall', 'recall', 'extend'],
      { which },
    ),
  },
  { weight: 1, arbitrary: deedOf(['force'], { which }) },
  { weight: 1, arbitrary: deedOf(['hand over'], { which, to: base.who }) },
  {
    weight: 1,
    arbitrary: deedOf(['end'], { reason: fc.constantFrom('ended' as const, 'idle' as const) }),
  },
  { weight: 2, arbitrary: deedOf(['expire', 'follow up', 'release all'], {}) },
  {
    weight: 2,
    arbitrary: deedOf(['write', 'append'], {
      path,
      under: fc.constantFrom(...(['none', 'own', 'own', 'old'] as const)),
      which,
    }),
  },
  { weight: 1, arbitrary: deedOf(['move'], { path, to: path }) },
  { weight: 1, arbitrary: deedOf(['delete'], { path }) },
  {
    weight: 3,
    arbitrary: deedOf(['splice'], { start: fc.nat(12), size: fc.nat(4), text: fc.nat(3) }),
  },
)

/** One line: who does what, after how long, and what differs from the usual. */
export function said({ who, after, do: what, ...rest }: Deed): string {
  const usual = new Set<unknown>([false, undefined, 0, 'none'])
  const words = Object.entries(rest)
    .filter(([, value]) => !usual.has(value))
    .map(([name, value]) => `${name} ${JSON.stringify(value)}`)
  return `+${after} ms ${who}: ${what} ${words.join(', ')}`
}

export const START = write('ann', '/c.txt', 12)

/** The command that it comes to here and now; undefined where it has nothing to be about. */
export function commandOf(world: World, one: Deed): Command | undefined {
  const { locks, tickets, closed } = world.state.locks
  const by = actor(one.who)
  const own = <T extends { owner: { session: string } }>(all: Iterable<T>): T | undefined => {
    const mine = [...all].filter(({ owner }) => owner.session === by.session)
    return 'which' in one ? mine[one.which % Math.max(1, mine.length)] : undefined
  }
  const lock = own(locks.values())?.id
  if (isOnLock(one)) return lock === undefined ? undefined : onLock(one, lock)
  switch (one.do) {
    case 'acquire':
      return acquireOf(world, one)
    case 'force': {
      const [first] = locks.keys()
      const sue = actor('sue', 'supervisor')
      if (first === undefined) return undefined
      return { kind: 'release-lock', actor: sue, lock: first, force: true, reason: 'why' }
    }
    case 'leave': {
      const ticket = own(tickets.values())?.id
      return ticket === undefined ? undefined : { kind: 'leave-queue', actor: by, ticket }
    }
    case 'end':
      return { kind: 'end-session', session: by.session, reason: one.reason }
    case 'release all':
      return { kind: 'release-all', actor: by }
    case 'expire': {
      const all = [...locks.keys()]
      return {
        kind: 'expire-locks',
        locks: all.map((id) => ({ lock: id, renewedAt: 0, unclaimed: false })),
      }
    }
    case 'follow up':
      return {
        kind: 'follow-up',
        locks: [...locks.keys()],
        tickets: [...tickets.keys()],
        closed: [...closed.keys()],
        drafts: [],
      }
    case 'write':
    case 'append':
    case 'splice':
    case 'move':
    case 'delete':
      return changeOf(world, one)
  }
}

type OnLock = Deed & { do: 'change' | 'release' | 'recall' | 'extend' | 'hand over' }

function isOnLock(one: Deed): one is OnLock {
  return ['change', 'release', 'recall', 'extend', 'hand over'].includes(one.do)
}

function onLock(one: OnLock, lock: number): Command {
  const by = actor(one.who)
  switch (one.do) {
    case 'change': {
      const { to, stable, queue } = one
      return { kind: 'change-lock', actor: by, lock, to, stable, queue }
    }
    case 'release':
      return { kind: 'release-lock', actor: by, lock, force: false }
    case 'recall': {
      const sue = actor('sue', 'supervisor')
      return { kind: 'recall-lock', actor: sue, lock, reason: 'why' }
    }
    case 'extend':
      return { kind: 'extend-recall', actor: by, lock }
    case 'hand over':
      return { kind: 'hand-over-lock', actor: by, lock, to: actor(one.to) }
  }
}

function acquireOf(world: World, one: Deed & { do: 'acquire' }): Command {
  const { queue, priority, ttlMs, delayMs } = one
  const wanted = one.range === undefined ? one.items : one.items.slice(0, 1)
  const version = (path: string): number | undefined => {
    if (one.ifVersion === 'none') return undefined
    return world.file(path).version + (one.ifVersion === 'wrong' ? 1 : 0)
  }
  const items = wanted.map(({ path, level, stable, subtree }) => {
    const name = one.range === undefined ? path : '/c.txt'
    return {
      path: name,
      level,
      stable: stable && level === 'read',
      range: one.range,
      ifVersion: version(name),
      ...(one.metadata && one.range === undefined ? { key: 'metadata' as const } : {}),
      ...(subtree && one.range === undefined && !one.metadata ? { scope: 'subtree' as const } : {}),
    }
  })
  return {
    kind: 'acquire-lock',
    actor: actor(one.who),
    renew: 'activity',
    ...{ items, queue, priority, ttlMs, delayMs },
    ...(one.any > 0 && one.any < items.length ? { any: one.any } : {}),
  }
}

function changeOf(
  world: World,
  one: Deed & { do: 'write' | 'append' | 'splice' | 'move' | 'delete' },
): Command | undefined {
  if (one.do === 'move') {
    const { path, to } = one
    return commit(one.who, { kind: 'move', path, to, overwrite: false })
  }
  if (one.do === 'delete')
    return commit(one.who, { kind: 'delete', path: one.path, recursive: true })
  const path = one.do === 'splice' ? '/c.txt' : one.path
  const { version, length } = world.file(path)
  if (one.do === 'splice') {
    const start = Math.min(one.start, length)
    const end = Math.min(start + one.size, length)
    const size = length - (end - start) + one.text
    return commit(one.who, {
      ...{ kind: 'write', how: 'edit', path, content: { sha256: 'x', size }, onto: version },
      splice: { start, end, size: one.text },
    })
  }
  if (path === '/') return undefined
  const under = locksUnder(world, one)
  if (one.do === 'write') return write(one.who, path, 12, version, under)
  const content = { sha256: 'x', size: length + 2 }
  return commit(one.who, { kind: 'write', how: 'append', path, content, onto: version }, under)
}

function locksUnder(world: World, one: Deed & { do: 'write' | 'append' }): number[] {
  const { session } = actor(one.who)
  if (one.under === 'none') return []
  if (one.under === 'old') {
    const granted = world.events.filter(({ kind }) => kind === 'lock-acquired')
    return granted.slice(-1 - one.which, granted.length - one.which).map(({ revision }) => revision)
  }
  return [...world.state.locks.locks.values()]
    .filter(({ owner, items }) => {
      return owner.session === session && items.every(({ path }) => path === one.path)
    })
    .map(({ id }) => id)
}

function write(
  who: string,
  path: string,
  size: number,
  ifVersion?: number,
  locks: number[] = [],
): Command {
  const content = { sha256: 'x', size }
  const condition = ifVersion === undefined || ifVersion === 0 ? {} : { ifVersion }
  return commit(who, { kind: 'write', how: 'write', path, content, ...condition }, locks)
}

function commit(who: string, change: CommitChange, locks: number[] = []): Command {
  return { kind: 'commit', actor: actor(who), changes: [change], locks, release: false }
}
