import { type Refusal, refuse } from '../../contract/errors.ts'
import type { LockItem } from '../../contract/events.ts'
import { foldPath } from '../../contract/path.ts'
import { missingRight } from '../agent/rights.ts'
import type { AcquireLock, Actor } from '../command.ts'
import { entryNamed } from '../file/resolve-path.ts'
import type { State } from '../state.ts'
import type { Wanted } from './conflict.ts'
import { levelOf, MODE, type Mode, modeOf } from './mode.ts'
import type { Item, LockNode, LockTable } from './table.ts'
import { nodeAt } from './table.ts'

/** What a request asks for, item by item: checked, given its scope, merged (locks §4–7). */
export interface Asked extends Wanted {
  /** Of the file now; 0 for none. */
  version: number
  ifVersion: number | undefined
}

/** In the order of paths; where any of several will do, in the order given. */
export function prepareItems(state: State, command: AcquireLock): Asked[] | Refusal {
  const { items, any } = command
  if (any !== undefined && any > items.length) {
    return refuse('invalid_request', `"any": ${any} of ${items.length} items cannot be had.`, {
      fields: [{ field: 'any', fault: 'more than there are items' }],
    })
  }
  const merged: Asked[] = []
  for (const one of items) {
    const asked = prepareItem(state, command.actor, one)
    if ('code' in asked) return asked
    merge(merged, asked)
  }
  return any === undefined && merged.length > 1 ? merged.sort(compareItems) : merged
}

function prepareItem(
  state: State,
  actor: Actor,
  asked: AcquireLock['items'][number],
): Asked | Refusal {
  const { path, key, range, scope } = asked
  const entry = entryNamed(state.records, path, state.settings.portable_names)
  const isFolder = entry?.kind === 'folder'
  const isWhole = key === undefined && range === undefined
  const subtree = isWhole && (scope === 'subtree' || (scope === undefined && isFolder))
  const mode = modeOf(asked.level, asked.stable)
  const refusal =
    missingLockRight(state, actor, { path, subtree, mode }) ?? impossibleScope(asked, isFolder)
  if (refusal !== undefined) return refusal
  const version = entry?.kind === 'file' ? entry.version : 0
  const { ifVersion } = asked
  if (ifVersion !== undefined && ifVersion !== version)
    return staleRefusal(path, ifVersion, version)
  return {
    path,
    folded: foldPath(path, state.locks.portable),
    mode,
    subtree,
    key,
    range: range && { start: range.start, end: range.end ?? Number.POSITIVE_INFINITY },
    version,
    ifVersion,
  }
}

/** To hold a path for reading takes the right to read it, for more the right to write it. */
export function missingLockRight(
  state: State,
  actor: Actor,
  { path, subtree, mode }: Pick<Wanted, 'path' | 'subtree' | 'mode'>,
): Refusal | undefined {
  const needed = mode < MODE.W ? 'read' : 'write'
  return missingRight(actor.rights, state, path, subtree, needed)
}

export function staleRefusal(path: string, yours: number, current: number): Refusal {
  return refuse(
    'stale_version',
    `${path} is at version ${current}, not ${yours}. Read it again, then lock it.`,
    { path, yours, current },
  )
}

function impossibleScope(
  { path, scope, range, key }: AcquireLock['items'][number],
  isFolder: boolean,
): Refusal | undefined {
  if (key !== undefined && path === '/') {
    return refuse('invalid_path', 'The root has no metadata to lock.', { path })
  }
  if ((key !== undefined || range !== undefined) && scope === 'subtree') {
    const what = key === undefined ? 'range' : 'key'
    return refuse('invalid_request', `A ${what} is of one path. Leave "scope" out.`, {
      fields: [{ field: 'scope', fault: `not with ${what}` }],
    })
  }
  if (range !== undefined && key !== undefined) {
    return refuse('invalid_request', 'Metadata has no bytes. Leave "range" out.', {
      fields: [{ field: 'range', fault: 'not with key' }],
    })
  }
  if (range?.end !== undefined && range.end <= range.start) {
    return refuse('range_invalid', `The range ${range.start} to ${range.end} is empty.`, { path })
  }
  if (isFolder && key === undefined && (scope === 'file' || range !== undefined)) {
    return refuse('is_folder', `${path} is a folder. Lock it with scope "subtree".`, { path })
  }
  return undefined
}

/** The same path twice is one item of the stronger level and the wider scope. */
function merge(items: Asked[], asked: Asked): void {
  const known = items.find(
    (one) =>
      one.folded === asked.folded &&
      one.key === asked.key &&
      one.range?.start === asked.range?.start &&
      one.range?.end === asked.range?.end,
  )
  if (known === undefined) {
    items.push(asked)
    return
  }
  known.mode = Math.max(known.mode, asked.mode) as Mode
  known.subtree ||= asked.subtree
  known.ifVersion ??= asked.ifVersion
}

function compareItems(a: Asked, b: Asked): number {
  if (a.folded !== b.folded) return a.folded < b.folded ? -1 : 1
  return (a.range?.start ?? -1) - (b.range?.start ?? -1)
}

/** The form of an item in the stream. */
export function factOf(item: Wanted): LockItem {
  const fact: LockItem = {
    path: item.path,
    level: levelOf(item.mode),
    scope: item.subtree ? 'subtree' : 'file',
  }
  if (item.mode === MODE.S) fact.stable = true
  if (item.range !== undefined) {
    const { start, end } = item.range
    fact.range = end === Number.POSITIVE_INFINITY ? { start } : { start, end }
  }
  if (item.key !== undefined) fact.key = item.key
  return fact
}

/** Of a waiting request, with the version that the file must have when its turn comes. */
export function waitingFactOf(item: Asked): LockItem {
  const fact = factOf(item)
  if (item.ifVersion !== undefined) fact.ifVersion = item.ifVersion
  return fact
}

/** An item of the stream as it stands in the table. */
export function placedItem(table: LockTable, fact: LockItem): Item {
  const folded = foldPath(fact.path, table.portable)
  return itemAt(nodeAt(table, folded, fact.key), fact, folded)
}

/** An item of the stream that stands nowhere (any more). */
export function unplacedItem(table: LockTable, fact: LockItem): Item {
  return itemAt(table.root, fact, foldPath(fact.path, table.portable))
}

function itemAt(node: LockNode, fact: LockItem, folded: string): Item {
  const { path, level, stable, scope, range, key, ifVersion } = fact
  return {
    path,
    folded,
    mode: modeOf(level, stable),
    subtree: scope === 'subtree',
    range: range && { start: range.start, end: range.end ?? Number.POSITIVE_INFINITY },
    key,
    ifVersion,
    node,
    by: undefined,
  }
}
