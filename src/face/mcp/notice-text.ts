import type { Notice } from '../../contract/door.ts'

/** How a notice reads to an agent: its sentence is for every door; which tool helps is said here. */
export function noticeText({ kind, text, lock, ask }: Notice): string {
  if (kind === 'asked' && ask !== undefined) return `${text} Use ask_holder with ask "${ask}".`
  if (kind === 'recalled' && lock !== undefined) {
    return `${text} Use release_lock, or change_lock with to "read" or "extend".`
  }
  return text
}

/** What asks something of the holder of a lock is over when that is gone. */
export function stillConcerns({ kind, lock }: Notice, held: readonly { id: string }[]): boolean {
  if (lock === undefined || !OF_HOLDERS.has(kind)) return true
  return held.some(({ id }) => id === lock)
}

const OF_HOLDERS: ReadonlySet<Notice['kind']> = new Set(['waiting', 'recalled', 'asked'])
