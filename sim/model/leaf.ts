import type { LockItem } from '../../src/contract/events.ts'

/**
 * Items and what stands against what: the leaf relation of locks §2 on paths that overlap. There is
 * no tree and no intention here; that the tree comes to the same is what the model is for.
 */
export type Leaf = 'read' | 'stable' | 'write' | 'exclusive'

export interface Piece {
  path: string
  leaf: Leaf
  /** `[from, to)` in bytes; the whole file without it. */
  range: { from: number; to: number } | undefined
  isMetadata: boolean
  isSubtree: boolean
  ifVersion: number | undefined
}

const AGAINST: Record<Leaf, readonly Leaf[]> = {
  read: ['exclusive'],
  stable: ['write', 'exclusive'],
  write: ['stable', 'write', 'exclusive'],
  exclusive: ['read', 'stable', 'write', 'exclusive'],
}

export const STRENGTH: Record<Leaf, number> = { read: 0, stable: 1, write: 2, exclusive: 3 }

type Asked = Pick<LockItem, 'path' | 'level'> & {
  [K in 'stable' | 'scope' | 'range' | 'key' | 'ifVersion']?: LockItem[K] | undefined
}

export function pieceOf({ path, level, stable, scope, range, key, ifVersion }: Asked): Piece {
  return {
    // Names that files take for one are one for locks (files §19); those of files are all small here.
    path: path.toLowerCase(),
    leaf: leafOf(level, stable),
    range: range && { from: range.start, to: range.end ?? Number.POSITIVE_INFINITY },
    isMetadata: key === 'metadata',
    isSubtree: scope === 'subtree',
    ifVersion,
  }
}

export function leafOf(level: LockItem['level'], stable: boolean | undefined): Leaf {
  return level === 'read' && stable === true ? 'stable' : level
}

/** The node on which the paths of both come together, whatever their levels; undefined: nowhere. */
export function commonNode(a: Piece, b: Piece): string | undefined {
  if (a.path === b.path) {
    if (a.isMetadata !== b.isMetadata) return undefined
    if (a.range === undefined || b.range === undefined) return ownNode(a)
    return a.range.from < b.range.to && b.range.from < a.range.to ? `${a.path}#bytes` : undefined
  }
  // Metadata has nothing below it, and lies below the folders that its path lies in.
  if (contains(a.path, b.path)) return a.isMetadata ? undefined : a.path
  if (contains(b.path, a.path)) return b.isMetadata ? undefined : b.path
  return undefined
}

export function contains(folder: string, path: string): boolean {
  if (folder === '/') return path !== '/'
  return path.length > folder.length && path[folder.length] === '/' && path.startsWith(folder)
}

export function ownNode({ path, isMetadata }: Piece): string {
  return isMetadata ? `${path}#metadata` : path
}

export function opposed(a: Leaf, b: Leaf): boolean {
  return AGAINST[a].includes(b)
}

export function conflicts(a: Piece, b: Piece): boolean {
  return opposed(a.leaf, b.leaf) && commonNode(a, b) !== undefined
}

export function anyConflict(all: readonly Piece[], others: readonly Piece[]): boolean {
  return all.some((a) => others.some((b) => conflicts(a, b)))
}

/** The same key of the table, whatever the level. */
export function isSameKey(a: Piece, b: Piece): boolean {
  return (
    a.path === b.path &&
    a.isMetadata === b.isMetadata &&
    a.range?.from === b.range?.from &&
    a.range?.to === b.range?.to
  )
}

/** What is held is enough for what is asked. */
export function covers(held: Piece, piece: Piece): boolean {
  if (STRENGTH[held.leaf] < STRENGTH[piece.leaf]) return false
  if (held.path !== piece.path) {
    return held.isSubtree && !held.isMetadata && contains(held.path, piece.path)
  }
  if (held.isMetadata !== piece.isMetadata) return false
  if (held.range === undefined) return true
  if (piece.range === undefined) return false
  return held.range.from <= piece.range.from && held.range.to >= piece.range.to
}

/** locks §7: duplicates come to the strongest level. */
export function merged(pieces: readonly Piece[]): Piece[] {
  const all: Piece[] = []
  for (const piece of pieces) {
    const same = all.find((one) => isSameKey(one, piece))
    if (same === undefined) all.push({ ...piece })
    else {
      if (STRENGTH[piece.leaf] > STRENGTH[same.leaf]) same.leaf = piece.leaf
      same.isSubtree ||= piece.isSubtree
      same.ifVersion ??= piece.ifVersion
    }
  }
  return all
}

export function told(pieces: readonly Piece[]): string {
  return pieces
    .map((one) => {
      const bytes = one.range === undefined ? '' : `[${one.range.from}, ${one.range.to})`
      return `${one.leaf} ${ownNode(one)}${bytes}`
    })
    .join(' + ')
}
