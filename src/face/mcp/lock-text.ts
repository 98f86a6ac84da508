import { z } from 'zod'
import { isOnce } from '../../contract/caller.ts'
import { LIMITS } from '../../contract/limits.ts'
import type { Output } from '../../contract/operations.ts'
import { WAIT_STEP_S } from '../../contract/ticket-wait.ts'
import { type Annotations, TEXT_OUTPUT, type ToolAnswer, textAnswer } from './tool.ts'

/**
 * How tools for locks speak, and what they have in common. An agent should never poll, so asking for a
 * lock waits and then queues by itself, and every answer says in words what to call next.
 */

export const COORDINATES: Annotations = {
  readOnlyHint: false,
  destructiveHint: false,
  idempotentHint: true,
  openWorldHint: false,
}

export const LOCK_OUTPUT = {
  ...TEXT_OUTPUT,
  properties: {
    ...TEXT_OUTPUT.properties,
    // On a refusal these two are the problem's: its number, and the id of the lock it is about.
    status: {},
    lock: { type: ['object', 'string'] },
    token: { type: 'string' },
    ticket: { type: 'string' },
  },
}

export const wait = z
  .number()
  .min(0)
  .max(LIMITS.waitMsMost / 1000)
  .default(WAIT_STEP_S)
  .describe('Seconds to wait')

/** @param kept what stays so while the caller is in the queue */
export function lockAnswer(value: Output<'acquire_lock'>, kept = ''): ToolAnswer {
  if (value.status === 'granted') return textAnswer(grantedText(value), value)
  return textAnswer(`${queuedText(value)} ${kept}`.trimEnd(), value)
}

function grantedText({
  lock,
  token,
  already_held,
  to_read = [],
}: Extract<Output<'acquire_lock'>, { status: 'granted' }>) {
  const paths = itemsText(lock.items)
  const verb = already_held ? 'You hold' : 'You now hold'
  const kept =
    lock.renew === 'activity' ? ' unless you call something here before, which renews it' : ''
  const recalled =
    lock.recall === undefined ? '' : ` It is recalled: give it back by ${lock.recall.deadline}.`
  return `${verb} the ${levelText(lock.level, lock.items)} lock ${lock.id} on ${paths}; it ends at ${lock.expires_at}${kept}.${recalled} Call release_lock when you are done.${[...to_read.map(({ why }) => ` ${why}`), ...whoText(lock.session, token, already_held)].join('')}`
}

/** What to do where callers cannot be told apart, or perhaps are not (guard §2). */
function whoText(session: string, token: string, isHeld: boolean | undefined): string[] {
  if (isOnce(session)) {
    return [
      ` Nothing says who calls here, so pass lock_token "${token}" to whatever you do under it and to ` +
        'release_lock; or pass as, with a name of your own, in every call.',
    ]
  }
  if (isHeld !== true) return []
  return [
    ' If you are another agent on this connection, it is not yours: pass as, a name of your own.',
  ]
}

function queuedText({
  ticket,
  position,
  holders,
}: Extract<Output<'acquire_lock'>, { status: 'queued' }>) {
  const who = holders.map(holderText).join('; ') || 'others are ahead of you'
  return `Not yet: you are number ${position} in the queue. ${who}. Call wait_for_lock with ticket ${ticket} to go on waiting; your place is kept.`
}

function holderText(holder: Holder) {
  const { agent, lock, level, intent, expires_at, recalled_until, closed_until } = holder
  if (closed_until !== undefined) {
    return `${placeText(holder)} stays closed until ${closed_until}, because ${agent} lost its lock`
  }
  const why = intent === undefined ? '' : ` for "${intent}"`
  const ends =
    recalled_until === undefined
      ? `until ${expires_at} unless renewed`
      : `and must give it back by ${recalled_until}`
  return `${agent} holds ${level === 'exclusive' ? 'an' : 'a'} ${level} lock (${lock}) on ${placeText(holder)}${why} ${ends}`
}

export function levelText(level: string, items: Granted['lock']['items']): string {
  return items.some(({ stable }) => stable) ? `stable ${level}` : level
}

/** What a lock is on, in words. */
export function itemsText(items: Granted['lock']['items']): string {
  return items.map(itemText).join(', ')
}

function itemText(item: Granted['lock']['items'][number]): string {
  return item.scope === 'subtree' ? `${item.path} and all in it` : placeText(item)
}

function placeText({ path, range, key }: Pick<Holder, 'path' | 'range' | 'key'>): string {
  if (key === 'metadata') return `the metadata of ${path}`
  if (range !== undefined) return `bytes ${range.start} to ${range.end ?? 'the end'} of ${path}`
  return path
}

type Granted = Extract<Output<'acquire_lock'>, { status: 'granted' }>

type Holder = Extract<Output<'acquire_lock'>, { status: 'queued' }>['holders'][number]
