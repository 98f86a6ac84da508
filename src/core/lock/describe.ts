import type { LockItem } from '../../contract/events.ts'
import { LIMITS } from '../../contract/limits.ts'
import { isoTime } from '../../contract/time.ts'
import { TAKE_BACK } from '../../contract/wording.ts'
import type { Moment } from '../command.ts'
import { countWaiting, holdersInTheWay, type Wanted } from './conflict.ts'
import { conflictsOf, levelOf, MODES } from './mode.ts'
import { isAhead } from './order.ts'
import { factOf } from './request.ts'
import type { HeldItem, LockTable, LostLock, Owner, Ticket } from './table.ts'
import { modeOnNode } from './table.ts'

/** How locks are told: the wire form of holders, and the words that refusals use. */

export interface HolderFacts {
  agent: string
  session: string
  lock: string
  level: 'read' | 'write' | 'exclusive'
  path: string
  range?: { start: number; end?: number }
  key?: 'metadata'
  intent?: string
  /** A session of the very agent that asks. */
  own?: 'gone' | 'there'
  since: string
  expires_at: string
  /** Recalled: it ends then, unless it is given back before. */
  recalled_until?: string
  /** Lost by its holder; closed to everybody until then. */
  closed_until?: string
}

export function holderFacts(item: HeldItem, moment: Moment): HolderFacts {
  const lock = item.by
  const ends = lock.closedUntil ?? moment.expiresAt(lock.id)
  const facts: HolderFacts = {
    agent: lock.owner.agent,
    session: lock.owner.session,
    lock: `L${lock.id}`,
    level: levelOf(item.mode),
    path: item.path,
    since: isoTime(lock.heldSince),
    expires_at: isoTime(ends),
  }
  const { range, key } = factOf(item)
  if (range !== undefined) facts.range = optionalEnd(range)
  if (key !== undefined) facts.key = key
  if (lock.intent !== undefined) facts.intent = lock.intent
  if (lock.recall !== undefined) facts.recalled_until = isoTime(lock.recall.deadline)
  if (lock.closedUntil !== undefined) facts.closed_until = isoTime(lock.closedUntil)
  return facts
}

function optionalEnd({ start, end }: NonNullable<LockItem['range']>) {
  return end === undefined ? { start } : { start, end }
}

/** Everybody in the way of the wanted paths, and how many wait already. `agent`: who asks. */
export function obstacles(
  table: LockTable,
  wanted: readonly Wanted[],
  owners: readonly Owner[],
  moment: Moment,
  agent: string,
): { holders: HolderFacts[]; waiting: number } {
  const holders: HolderFacts[] = []
  let waiting = 0
  for (const one of wanted) {
    const room = LIMITS.holdersNamed - holders.length
    if (room > 0) {
      const found = holdersInTheWay(table, one, owners, room)
      holders.push(...found.map((item) => ownMarked(holderFacts(item, moment), agent, moment)))
    }
    waiting = Math.max(waiting, countWaiting(table, one))
  }
  return { holders, waiting }
}

function ownMarked(facts: HolderFacts, agent: string, moment: Moment): HolderFacts {
  if (facts.agent !== agent || facts.closed_until !== undefined) return facts
  return { ...facts, own: moment.isGone?.(facts.session) === true ? 'gone' : 'there' }
}

export function sentenceOf(holders: readonly HolderFacts[], waiting: number): string {
  const first = holders[0]
  if (first === undefined) return `${waiting} request(s) are ahead in the queue`
  const intent = first.intent === undefined ? '' : ` ("${first.intent}")`
  const more = holders.length > 1 ? ` and ${holders.length - 1} other hold(s)` : ''
  const queue = waiting > 0 ? `, ${waiting} waiting` : ''
  if (first.closed_until !== undefined) {
    return (
      `${first.path} stays closed until ${first.closed_until}, because ${first.session} lost its ` +
      `lock without giving it back${more}${queue}`
    )
  }
  const ends =
    first.recalled_until === undefined
      ? `until ${first.expires_at} unless renewed`
      : `and recalled: it ends at ${first.recalled_until} at the latest`
  const held = `${first.path}${bytesOf(first)} is held by ${first.session} (${first.level})${intent} ${ends}`
  return `${held}${more}${queue}${ownSentence(first)}`
}

/** Who meets its own earlier run must not be sent to ask it. */
function ownSentence({ own, lock }: HolderFacts): string {
  if (own === undefined) return ''
  if (own === 'there') return '. It is another session of your own agent'
  return (
    `. It is an earlier session of your own agent, which is gone: ` +
    `take ${lock} back with ${TAKE_BACK}`
  )
}

function bytesOf({ range }: HolderFacts): string {
  if (range === undefined) return ''
  return ` from byte ${range.start}${range.end === undefined ? ' on' : ` to ${range.end}`}`
}

export function lostSentence(lost: LostLock): string {
  const paths = lost.lock.items.map((item) => item.path).join(', ')
  const how: Record<string, string> = {
    released: 'was released',
    expired: `expired: its owner was not heard for ${lost.lock.ttlMs / 1000} s`,
    unclaimed: 'was granted but not claimed in time and passed on',
    'session-ended': 'ended with its session',
    revoked: 'was recalled and not given back in time',
    'handed-over': `was handed over${lost.by === undefined ? '' : ` to ${lost.by}`}`,
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

/** 1: next in line among those that wait for the same and conflict with it. */
export function positionOf(ticket: Ticket): number {
  let ahead = 0
  for (const item of ticket.items) {
    const { node } = item
    let here = 0
    for (let other = 0; other < MODES; other++) {
      if ((conflictsOf(modeOnNode(item)) & (1 << other)) === 0) continue
      const line = node.lines?.[other]
      if (line === undefined) continue
      here += line.countAhead(ticket)
      for (const own of ticket.owner.tickets) if (line.has(own) && isAhead(own, ticket)) here -= 1
    }
    for (const other of node.ranges?.waiting.overlapping(item.range ?? NOWHERE) ?? []) {
      const isInWay = (conflictsOf(item.mode) & (1 << other.mode)) !== 0
      if (isInWay && isAhead(other.by as Ticket, ticket)) here += 1
    }
    ahead = Math.max(ahead, here)
  }
  return ahead + 1
}

const NOWHERE = { start: -1, end: -1 }
