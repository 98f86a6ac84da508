import { z } from 'zod'
import * as field from '../operation/fields.ts'
import { optional } from '../optional.ts'
import { isoTime } from '../time.ts'
import { event, first, line } from './row.ts'

/** The facts about locks, places in queues, recalls and questions. */

const level = z.enum(['read', 'write', 'exclusive'])
const lockItem = z.object({
  path: z.string(),
  level,
  stable: z.boolean().optional(),
  scope: z.enum(['file', 'subtree']),
  /** Bytes `[start, end)` of one file; without `end`: to the end of the file and what is appended. */
  range: z.object({ start: z.number(), end: z.number().optional() }).optional(),
  /** The key that is locked; without it the content. Labels and the like have a key of their own. */
  key: z.literal('metadata').optional(),
  /** Of a waiting request: the version the file must still have when its turn comes. */
  ifVersion: z.number().optional(),
})
const lockTerms = {
  items: z.array(lockItem),
  ttlMs: z.number(),
  renew: z.enum(['activity', 'explicit']),
  intent: z.string().optional(),
  priority: z.number().optional(),
  /** How long the paths stay closed when the hold is lost instead of given back. */
  delayMs: z.number().optional(),
}
const party = z.object({ agent: z.string(), session: z.string() })

export type LockItem = z.infer<typeof lockItem>
export type Level = z.infer<typeof level>

/** What is locked, and the terms of it, as they are shown. */
const shownItem = field.lock.shape.items.element.extend({ if_version: field.version.optional() })
const shownItems = z.array(shownItem)
const shownTerms = {
  items: shownItems,
  ttl: z.number().describe('Seconds'),
  renew: z.enum(['activity', 'explicit']),
  intent: z.string().optional(),
  priority: z.int().optional(),
  lock_delay: z.number().optional().describe('Seconds'),
}
const versions = z
  .record(z.string(), z.int())
  .describe('Version of each file at the grant; 0: none')

interface Terms {
  items: LockItem[]
  ttlMs: number
  renew: 'activity' | 'explicit'
  intent?: string | undefined
  priority?: number | undefined
  delayMs?: number | undefined
}

function itemsShown(items: readonly LockItem[]): z.output<typeof shownItems> {
  return items.map(({ path, level, scope, stable, range, key, ifVersion }) => ({
    ...{ path, level, scope },
    ...optional('stable', stable),
    ...optional('range', range),
    ...optional('key', key),
    ...optional('if_version', ifVersion),
  }))
}

function termsShown({ items, ttlMs, renew, intent, priority, delayMs }: Terms) {
  return {
    items: itemsShown(items),
    ttl: ttlMs / 1000,
    renew,
    ...optional('intent', intent),
    ...optional('priority', priority),
    ...(delayMs === undefined ? {} : { lock_delay: delayMs / 1000 }),
  }
}

function versionsShown(items: readonly LockItem[], given: readonly number[]) {
  return Object.fromEntries(items.map(({ path }, index) => [path, given[index] ?? 0]))
}

function termsText({ items, ttlMs, intent }: Terms): string {
  const wanted = `${items[0]?.level ?? ''}, ttl ${ttlMs / 1000} s`
  return intent === undefined ? wanted : `${wanted}: ${intent}`
}

const pathsOfItems = {
  paths: ({ items }: { items: readonly LockItem[] }) => items.map(({ path }) => path),
}
const pathsOfLock = { subject: ({ lock }: { lock: number }) => lock }
const pathsOfTicket = { subject: ({ ticket }: { ticket: number }) => ticket }

/** A grant, of a new hold or of one that is raised in place. `versions` stands beside `items`. */
const grant = {
  ...lockTerms,
  versions: z.array(z.number()),
  ticket: z.number().optional(),
}
const shownGrant = z.object({
  lock: field.lockId,
  fence: z.int(),
  ...shownTerms,
  versions,
  ticket: field.ticketId.optional().describe('The place in the queue that it was granted to'),
})

function grantShown(
  lock: number,
  event: Terms & { revision: number; versions: number[]; ticket?: number | undefined },
) {
  return {
    lock: `L${lock}`,
    fence: event.revision,
    ...termsShown(event),
    versions: versionsShown(event.items, event.versions),
    ...(event.ticket === undefined ? {} : { ticket: `T${event.ticket}` }),
  }
}

const releaseReason = z.enum([
  'released',
  'expired',
  'unclaimed',
  'session-ended',
  'forced',
  'revoked',
])
const recallReason = z.enum(['priority', 'max-hold', 'upgrade', 'supervisor'])
const leaveReason = z.enum(['left', 'session-ended', 'stale'])
const moveReason = z.enum(['deadlock', 'inherited'])
const askAnswer = z.enum(['yield', 'estimate', 'no'])

