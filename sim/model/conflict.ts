import type { LockItem } from '../../src/contract/events.ts'

/**
 * Which items stand against each other, from locks §2 and the overlap of paths alone: no tree, no
 * intentions, no masks.
 */
export type Leaf = 'read' | 'stable' | 'write' | 'exclusive'

export interface ModelItem {
  path: string
  leaf: Leaf
  subtree: boolean
  /** `[start, end)`; infinite: open. */
  range: [number, number] | undefined
  isMetadata: boolean
  ifVersion: number | undefined
}

export function modelItem(fact: LockItem): ModelItem {
  const { path, level, stable, scope, range, key, ifVersion } = fact
  return {
    path,
    leaf: level === 'read' && stable === true ? 'stable' : level,
    subtree: scope === 'subtree',
    range: range && [range.start, range.end ?? Number.POSITIVE_INFINITY],
    isMetadata: key === 'metadata',
    ifVersion,
  }
}

export function leavesConflict(a: Leaf, b: Leaf): boolean {
  if (a === 'exclusive' || b === 'exclusive') return true
  if (a === 'write') return b === 'write' || b === 'stable'
  if (b === 'write') return a === 'stable'
  return false
}

/** Where two items meet: the path of the upper one, or nowhere. */
export function meetingPoint(a: ModelItem, b: ModelItem): string | undefined {
  if (a.path === b.path) {
    if (a.isMetadata !== b.isMetadata) return undefined
    if (a.range === undefined || b.range === undefined) return nodeOf(a)
    // Two ranges meet in the file, not on it.
    return rangesMeet(a.range, b.range) ? `${a.path} (bytes)` : undefined
  }
  if (isAncestor(a.path, b.path)) return a.isMetadata ? undefined : nodeOf(a)
  if (isAncestor(b.path, a.path)) return b.isMetadata ? undefined : nodeOf(b)
  return undefined
}

export function itemsClash(a: ModelItem, b: ModelItem): boolean {
  return leavesConflict(a.leaf, b.leaf) && meetingPoint(a, b) !== undefined
}

export function nodeOf(item: ModelItem): string {
  return item.isMetadata ? `${item.path} (metadata)` : item.path
}

export function rangesMeet([a, b]: [number, number], [c, d]: [number, number]): boolean {
  return a < d && c < b
}

export function isAncestor(folder: string, path: string): boolean {
  if (folder === path) return false
  return folder === '/' || path.startsWith(`${folder}/`)
}
