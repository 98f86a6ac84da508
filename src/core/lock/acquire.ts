import { type Refusal, refuse } from '../../contract/errors.ts'
import type { EventDraft, LockItem } from '../../contract/events.ts'
import { optional } from '../../contract/optional.ts'
import { isWithin } from '../../contract/path.ts'
import { missingRight } from '../agent/rights.ts'
import type { AcquireLock, Moment } from '../command.ts'
import { placeOf } from '../file/place.ts'
import type { State } from '../state.ts'
import { coveringLock, isBlocked, singleHold } from './conflict.ts'
import { obstacles, sentenceOf } from './describe.ts'
import { MODE, type Mode, modeOf } from './mode.ts'
import type { Lock, LockTable, Owner, Ticket } from './table.ts'

/**
 * Acquiring (locks §7–14): one decision, all or nothing.
 *
 *   held already ──────────────► the same lock (`held`), no event
 *   asked for already ─────────► the same ticket (`waiting`), no event
 *   nobody in the way ─────────► lock-acquired, or lock-raised when one own hold becomes stronger
 *   somebody in the way ───────► lock-queued, or a refusal naming the holders
 */
export type AcquireDecision =
  | { outcome: 'event'; event: EventDraft }
  | { outcome: 'held'; lock: Lock }
  | { outcome: 'waiting'; ticket: Ticket }
  | { outcome: 'refused'; refusal: Refusal }

type Item = LockItem & { mode: Mode; version: number }

export function decideAcquire(state: State, command: AcquireLock, moment: Moment): AcquireDecision {
  const table = state.locks
  const { actor } = command
  const prepared = prepareItems(state, command)
  if ('code' in prepared) return { outcome: 'refused', refusal: prepared }
  const owner = table.owners.get(actor.session)
  const held = owner === undefined ? undefined : heldAlready(table, prepared, owner)
  if (held !== undefined) return { outcome: 'held', lock: held }
  const waiting = owner === undefined ? undefined : waitingAlready(prepared, owner)
  if (waiting !== undefined && command.queue) return { outcome: 'waiting', ticket: waiting }

  const [only] = prepared
  const raises =
    owner === undefined || only === undefined || prepared.length > 1
      ? undefined
      : singleHold(table, only.path, owner)
  const base = { agent: actor.agent, session: actor.session, ...termsOf(state, command, prepared) }
  const asking = owner ?? nobody
  if (!isBlocked(table, prepared, asking, Number.POSITIVE_INFINITY)) {
    const refusal = raises === undefined ? heldLimit(state, actor.agent) : undefined
    if (refusal !== undefined) return { outcome: 'refused', refusal }
    const versions = prepared.map((item) => item.version)
    return {
      outcome: 'event',
      event:
        raises === undefined
          ? { kind: 'lock-acquired', ...base, versions }
          : { kind: 'lock-raised', ...base, lock: raises.id, versions },
    }
  }
  if (!command.queue) {
    const inTheWay = obstacles(table, prepared, [asking], moment)
    return {
      outcome: 'refused',
      refusal: refuse(
        'lock_conflict',
        `${sentenceOf(inTheWay.holders, inTheWay.waiting)}. ` +
          'Ask again with "wait" (seconds) to queue for it, or work on something else.',
        { holders: inTheWay.holders, queue_length: inTheWay.waiting },
      ),
    }
  }
  const refusal = waitingLimit(state, actor.agent)
  if (refusal !== undefined) return { outcome: 'refused', refusal }
  return { outcome: 'event', event: { kind: 'lock-queued', ...base } }
}

/** A grant for a ticket whose turn has come (wake.ts). */
export function grantOf(state: State, ticket: Ticket): EventDraft {
  const items = ticket.items.map(({ path, mode, subtree }) => itemOf(path, mode, subtree))
  const base = {
    agent: ticket.owner.agent,
    session: ticket.owner.session,
    items,
    ttlMs: ticket.ttlMs,
    renew: ticket.renew,
    ...optional('intent', ticket.intent),
    ...optional('priority', ticket.priority),
    versions: items.map((item) => versionOf(state, item.path)),
    ticket: ticket.id,
  }
  // The hold it was to raise may have gone meanwhile; then it is a grant like any other.
  if (ticket.raises !== undefined && state.locks.locks.has(ticket.raises)) {
    return { kind: 'lock-raised', ...base, lock: ticket.raises }
  }
  return { kind: 'lock-acquired', ...base }
}

// Stands for an owner that has nothing yet; making a real one would change the state.
const nobody: Owner = { session: '', agent: '', locks: new Set(), tickets: new Set(), lost: [] }

