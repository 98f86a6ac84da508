import type { LockItem, Settings } from '../../contract/events.ts'
import { LIMITS } from '../../contract/limits.ts'
import { optional } from '../../contract/optional.ts'
import { addSession } from '../../core/agent/directory.ts'
import { BoundedMap } from '../../core/bounded-map.ts'
import { factOf, placedItem, unplacedItem } from '../../core/lock/request.ts'
import {
  type Item,
  type Lock,
  type LostLock,
  newOwner,
  ownerOf,
  type Recall,
  type StaleTicket,
  type Terms,
} from '../../core/lock/table.ts'
import { addLock, addTicket, closeLost } from '../../core/lock/table-changes.ts'
import type { Ask, Directory, Draft, Session, State } from '../../core/state.ts'

/**
 * The in-memory part of a state as plain data, kept beside the tables so that a start folds only the
 * tail. `version` changes with the shape; an unknown version is ignored and the ledger is folded.
 */
const VERSION = 4

interface Snapshot {
  version: number
  revision: number
  at: number
  settings: Settings
  nextFileId: number
  locks: StoredLock[]
  tickets: StoredTicket[]
  ended: {
    lock: StoredLock
    at: number
    reason: string
    by?: string
    why?: string
    kept: boolean
  }[]
  closed: { lock: StoredLock; until: number }[]
  stale: [ticket: number, StaleTicket][]
  preferred: [agent: string, at: number][]
  streaks: [path: string, { agent: string; wins: number }][]
  asks: Ask[]
  drafts: Draft[]
  answers: [session: string, answers: [requestId: string, revision: number][]][]
  directory: {
    agents: Directory['agents'] extends Map<string, infer V> ? V[] : never
    groups: [string, unknown][]
    sessions: unknown[]
    workspaces: [string, Settings][]
  }
}

interface StoredTerms {
  agent: string
  session: string
  items: LockItem[]
  ttlMs: number
  renew: 'activity' | 'explicit'
  intent: string | null
  priority: number | null
  delayMs: number | null
}

interface StoredLock extends StoredTerms {
  id: number
  fence: number
  versions: number[]
  grantedAt: number
  heldSince: number
  ticket: number | null
  recall: Recall | null
}

interface StoredTicket extends StoredTerms {
  id: number
  rank: number
  seq: number
  since: number
  raises: number | null
  any: number | null
}

export function takeSnapshot(state: State): Snapshot {
  const { locks: table, directory } = state
  return {
    version: VERSION,
    revision: state.revision,
    at: state.at,
    settings: state.settings,
    nextFileId: state.nextFileId,
    locks: [...table.locks.values()].map(storedLock),
    tickets: [...table.tickets.values()].map((ticket) => ({
      ...storedTerms(ticket),
      items: ticket.items.map((item) => ({
        ...factOf(item),
        ...optional('ifVersion', item.ifVersion),
      })),
      id: ticket.id,
      rank: ticket.rank,
      seq: ticket.seq,
      since: ticket.since,
      raises: ticket.raises ?? null,
      any: ticket.any ?? null,
    })),
    closed: [...table.closed.values()].map((lock) => ({
      lock: storedLock(lock),
      until: lock.closedUntil as number,
    })),
    stale: [...table.stale.entries()],
    preferred: [...table.preferred.entries()],
    streaks: [...table.streaks.entries()],
    asks: [...state.asks.values()],
    drafts: [...state.drafts.values()],
    ended: [...table.ended.values()].map((lost) => ({
      lock: storedLock(lost.lock),
      at: lost.at,
      reason: lost.reason,
      ...(lost.by === undefined ? {} : { by: lost.by }),
      ...(lost.why === undefined ? {} : { why: lost.why }),
      kept: table.owners.get(lost.lock.owner.session)?.lost.includes(lost) ?? false,
    })),
    answers: [...state.answers].map(([session, answers]) => [session, [...answers.entries()]]),
    directory: {
      agents: [...directory.agents.values()],
      groups: [...directory.groups],
      sessions: [...directory.sessions.values()],
      workspaces: [...directory.workspaces],
    },
  }
}

type Holding = Terms & { owner: { agent: string; session: string }; items: Item[] }

function storedTerms(holding: Holding): StoredTerms {
  const { owner, items, ttlMs, renew, intent, priority, delayMs } = holding
  return {
    agent: owner.agent,
    session: owner.session,
    items: items.map(factOf),
    ttlMs,
    renew,
    intent: intent ?? null,
    priority: priority ?? null,
    delayMs: delayMs ?? null,
  }
}

