import type { Notice } from '../../contract/door.ts'

interface Kind {
  /** It asks something of the holder of a lock. */
  ofHolder: boolean
  /** Which tool helps. */
  next?(notice: Notice): string | undefined
}

const KINDS: Record<Notice['kind'], Kind> = {
  waiting: { ofHolder: true },
  recalled: {
    ofHolder: true,
    next: ({ lock }) =>
      lock === undefined
        ? undefined
        : 'Use release_lock, or change_lock with to "read" or "extend".',
  },
  recall_ended: { ofHolder: false },
  asked: {
    ofHolder: true,
    next: ({ ask }) => (ask === undefined ? undefined : `Use ask_holder with ask "${ask}".`),
  },
  answered: { ofHolder: false },
  lost: { ofHolder: false },
  handed_over: { ofHolder: false },
  granted: { ofHolder: false },
  changed: { ofHolder: false },
  overlapped: { ofHolder: false },
}

/** How a notice reads to an agent: its sentence is for every door; which tool helps is said here. */
export function noticeText(notice: Notice): string {
  const next = KINDS[notice.kind].next?.(notice)
  return next === undefined ? notice.text : `${notice.text} ${next}`
}

/** What asks something of the holder of a lock is over when that is gone. */
export function stillConcerns({ kind, lock }: Notice, held: readonly { id: string }[]): boolean {
  if (lock === undefined || !KINDS[kind].ofHolder) return true
  return held.some(({ id }) => id === lock)
}