const ofReaders = { ...first, of: 'workspace', audience: 'readers' } as const

export const lockEvents = {
  'lock-acquired': event({
    ...ofReaders,
    number: 20,
    /** The lock's id and fence are this event's revision. */
    data: z.object(grant),
    about: pathsOfItems,
    shown: shownGrant,
    show: (event) => grantShown(event.revision, event),
    detail: termsText,
  }),
  'lock-queued': event({
    ...ofReaders,
    number: 21,
    data: z.object({
      ...lockTerms,
      /** The lock that the grant will change in place. */
      raises: z.number().optional(),
      /** Any so many of the items will do. */
      any: z.number().optional(),
      /** Its place, where that is not the usual one (core/lock/order.ts). */
      rank: z.number().optional(),
      seq: z.number().optional(),
    }),
    about: pathsOfItems,
    shown: z.object({
      ticket: field.ticketId,
      ...shownTerms,
      raises: field.lockId.optional().describe('The lock that the grant will make stronger'),
      any: z.int().optional(),
    }),
    show: (event) => ({
      ticket: `T${event.revision}`,
      ...termsShown(event),
      ...(event.raises === undefined ? {} : { raises: `L${event.raises}` }),
      ...optional('any', event.any),
    }),
    detail: termsText,
  }),
  'lock-released': event({
    ...ofReaders,
    number: 22,
    data: z.object({
      lock: z.number(),
      reason: releaseReason,
      /** Who released it, where that was not its owner. */
      by: z.string().optional(),
      why: z.string().optional(),
      /** Lost, and closed to everybody until then (ms since 1970). */
      closedUntil: z.number().optional(),
    }),
    about: pathsOfLock,
    shown: z.object({
      lock: field.lockId,
      reason: releaseReason,
      by: z.string().optional().describe('Who released it, where that was not its owner'),
      why: z.string().optional(),
      closed_until: field.time.optional().describe('Lost, and closed to everybody until then'),
    }),
    show: ({ lock, reason, by, why, closedUntil }) => ({
      lock: `L${lock}`,
      reason,
      ...optional('by', by),
      ...optional('why', why),
      ...(closedUntil === undefined ? {} : { closed_until: isoTime(closedUntil) }),
    }),
    detail: ({ lock, reason, by, why }) => line(`L${lock}`, reason, by, why),
  }),
  'ticket-left': event({
    ...ofReaders,
    number: 23,
    data: z.object({
      ticket: z.number(),
      /** `stale`: its turn came, and `path` no longer had the version it asked for. */
      reason: leaveReason,
      path: z.string().optional(),
      current: z.number().optional(),
    }),
    about: pathsOfTicket,
    shown: z.object({
      ticket: field.ticketId,
      reason: leaveReason.describe(
        'stale: its turn came, and path no longer had the version it asked for',
      ),
      path: z.string().optional(),
      current: field.version.optional(),
    }),
    show: ({ ticket, reason, path, current }) => ({
      ticket: `T${ticket}`,
      reason,
      ...optional('path', path),
      ...optional('current', current),
    }),
    detail: ({ ticket, reason }) => line(`T${ticket}`, reason),
  }),
  /** A hold raised in place; its fence becomes this event's revision. */
  'lock-raised': event({
    ...ofReaders,
    number: 24,
    data: z.object({ lock: z.number(), ...grant }),
    about: pathsOfItems,
    shown: shownGrant,
    show: (event) => grantShown(event.lock, event),
    detail: termsText,
  }),
  /** A waiting request goes ahead of others: to end a cycle, or because it holds up somebody urgent. */
  'ticket-moved': event({
    ...ofReaders,
    number: 25,
    data: z.object({
      ticket: z.number(),
      rank: z.number(),
      seq: z.number(),
      why: moveReason,
    }),
    about: pathsOfTicket,
    shown: z.object({ ticket: field.ticketId, why: moveReason }),
    show: ({ ticket, why }) => ({ ticket: `T${ticket}`, why }),
    detail: ({ ticket, why }) => line(`T${ticket}`, why),
  }),
  /** A hold made weaker in place; its fence stays. */
  'lock-lowered': event({
    ...ofReaders,
    number: 26,
    data: z.object({ lock: z.number(), items: z.array(lockItem) }),
    about: pathsOfItems,
    shown: z.object({ lock: field.lockId, items: shownItems }),
    show: ({ lock, items }) => ({ lock: `L${lock}`, items: itemsShown(items) }),
    detail: ({ lock, items }) => line(`L${lock}`, `to ${items[0]?.level ?? ''}`),
  }),
  'lock-recalled': event({
    ...ofReaders,
    number: 27,
    data: z.object({
      lock: z.number(),
      reason: recallReason,
      deadline: z.number(),
      /** For whom: the agent that waits. */
      for: z.string().optional(),
      why: z.string().optional(),
    }),
    about: pathsOfLock,
    shown: z.object({
      lock: field.lockId,
      reason: recallReason,
      deadline: field.time,
      for: z.string().optional().describe('The agent that waits'),
      why: z.string().optional(),
    }),
    show: ({ lock, reason, deadline, for: whom, why }) => ({
      lock: `L${lock}`,
      reason,
      deadline: isoTime(deadline),
      ...optional('for', whom),
      ...optional('why', why),
    }),
    detail: ({ lock, reason, deadline, why }) =>
      line(`L${lock}`, reason, `until ${isoTime(deadline)}`, why),
  }),
  'recall-extended': event({
    ...ofReaders,
    number: 28,
    data: z.object({ lock: z.number(), deadline: z.number() }),
    about: pathsOfLock,
    shown: z.object({ lock: field.lockId, deadline: field.time }),
    show: ({ lock, deadline }) => ({ lock: `L${lock}`, deadline: isoTime(deadline) }),
    detail: ({ lock, deadline }) => line(`L${lock}`, `until ${isoTime(deadline)}`),
  }),
  /** Nobody waits for it any more. */
  'recall-ended': event({
    ...ofReaders,
    number: 29,
    data: z.object({ lock: z.number() }),
    about: pathsOfLock,
    shown: z.object({ lock: field.lockId }),
    show: ({ lock }) => ({ lock: `L${lock}` }),
    detail: ({ lock }) => `L${lock}`,
  }),
  /** The hold `lock` goes on as a new one: its id and fence are this event's revision. */
  'lock-handed-over': event({
    ...ofReaders,
    number: 31,
    data: z.object({ lock: z.number(), to: party }),
    about: pathsOfLock,
    shown: z.object({
      lock: field.lockId,
      to: party,
      now: field.lockId.describe('The id and fence that it goes on under'),
    }),
    show: ({ lock, to, revision }) => ({ lock: `L${lock}`, to, now: `L${revision}` }),
    detail: ({ lock, to, revision }) => `L${lock} to ${to.session}, now L${revision}`,
  }),
  /** The delay after a lost hold is over. */
  'lock-opened': event({
    ...ofReaders,
    number: 32,
    data: z.object({ lock: z.number() }),
    about: pathsOfLock,
    shown: z.object({ lock: field.lockId }),
    show: ({ lock }) => ({ lock: `L${lock}` }),
    detail: ({ lock }) => `L${lock}`,
  }),
  /** Somebody outside of the server wrote under a lock, which nobody can prevent (folder §12). */
  'lock-bypassed': event({
    ...ofReaders,
    number: 38,
    data: z.object({ lock: z.number(), paths: z.array(z.string()) }),
    about: { paths: ({ paths }) => paths },
    shown: z.object({ lock: field.lockId }),
    show: ({ lock }) => ({ lock: `L${lock}` }),
    detail: ({ lock, paths }) => line(`L${lock}`, ...paths),
  }),
  /** The question's number is this event's revision. */
  'holder-asked': event({
    ...ofReaders,
    number: 33,
    data: z.object({
      lock: z.number(),
      to: party,
      paths: z.array(z.string()),
      message: z.string(),
    }),
    about: { paths: ({ paths }) => paths },
    shown: z.object({ ask: field.askId, lock: field.lockId, to: party, message: z.string() }),
    show: ({ revision, lock, to, message }) => ({
      ask: `A${revision}`,
      lock: `L${lock}`,
      to,
      message,
    }),
    detail: ({ lock, to, message }) => `L${lock}, ${to.session}: ${message}`,
  }),
  'ask-answered': event({
    ...ofReaders,
    number: 34,
    data: z.object({
      ask: z.number(),
      answer: askAnswer,
      estimateS: z.number().optional(),
      message: z.string().optional(),
    }),
    about: { subject: ({ ask }) => ask },
    shown: z.object({
      ask: field.askId,
      answer: askAnswer,
      estimate_s: z.number().optional(),
      message: z.string().optional(),
    }),
    show: ({ ask, answer, estimateS, message }) => ({
      ask: `A${ask}`,
      answer,
      ...optional('estimate_s', estimateS),
      ...optional('message', message),
    }),
    detail: ({ ask, answer, message }) => line(`A${ask}`, answer, message),
  }),
}