function storedLock(lock: Lock): StoredLock {
  const { id, fence, versions, grantedAt, heldSince, ticket, recall } = lock
  const own = { id, fence, versions, grantedAt, heldSince, ticket: ticket ?? null }
  return { ...storedTerms(lock), ...own, recall: recall ?? null }
}

/** Fills a new state from a snapshot; says whether it could. */
export function restoreSnapshot(state: State, stored: unknown): boolean {
  const snapshot = stored as Snapshot | undefined
  if (snapshot === undefined || snapshot.version !== VERSION) return false
  const table = state.locks
  state.revision = snapshot.revision
  state.at = snapshot.at
  state.settings = snapshot.settings
  table.portable = snapshot.settings.portable_names
  state.nextFileId = snapshot.nextFileId
  const holding = (one: StoredTerms, items: Item[]) => ({
    owner: ownerOf(table, one.session, one.agent),
    items,
    ...termsOf(one),
  })
  const placed = (items: LockItem[]): Item[] => items.map((item) => placedItem(table, item))
  // An ended lock stands on no node; its items only say what it covered.
  const unplaced = (items: LockItem[]): Item[] => items.map((item) => unplacedItem(table, item))
  const lockFacts = (one: StoredLock) => {
    const { id, fence, versions, grantedAt, heldSince, ticket, recall } = one
    return {
      kind: 'lock' as const,
      ...{ id, fence, versions, grantedAt, heldSince, closedUntil: undefined },
      ticket: ticket ?? undefined,
      recall: revived(recall),
    }
  }
  for (const one of snapshot.locks) {
    addLock(table, { ...holding(one, placed(one.items)), ...lockFacts(one) })
  }
  for (const one of snapshot.tickets) {
    const { id, rank, seq, since, raises, any } = one
    addTicket(table, {
      kind: 'ticket',
      ...holding(one, placed(one.items)),
      ...{ id, rank, seq, since, raises: raises ?? undefined, any: any ?? undefined },
    })
  }
  for (const { lock: one, until } of snapshot.closed) {
    const owner = newOwner(one.session, one.agent)
    const lost = { ...termsOf(one), owner, items: unplaced(one.items), ...lockFacts(one) }
    closeLost(table, lost, until)
  }
  for (const [ticket, stale] of snapshot.stale) table.stale.set(ticket, stale)
  for (const [agent, at] of snapshot.preferred) table.preferred.set(agent, at)
  for (const [path, streak] of snapshot.streaks) table.streaks.set(path, streak)
  for (const ask of snapshot.asks) {
    state.asks.set(ask.id, { ...ask, answer: ask.answer ?? undefined })
  }
  for (const draft of snapshot.drafts) state.drafts.set(draft.id, draft)
  for (const one of snapshot.ended) {
    const { agent, session } = one.lock
    const owner = one.kept ? ownerOf(table, session, agent) : newOwner(session, agent)
    const items = unplaced(one.lock.items)
    const lost: LostLock = {
      lock: { ...termsOf(one.lock), owner, items, ...lockFacts(one.lock) },
      at: one.at,
      reason: one.reason,
      by: one.by,
      why: one.why,
    }
    table.ended.set(one.lock.id, lost)
    if (one.kept) owner.lost.push(lost)
  }
  for (const [session, stored] of snapshot.answers) {
    const answers = new BoundedMap<string, number>(LIMITS.answersPerSession)
    for (const [requestId, revision] of stored) answers.set(requestId, revision)
    state.answers.set(session, answers)
  }
  restoreDirectory(state.directory, snapshot.directory)
  return true
}

function termsOf(one: StoredTerms): Terms {
  const { ttlMs, renew, intent, priority, delayMs } = one
  return {
    ttlMs,
    renew,
    intent: intent ?? undefined,
    priority: priority ?? undefined,
    delayMs: delayMs ?? undefined,
  }
}

/** What had no value was stored as null. */
function revived(recall: Recall | null): Recall | undefined {
  if (recall === null) return undefined
  return { ...recall, for: recall.for ?? undefined, why: recall.why ?? undefined }
}

function restoreDirectory(directory: Directory, stored: Snapshot['directory']): void {
  for (const agent of stored.agents) {
    directory.agents.set(agent.name, agent)
    for (const { sha256 } of agent.tokens) directory.tokens.set(sha256, agent.name)
  }
  directory.groups = new Map(stored.groups) as Directory['groups']
  for (const session of stored.sessions as (Omit<Session, 'tied'> & { tied?: boolean })[]) {
    addSession(directory, { ...session, tied: session.tied ?? false })
  }
  directory.workspaces = new Map(stored.workspaces)
}
