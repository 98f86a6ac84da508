import type { FileChange, LockItem } from '../../src/contract/events.ts'

/** A hold as the facts tell it; plain on purpose, so that it shares no reasoning with the core. */
export interface Hold {
  id: number
  fence: number
  agent: string
  session: string
  items: readonly LockItem[]
  /** Ranges that a write has moved since: still held, and where is for the model to know. */
  moved: readonly LockItem[]
  /** How long its paths stay closed when it is lost; undefined: as the workspace says. */
  delayMs: number | undefined
  /** Lost, and closed to everybody until it is opened. */
  isClosed: boolean
}

/** Names that files take for one are one for locks (files §19); those of files are all small here. */
export function folded(items: readonly LockItem[]): readonly LockItem[] {
  return items.map((item) => ({ ...item, path: item.path.toLowerCase() }))
}

export function isBelow(folder: string, path: string): boolean {
  return folder === '/' ? path !== '/' : path.startsWith(`${folder}/`)
}

/** locks §1, §2 on one place: whether two levels of different owners exclude each other. */
function excludes(a: LockItem, b: LockItem): boolean {
  if (a.level === 'exclusive' || b.level === 'exclusive') return true
  if (a.level === 'write' && b.level === 'write') return true
  const isStable = (item: LockItem): boolean => item.level === 'read' && item.stable === true
  return (a.level === 'write' && isStable(b)) || (b.level === 'write' && isStable(a))
}

/** Whether two items are about something in common (decision 0008, 1 to 3). */
function meets(a: LockItem, b: LockItem): boolean {
  if (a.key !== b.key) {
    const [metadata, content] = a.key === undefined ? [b, a] : [a, b]
    return isBelow(content.path, metadata.path)
  }
  if (a.key === undefined && (isBelow(a.path, b.path) || isBelow(b.path, a.path))) return true
  if (a.path !== b.path) return false
  if (a.range === undefined || b.range === undefined) return true
  const { start, end = Number.POSITIVE_INFINITY } = a.range
  const { start: other, end: otherEnd = Number.POSITIVE_INFINITY } = b.range
  return start < otherEnd && other < end
}

export function clash(a: readonly LockItem[], b: readonly LockItem[]): boolean {
  return a.some((x) => b.some((y) => meets(x, y) && excludes(x, y)))
}

/**
 * After a write ranges behind it have moved, and where to is not for these plain checks: the model
 * knows. What is left in `items` is what a hold surely keeps.
 */
export function settled(items: readonly LockItem[], written: string): readonly LockItem[] {
  return items.some((item) => isMoved(item, written))
    ? items.filter((item) => !isMoved(item, written))
    : items
}

export function isMoved({ range, path }: LockItem, written: string): boolean {
  return range !== undefined && path === written
}

/** Whether a write to `path` is covered by one of the items. */
export function coversWrite(items: readonly LockItem[], path: string): boolean {
  return items.some(
    (item) =>
      item.level !== 'read' &&
      item.key === undefined &&
      (item.path === path || (item.scope === 'subtree' && isBelow(item.path, path))),
  )
}

/** Whether only some bytes of a file are written: a lock of a range may be about others, or these. */
export function isPart(change: FileChange): boolean {
  return change.op === 'write' && (change.how === 'append' || change.how === 'edit')
}
