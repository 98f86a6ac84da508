import { z } from 'zod'
import { LIMITS } from '../../contract/limits.ts'
import type { Output } from '../../contract/operations.ts'
import { type Annotations, TEXT_OUTPUT, type ToolAnswer, textAnswer } from './tool.ts'

/** How tools for locks speak, and what they have in common. */

/**
 * An agent should never poll, so asking for a lock waits and then queues by itself, and every answer
 * says in words what to call next.
 */
const WAIT_S = 20

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
    // On a refusal it is the problem's number, so no type is said.
    status: { description: 'granted or queued' },
    lock: { type: 'object' },
    token: { type: 'string' },
    ticket: { type: 'string' },
  },
}

export const wait = z
  .number()
  .min(0)
  .max(LIMITS.waitMsMost / 1000)
  .default(WAIT_S)
  .describe('Seconds to wait in this call')

export function lockAnswer(value: Output<'acquire_lock'>): ToolAnswer {
  return textAnswer(value.status === 'granted' ? grantedText(value) : queuedText(value), value)
}

function grantedText({
  lock,
  already_held,
}: Extract<Output<'acquire_lock'>, { status: 'granted' }>) {
  const paths = lock.items.map(({ path }) => path).join(', ')
  const verb = already_held ? 'You hold' : 'You now hold'
  const kept =
    lock.renew === 'activity' ? ' unless you call something here before, which renews it' : ''
  return `${verb} the ${lock.level} lock ${lock.id} on ${paths}; it ends at ${lock.expires_at}${kept}. Call release_lock when you are done.`
}

function queuedText({
  ticket,
  position,
  holders,
}: Extract<Output<'acquire_lock'>, { status: 'queued' }>) {
  const who = holders.map(holderText).join('; ') || 'others are ahead of you'
  return `Not yet: you are number ${position} in the queue. ${who}. Call wait_for_lock with ticket ${ticket} to go on waiting; your place is kept.`
}

function holderText({ agent, level, path, intent, expires_at }: Holder) {
  const why = intent === undefined ? '' : ` for "${intent}"`
  return `${agent} holds ${level === 'exclusive' ? 'an' : 'a'} ${level} lock on ${path}${why} until ${expires_at}`
}

type Holder = Extract<Output<'acquire_lock'>, { status: 'queued' }>['holders'][number]
