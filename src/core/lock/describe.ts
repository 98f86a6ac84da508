import { LIMITS } from '../../contract/limits.ts'
import { isoTime } from '../../contract/time.ts'
import type { Moment } from '../command.ts'
import { countWaiting, holdersInTheWay, type Wanted } from './conflict.ts'
import { conflictsOf, levelOf, MODES } from './mode.ts'
import type { Item, Lock, LockTable, LostLock, Owner, Ticket } from './table.ts'

/** How locks are told: the wire form of holders, and the words that refusals use. */

export interface HolderFacts {
  agent: string
  session: string
  lock: string
  level: 'read' | 'write' | 'exclusive'
  path: string
  intent?: string
  since: string
  expires_at: string
}

export function holderFacts(lock: Lock, item: Item, moment: Moment): HolderFacts {
  const facts: HolderFacts = {
    agent: lock.owner.agent,
    session: lock.owner.session,
    lock: `L${lock.id}`,
    level: levelOf(item.mode),
    path: item.path,
    since: isoTime(lock.grantedAt),
    expires_at: isoTime(moment.expiresAt(lock.id)),
  }
  if (lock.intent !== undefined) facts.intent = lock.intent
  return facts
}

/** Everybody in the way of the wanted paths, and how many wait already. */
export function obstacles(
  table: LockTable,
  wanted: readonly Wanted[],
  owners: readonly Owner[],
  moment: Moment,
): { holders: HolderFacts[]; waiting: number } {
  const holders: HolderFacts[] = []
  let waiting = 0
  for (const { path, mode } of wanted) {
    const room = LIMITS.holdersNamed - holders.length
    if (room > 0) {
      const found = holdersInTheWay(table, path, mode, owners, room)
      holders.push(...found.map(({ lock, item }) => holderFacts(lock, item, moment)))
    }
    waiting = Math.max(waiting, countWaiting(table, path, mode))
  }
  return { holders, waiting }
}

export function sentenceOf(holders: readonly HolderFacts[], waiting: number): string {
  const first = holders[0]
  if (first === undefined) return `${waiting} request(s) are ahead in the queue`
  const intent = first.intent === undefined ? '' : ` ("${first.intent}")`
  const more = holders.length > 1 ? ` and ${holders.length - 1} other hold(s)` : ''
  const queue = waiting > 0 ? `, ${waiting} waiting` : ''
  return (
    `${first.path} is held by ${first.session} (${first.level})${intent} until ` +
    `${first.expires_at} unless renewed${more}${queue}`
  )
}

export function lostSentence(lost: LostLock): string {
  const paths = lost.lock.items.map((item) => item.path).join(', ')
  const how: Record<string, string> = {
    released: 'was released',
    expired: `expired: its owner was not heard for ${lost.lock.ttlMs / 1000} s`,
    unclaimed: 'was granted but not claimed in time and passed on',
    'session-ended': 'ended with its session',
    forced: `was taken away by ${lost.by ?? 'a supervisor'}${lost.why === undefined ? '' : ` ("${lost.why}")`}`,
  }
  return `Lock L${lost.lock.id} on ${paths} ${how[lost.reason] ?? 'ended'} at ${isoTime(lost.at)}`
}

/** What a `lock_lost` refusal promises: how, by whom, when. */
export function lostFacts(lost: LostLock): Record<string, unknown> {
  const facts: Record<string, unknown> = {
    lock: `L${lost.lock.id}`,
    reason: lost.reason,
    lost_at: isoTime(lost.at),
    paths: lost.lock.items.map((item) => item.path),
  }
  if (lost.by !== undefined) facts.by = lost.by
  if (lost.why !== undefined) facts.why = lost.why
  return facts
}

/** 1: next in line among those that wait for the same paths and conflict with it. */
export function positionOf(ticket: Ticket): number {
  let ahead = 0
  for (const { node, mode } of ticket.items) {
    let here = 0
    for (let other = 0; other < MODES; other++) {
      if ((conflictsOf(mode) & (1 << other)) === 0) continue
      for (const earlier of node.queues[other]?.values() ?? []) {
        if (earlier.id >= ticket.id) break
        if (earlier.owner !== ticket.owner) here += 1
      }
    }
    ahead = Math.max(ahead, here)
  }
  return ahead + 1
}
