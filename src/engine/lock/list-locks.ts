import { fail } from '../../contract/errors.ts'
import { LIMITS } from '../../contract/limits.ts'
import type { Output, Parsed } from '../../contract/operations.ts'
import { foldPath, isUnder } from '../../contract/path.ts'
import { isoTime } from '../../contract/time.ts'
import { mayRead } from '../../core/agent/rights.ts'
import { holdersInTheWay } from '../../core/lock/conflict.ts'
import { holderFacts, positionOf } from '../../core/lock/describe.ts'
import { levelOf, MODE } from '../../core/lock/mode.ts'
import { USUAL_PRIORITY } from '../../core/lock/order.ts'
import { findNode, type HeldItem, type LockTable, type Ticket } from '../../core/lock/table.ts'
import { WaitsFor } from '../../core/lock/waits-for.ts'
import type { Reader } from '../handler.ts'
import { lockFacts } from './lock-answers.ts'
import type { WaitStatistics } from './wait-statistics.ts'

/** The lock table, as one caller may see it (locks §44). */
export function listLocks(
  reader: Reader,
  input: Parsed<'list_locks'>,
  statistics: WaitStatistics,
): Output<'list_locks'> {
  const { state, actor, moment } = reader
  const concerns = (path: string): boolean =>
    input.path === undefined ||
    isUnder(path, input.path, state.locks.portable) ||
    isUnder(input.path, path, state.locks.portable)
  const isVisible = (paths: readonly string[]): boolean =>
    paths.some(concerns) && paths.every((path) => mayRead(actor.rights, state, path))
  const result: Output<'list_locks'> = { locks: [], waiting: [], closed: [], more: false }
  const after = listCursor(input.cursor)
  for (const lock of state.locks.locks.values()) {
    if (lock.id <= after.lock) continue
    if (input.owner !== undefined && lock.owner.agent !== input.owner) continue
    if (!isVisible(lock.items.map((item) => item.path))) continue
    if (result.locks.length >= input.limit) {
      result.more = true
      break
    }
    result.locks.push(lockFacts(lock, moment))
    after.lock = lock.id
  }
  for (const ticket of state.locks.tickets.values()) {
    if (ticket.id <= after.ticket) continue
    const paths = ticket.items.map((item) => item.path)
    if (input.owner !== undefined && ticket.owner.agent !== input.owner) continue
    if (!isVisible(paths)) continue
    if (result.waiting.length >= input.limit) {
      result.more = true
      break
    }
    result.waiting.push({
      ticket: `T${ticket.id}`,
      agent: ticket.owner.agent,
      session: ticket.owner.session,
      level: levelOf(ticket.items[0]?.mode ?? MODE.R),
      paths,
      ...(ticket.intent === undefined ? {} : { intent: ticket.intent }),
      since: isoTime(ticket.since),
      waited_s: (moment.at - ticket.since) / 1000,
      position: positionOf(ticket),
      priority: ticket.priority ?? USUAL_PRIORITY,
      ...(ticket.any === undefined ? {} : { any: ticket.any }),
      ...(ticket.raises === undefined ? {} : { raises: `L${ticket.raises}` }),
      blocked_by: blockersOf(state.locks, ticket),
    })
    after.ticket = ticket.id
  }
  if (result.more) result.cursor = `L${after.lock}T${after.ticket}`
  // These are few and soon over, so they all come with the first answer.
  for (const closed of input.cursor === undefined ? state.locks.closed.values() : []) {
    if (result.closed.length >= input.limit) break
    if (input.owner !== undefined && closed.owner.agent !== input.owner) continue
    if (!isVisible(closed.items.map((item) => item.path))) continue
    result.closed.push(...closed.items.map((item) => holderFacts(item as HeldItem, moment)))
  }
  if (input.statistics === true) {
    result.statistics = statistics
      .list()
      .filter(([path]) => isVisible([path]))
      .slice(0, input.limit)
      .map(([path, { waits, totalMs, longestMs }]) => ({
        path,
        waiting:
          findNode(state.locks, foldPath(path, state.locks.portable))?.lines?.reduce(
            (sum, line) => sum + (line?.size ?? 0),
            0,
          ) ?? 0,
        waits,
        waited_s_total: totalMs / 1000,
        waited_s_longest: longestMs / 1000,
      }))
  }
  return result
}

/** Both lists are in the order of their ids, so the last one given of each says where to go on. */
function listCursor(cursor: string | undefined): { lock: number; ticket: number } {
  if (cursor === undefined) return { lock: 0, ticket: 0 }
  const [, lock, ticket] = /^L(\d{1,16})T(\d{1,16})$/.exec(cursor) ?? []
  if (lock === undefined || ticket === undefined) {
    fail('invalid_request', 'cursor: not one that list_locks gave; leave it out to begin anew.', {
      fields: [{ field: 'cursor', fault: 'not one that list_locks gave' }],
    })
  }
  return { lock: Number(lock), ticket: Number(ticket) }
}

type Blocker = Output<'list_locks'>['waiting'][number]['blocked_by'][number]

/** Who or what keeps a waiting request from its turn, the first of them (locks §31, §44). */
function blockersOf(table: LockTable, ticket: Ticket): Blocker[] {
  const blockers = closedTo(table, ticket)
  for (const edge of new WaitsFor(table, {}).inTheWayOf(ticket)) {
    if (blockers.length >= LIMITS.holdersNamed) break
    const { agent, session } = edge.owner
    const by =
      'lock' in edge.by ? { lock: `L${edge.by.lock.id}` } : { ticket: `T${edge.by.ticket.id}` }
    blockers.push({ agent, session, path: edge.item.path, ...by })
  }
  return blockers.slice(0, LIMITS.holdersNamed)
}

/** Nobody has them any more, so nobody is waited for: they open by themselves. */
function closedTo(table: LockTable, ticket: Ticket): Blocker[] {
  if (table.closed.size === 0) return []
  return ticket.items.flatMap((wanted) =>
    holdersInTheWay(table, wanted, [ticket.owner], Number.POSITIVE_INFINITY).flatMap(({ by }) => {
      if (by.closedUntil === undefined) return []
      const { agent, session } = by.owner
      const closed_until = isoTime(by.closedUntil)
      return [{ agent, session, path: wanted.path, lock: `L${by.id}`, closed_until }]
    }),
  )
}