/** Checks rights and versions, gives each item its scope, merges duplicates to the strongest. */
function prepareItems(state: State, command: AcquireLock): Item[] | Refusal {
  const byPath = new Map<string, Item>()
  for (const asked of command.items) {
    const place = placeOf(state.records, asked.path, state.settings.portable_names)
    const isFolder = place.entry?.kind === 'folder'
    const subtree = asked.scope === 'subtree' || (asked.scope === undefined && isFolder)
    const mode = modeOf(asked.level, asked.stable)
    const needed = mode < MODE.W ? 'read' : 'write'
    const { rights } = command.actor
    const refusal = missingRight(rights, state.workspace, asked.path, subtree, needed)
    if (refusal !== undefined) return refusal
    if (asked.scope === 'file' && isFolder) {
      return refuse('is_folder', `${asked.path} is a folder. Lock it with scope "subtree".`, {
        path: asked.path,
      })
    }
    const version = place.entry?.kind === 'file' ? place.entry.version : 0
    if (asked.ifVersion !== undefined && asked.ifVersion !== version) {
      return refuse(
        'stale_version',
        `${asked.path} is at version ${version}, not ${asked.ifVersion}. Read it again, then lock it.`,
        { path: asked.path, yours: asked.ifVersion, current: version },
      )
    }
    const known = byPath.get(asked.path)
    if (known === undefined || known.mode < mode || (subtree && known.scope === 'file')) {
      const strongest = Math.max(mode, known?.mode ?? 0) as Mode
      byPath.set(asked.path, {
        ...itemOf(asked.path, strongest, subtree),
        mode: strongest,
        version,
      })
    }
  }
  return [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
}

export function itemOf(path: string, mode: Mode, subtree: boolean): LockItem {
  const level = mode === MODE.X ? 'exclusive' : mode === MODE.W ? 'write' : 'read'
  const item: LockItem = { path, level, scope: subtree ? 'subtree' : 'file' }
  if (mode === MODE.S) item.stable = true
  return item
}

function termsOf(state: State, command: AcquireLock, items: readonly Item[]) {
  return {
    items: items.map(({ path, mode, scope }) => itemOf(path, mode, scope === 'subtree')),
    ttlMs: command.ttlMs ?? state.settings.lock_ttl_s * 1000,
    renew: command.renew,
    ...optional('intent', command.intent),
    ...optional('priority', command.priority),
    ...optional('requestId', command.requestId),
  }
}

function versionOf(state: State, path: string): number {
  const { entry } = placeOf(state.records, path, state.settings.portable_names)
  return entry?.kind === 'file' ? entry.version : 0
}

/** locks §12: one own hold that covers everything asked for. */
function heldAlready(table: LockTable, items: readonly Item[], owner: Owner): Lock | undefined {
  const found = items.map((item) => {
    const lock = coveringLock(table, item.path, item.mode, [owner])
    const reaches =
      item.scope === 'file' ||
      lock?.items.some((one) => one.subtree && isWithin(one.path, item.path)) === true
    return reaches ? lock : undefined
  })
  const [first] = found
  return first !== undefined && found.every((lock) => lock === first) ? first : undefined
}

/** The same request is in the queue already: an agent that asks again keeps its place. */
function waitingAlready(items: readonly Item[], owner: Owner): Ticket | undefined {
  for (const ticket of owner.tickets) {
    const isSame =
      ticket.items.length === items.length &&
      items.every((item) =>
        ticket.items.some(
          (one) =>
            one.path === item.path &&
            one.mode >= item.mode &&
            (one.subtree || item.scope === 'file'),
        ),
      )
    if (isSame) return ticket
  }
  return undefined
}

function heldLimit(state: State, agent: string): Refusal | undefined {
  const { locks_per_agent, locks_per_workspace } = state.settings
  const held = state.locks.agents.get(agent)?.held ?? 0
  if (held >= locks_per_agent) {
    return refuse(
      'too_many',
      `You hold ${held} locks, the most an agent may. Release some first.`,
      {
        limit: 'locks_per_agent',
        limit_value: locks_per_agent,
      },
    )
  }
  if (state.locks.locks.size < locks_per_workspace) return undefined
  return refuse(
    'too_many',
    `The workspace has ${locks_per_workspace} locks, its limit. Try later.`,
    {
      limit: 'locks_per_workspace',
      limit_value: locks_per_workspace,
    },
  )
}

function waitingLimit(state: State, agent: string): Refusal | undefined {
  const { waiting_per_agent, waiting_per_workspace } = state.settings
  const waiting = state.locks.agents.get(agent)?.waiting ?? 0
  if (waiting >= waiting_per_agent) {
    return refuse(
      'too_many',
      `You wait for ${waiting} locks, the most an agent may. Leave some queues first.`,
      { limit: 'waiting_per_agent', limit_value: waiting_per_agent },
    )
  }
  if (state.locks.tickets.size < waiting_per_workspace) return undefined
  return refuse('too_many', `${waiting_per_workspace} requests wait already. Try later.`, {
    limit: 'waiting_per_workspace',
    limit_value: waiting_per_workspace,
  })
}
