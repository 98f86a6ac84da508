import type { LockItem } from '../../src/contract/events.ts'
import type { Command } from '../../src/core/command.ts'
import type { State } from '../../src/core/state.ts'
import { actor } from '../core/world.ts'

/** The smallest world with everything in it: three sessions, a folder, a file in it, and another. */
export interface Scope {
  sessions: readonly string[]
  nodes: readonly string[]
  levels: readonly Level[]
}

export type Level = 'read' | 'stable' | 'write' | 'exclusive'

export const SMALL: Scope = {
  sessions: ['ann', 'bob', 'cyd'],
  nodes: ['/f', '/f/a', '/b'],
  levels: ['read', 'stable', 'write', 'exclusive'],
}

type Own = { id: number; owner: { session: string } }

/** Everything that can be asked in a state, once for sessions between which nothing differs. */
export function* commandsIn(state: State, scope: Scope): Generator<Command> {
  const told = new Set<string>()
  for (const who of scope.sessions) {
    const by = actor(who)
    const standing = standingOf(state, by.session)
    if (told.has(standing)) continue
    told.add(standing)
    const isOwn = (one: Own): boolean => one.owner.session === by.session
    for (const path of scope.nodes) {
      for (const level of scope.levels) {
        const items = [{ path, scope: 'file' as const, ...termsOf(level) }]
        yield { kind: 'acquire-lock', actor: by, items, renew: 'activity', queue: true }
      }
    }
    for (const { id } of [...state.locks.locks.values()].filter(isOwn)) {
      yield { kind: 'release-lock', actor: by, lock: id, force: false }
      yield { kind: 'expire-locks', locks: [{ lock: id, renewedAt: 0, unclaimed: false }] }
      for (const level of scope.levels) {
        const { level: to, ...rest } = termsOf(level)
        yield { kind: 'change-lock', actor: by, lock: id, to, queue: true, ...rest }
      }
    }
    for (const { id } of [...state.locks.tickets.values()].filter(isOwn)) {
      yield { kind: 'leave-queue', actor: by, ticket: id }
    }
  }
}

function termsOf(level: Level): Pick<LockItem, 'level'> & { stable?: boolean } {
  return level === 'stable' ? { level: 'read', stable: true } : { level }
}

/** A session seen by itself; sessions with nothing waiting that look the same are the same. */
function standingOf(state: State, session: string): string {
  const own = (one: Own): boolean => one.owner.session === session
  const tickets = [...state.locks.tickets.values()].filter(own).map((ticket) => ticket.id)
  return [holdsOf(state, session), ...tickets].join(' ')
}

function holdsOf(state: State, session: string): string {
  return [...state.locks.locks.values()]
    .filter((lock) => lock.owner.session === session)
    .map((lock) => `${itemsOf(lock.items)}${lock.recall === undefined ? '' : '!'}`)
    .sort()
    .join(',')
}

function itemsOf(items: readonly { path: string; mode: number }[]): string {
  return items.map((item) => `${item.path}${item.mode}`).join('+')
}

/**
 * A state without what makes no difference: numbers of locks and tickets, and which session is which.
 * Of places only their order counts.
 */
export function canonical(state: State): string {
  const { locks, tickets } = state.locks
  const queue = [...tickets.values()].sort(
    (a, b) => a.rank - b.rank || a.seq - b.seq || a.id - b.id,
  )
  const asked = queue.map((ticket) => {
    const raised = ticket.raises === undefined ? undefined : locks.get(ticket.raises)
    const what = raised === undefined ? '' : `^${itemsOf(raised.items)}`
    return `${itemsOf(ticket.items)}${what}`
  })
  const sessions = new Set([...locks.values(), ...tickets.values()].map((one) => one.owner.session))
  const all = [...sessions].map((session) => {
    const places = queue.flatMap((ticket, index) =>
      ticket.owner.session === session ? [`${index}:${asked[index]}`] : [],
    )
    return `${holdsOf(state, session)}?${places.join(',')}`
  })
  return all.sort().join(';')
}
