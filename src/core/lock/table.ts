import { TransientMap, TransientSet } from '../../contract/transient.ts'
import { BoundedMap } from '../bounded-map.ts'
import { EndedLocks } from './ended-locks.ts'
import { intentionOf, type Mode } from './mode.ts'
import type { QueuePlace } from './order.ts'
import type { Range, RangeList } from './range.ts'
import type { WaitQueue } from './wait-queue.ts'

/**
 * The lock table: a tree of the names that somebody holds or waits for.
 *
 * Owns: which holds and tickets stand on which node, and the masks that make a check cheap.
 *
 * Invariants (asserted by core/check.ts):
 *  1. A hold's leaf mode is counted on its own node, its intention on every ancestor (locks §3). A
 *     range counts as an intention on its file too, and lies in the file's ranges.
 *  2. `heldMask` / `waitMask` have a mode's bit exactly when its count / line is not empty.
 *  3. Lines are in the order of places (order.ts).
 *  4. A node with no hold, no ticket and no child does not exist (locks §14), save the root.
 *
 * Owners are excluded exactly: a mask says that somebody conflicts, and only then the asking owner's
 * own items are counted off. That keeps nodes small (no per-owner counts; 100,000 held locks stay
 * cheap), and an owner rarely holds much on a contended node.
 */
export interface LockNode {
  readonly name: string
  readonly parent: LockNode | null
  children: TransientMap<string, LockNode> | null
  heldMask: number
  /** Count of holds by mode; null while each mode of the mask counts one, as on most files. */
  held: number[] | null
  /** Held items whose own node this is. */
  holds: HeldItem[]
  waitMask: number
  /** Tickets by mode; made when somebody first waits here. */
  lines: (WaitQueue<Ticket> | undefined)[] | null
  ranges: Ranges | null
}

export interface Ranges {
  held: RangeList<RangedItem>
  waiting: RangeList<RangedItem>
}

export interface Owner {
  session: string
  agent: string
  locks: TransientSet<Lock>
  tickets: TransientSet<Ticket>
  /** Holds that this owner lost without giving them back, newest last; at most `LOST_PER_OWNER`. */
  lost: LostLock[]
}

/** What of a path is locked. */
export interface Scope {
  path: string
  /** The path in the form in which names are compared: what is compared and looked up (files §19). */
  folded: string
  subtree: boolean
  range: Range | undefined
  key: 'metadata' | undefined
}

/** One path of a lock or ticket. */
export interface Item extends Scope {
  mode: Mode
  node: LockNode
  /** Of a ticket: the version the file must have when its turn comes. */
  ifVersion: number | undefined
  /** The lock or ticket it stands in the table for. */
  by: Lock | Ticket | undefined
}

export type HeldItem = Item & { by: Lock }
export type RangedItem = Item & { range: Range; by: Lock | Ticket }

export interface Terms {
  ttlMs: number
  renew: 'activity' | 'explicit'
  intent: string | undefined
  priority: number | undefined
  /** How long the paths stay closed when the hold is lost. */
  delayMs: number | undefined
}

export interface Lock extends Terms {
  kind: 'lock'
  /** The revision of the grant. */
  id: number
  /** The revision of the last grant or raise: only grows. */
  fence: number
  owner: Owner
  items: Item[]
  /** Beside `items`: version of each file at the grant, 0 for none. */
  versions: number[]
  /** Of the last grant, raise or handover: leases and the minimum hold count from here. */
  grantedAt: number
  /** Of the first grant: `max_hold_s` counts from here, whatever became of the hold (locks §25). */
  heldSince: number
  /** The ticket it was granted through. */
  ticket: number | undefined
  recall: Recall | undefined
  /** Lost, and kept closed until then; `owner` is then nobody that can ask for anything. */
  closedUntil: number | undefined
}

export interface Recall {
  reason: 'priority' | 'max-hold' | 'upgrade' | 'supervisor'
  /** Milliseconds since 1970. */
  deadline: number
  /** What the holder was given, and what one extension adds. */
  graceMs: number
  isExtended: boolean
  /** The agent that waits. */
  for: string | undefined
  why: string | undefined
}

export interface Ticket extends Terms, QueuePlace {
  kind: 'ticket'
  rank: number
  seq: number
  owner: Owner
  items: Item[]
  since: number
  /** The lock that the grant will change in place. */
  raises: number | undefined
  /** Any so many of the items will do. */
  any: number | undefined
}

export interface LostLock {
  lock: Lock
  at: number
  reason: string
  by: string | undefined
  why: string | undefined
}

