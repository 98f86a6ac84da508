import type { LockItem, Settings } from '../contract/events.ts'
import { LIMITS } from '../contract/limits.ts'
import { BoundedMap } from '../core/bounded-map.ts'
import { itemOf } from '../core/lock/acquire.ts'
import { modeOf } from '../core/lock/mode.ts'
import {
  addLock,
  addTicket,
  type Item,
  type LostLock,
  nodeAt,
  ownerOf,
  type Terms,
} from '../core/lock/table.ts'
import type { Directory, State } from '../core/state.ts'

/**
 * The in-memory part of a state as plain data, kept beside the tables so that a start folds only the
 * tail. `version` changes with the shape; an unknown version is ignored and the ledger is folded.
 */
const VERSION = 2

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
}

interface StoredLock extends StoredTerms {
  id: number
  fence: number
  versions: number[]
  grantedAt: number
  ticket: number | null
}

interface StoredTicket extends StoredTerms {
  id: number
  since: number
  raises: number | null
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
      id: ticket.id,
      since: ticket.since,
      raises: ticket.raises ?? null,
    })),
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
  const { owner, items, ttlMs, renew, intent, priority } = holding
  return {
    agent: owner.agent,
    session: owner.session,
    items: items.map((item) => itemOf(item.path, item.mode, item.subtree)),
    ttlMs,
    renew,
    intent: intent ?? null,
    priority: priority ?? null,
  }
}

function storedLock(
  lock: Holding & Omit<StoredLock, keyof StoredTerms | 'ticket'> & { ticket: number | undefined },
): StoredLock {
  const { id, fence, versions, grantedAt, ticket } = lock
  return { ...storedTerms(lock), id, fence, versions, grantedAt, ticket: ticket ?? null }
}

/** Fills a new state from a snapshot; says whether it could. */
export function restoreSnapshot(state: State, stored: unknown): boolean {
  const snapshot = stored as Snapshot | undefined
  if (snapshot === undefined || snapshot.version !== VERSION) return false
  const table = state.locks
  state.revision = snapshot.revision
  state.at = snapshot.at
  state.settings = snapshot.settings
  state.nextFileId = snapshot.nextFileId
  const holding = (one: StoredTerms, items: Item[]) => ({
    owner: ownerOf(table, one.session, one.agent),
    items,
    ...termsOf(one),
  })
  const placed = (items: LockItem[]): Item[] =>
    items.map((item) => ({ ...plainItem(item), node: nodeAt(table, item.path) }))
  const lockFacts = (one: StoredLock) => {
    const { id, fence, versions, grantedAt, ticket } = one
    return { id, fence, versions, grantedAt, ticket: ticket ?? undefined }
  }
  for (const one of snapshot.locks) {
    addLock(table, { ...holding(one, placed(one.items)), ...lockFacts(one) })
  }
  for (const one of snapshot.tickets) {
    const { id, since, raises } = one
    addTicket(table, { ...holding(one, placed(one.items)), id, since, raises: raises ?? undefined })
  }
  for (const one of snapshot.ended) {
    // An ended lock stands on no node; its items only say what it covered.
    const items = one.lock.items.map((item) => ({ ...plainItem(item), node: table.root }))
    const owner = one.kept
      ? ownerOf(table, one.lock.session, one.lock.agent)
      : {
          session: one.lock.session,
          agent: one.lock.agent,
          locks: new Set<never>(),
          tickets: new Set<never>(),
          lost: [],
        }
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
  const { ttlMs, renew, intent, priority } = one
  return { ttlMs, renew, intent: intent ?? undefined, priority: priority ?? undefined }
}

function plainItem(item: LockItem): Omit<Item, 'node'> {
  return {
    path: item.path,
    mode: modeOf(item.level, item.stable),
    subtree: item.scope === 'subtree',
  }
}

function restoreDirectory(directory: Directory, stored: Snapshot['directory']): void {
  for (const agent of stored.agents) {
    directory.agents.set(agent.name, agent)
    for (const { sha256 } of agent.tokens) directory.tokens.set(sha256, agent.name)
  }
  directory.groups = new Map(stored.groups) as Directory['groups']
  for (const session of stored.sessions as { id: string }[]) {
    directory.sessions.set(session.id, session as never)
  }
  directory.workspaces = new Map(stored.workspaces)
}
