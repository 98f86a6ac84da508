/**
 * The lock that an answer has newly granted; undefined where there is none, or it was held before: of
 * these, who gave the call up gives nothing back (locks §10).
 */
export function newGrantOf(answer: unknown): string | undefined {
  const { status, lock, already_held, raised } = (answer ?? {}) as Answer
  return status === 'granted' && already_held !== true && raised !== true ? lock?.id : undefined
}

interface Answer {
  status?: unknown
  lock?: { id: string }
  already_held?: unknown
  raised?: unknown
}