/** A ticket whose turn came too late: the file had moved on. */
export interface StaleTicket {
  session: string
  path: string
  yours: number
  current: number
}

/** A mode, or a range, that left a node on which somebody waits: where waking up begins. */
export interface Freed {
  node: LockNode
  mode: Mode
  range: Range | undefined
  /** A hold left, not a ticket. */
  isHold: boolean
}

export interface LockTable {
  /** Names that files take for one are one here too: the workspace's `portable_names`. */
  portable: boolean
  root: LockNode
  locks: TransientMap<number, Lock>
  tickets: TransientMap<number, Ticket>
  /** Lock by the ticket it was granted through. */
  byTicket: TransientMap<number, Lock>
  owners: TransientMap<string, Owner>
  agents: Map<string, { held: number; waiting: number }>
  /** Lost holds whose delay is not over (locks §31). */
  closed: Map<number, Lock>
  ended: EndedLocks<LostLock>
  /** The last tickets that left because a file had changed. */
  stale: BoundedMap<number, StaleTicket>
  /** When somebody was last recalled for an agent (locks §38: the cool-down). */
  preferred: BoundedMap<string, number>
  /** By path: who took it last, and how often in a row while others waited (locks §21). */
  streaks: BoundedMap<string, { agent: string; wins: number }>
  /** Not part of the state: filled while events are applied, drained by wake.ts. */
  freed: Freed[]
  moved: Ticket[]
}

export const LOST_PER_OWNER = 128
const STALE_KEPT = 1000
const PREFERRED_KEPT = 1000
const STREAKS_KEPT = 10_000

export function newLockTable(portable: boolean): LockTable {
  return {
    portable,
    root: newNode('', null),
    locks: new TransientMap(),
    tickets: new TransientMap(),
    byTicket: new TransientMap(),
    owners: new TransientMap(),
    agents: new Map(),
    closed: new Map(),
    ended: new EndedLocks(),
    stale: new BoundedMap(STALE_KEPT),
    preferred: new BoundedMap(PREFERRED_KEPT),
    streaks: new BoundedMap(STREAKS_KEPT),
    freed: [],
    moved: [],
  }
}

function newNode(name: string, parent: LockNode | null): LockNode {
  return {
    name,
    parent,
    children: null,
    heldMask: 0,
    held: null,
    holds: [],
    waitMask: 0,
    lines: null,
    ranges: null,
  }
}

/** Names from the root to what is locked. No path has a NUL, so other keys of it cannot be met. */
export function namesOf(path: string, key?: 'metadata'): readonly string[] {
  if (path !== lastPath || key !== lastKey) {
    lastPath = path
    lastKey = key
    const keyed = key === undefined ? path : `${path}\0${key}`
    // Do not change what is returned: one decision asks for the same path again and again.
    lastNames = keyed === '/' ? [] : keyed.slice(1).split('/')
  }
  return lastNames
}

let lastPath = '/'
let lastKey: 'metadata' | undefined
let lastNames: readonly string[] = []

/** The node of a folded path, made if needed. The caller must put something on it or prune it. */
export function nodeAt(table: LockTable, path: string, key?: 'metadata'): LockNode {
  let node = table.root
  for (const name of namesOf(path, key)) {
    node.children ??= new TransientMap()
    let child = node.children.get(name)
    if (child === undefined) {
      child = newNode(name, node)
      node.children.set(name, child)
    }
    node = child
  }
  return node
}

/** The node of a folded path, if anything stands there. */
export function findNode(table: LockTable, path: string, key?: 'metadata'): LockNode | undefined {
  let node: LockNode | undefined = table.root
  for (const name of namesOf(path, key)) {
    node = node.children?.get(name)
    if (node === undefined) return undefined
  }
  return node
}

/** How many hold a node in a mode. */
export function heldCount(node: LockNode, mode: number): number {
  return node.held === null ? (node.heldMask >> mode) & 1 : (node.held[mode] as number)
}

/** What an item counts as on its own node: a range stands there like something below it. */
export function modeOnNode(item: { mode: Mode; range: Range | undefined }): Mode {
  return item.range === undefined ? item.mode : intentionOf(item.mode)
}

export function ownerOf(table: LockTable, session: string, agent: string): Owner {
  let owner = table.owners.get(session)
  if (owner === undefined) {
    owner = newOwner(session, agent)
    table.owners.set(session, owner)
  }
  return owner
}

/** An owner that the table does not know (yet, or not any more). */
export function newOwner(session: string, agent: string): Owner {
  return { session, agent, locks: new TransientSet(), tickets: new TransientSet(), lost: [] }
}
