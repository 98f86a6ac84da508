import { type Refusal, refuse } from '../../contract/errors.ts'

/**
 * Counts failed authentications by remote address, so that nobody can try tokens at leisure. One for
 * all doors of a server: another door is no other budget. The map is bounded: when it is full, the
 * address that failed longest ago is forgotten.
 */
export interface FailureLimit {
  /** Seconds until the address may try again; 0: now. */
  waitSeconds(address: string): number
  record(address: string): void
}

/** What an unknown token is answered; the failure is counted against the address. */
export function refuseToken(failures: FailureLimit, address: string): Refusal {
  const waitSeconds = failures.waitSeconds(address)
  if (waitSeconds > 0) {
    return refuse(
      'rate_limited',
      'Too many failed authentications from your address; try again later.',
      { retry_after_s: waitSeconds, limit: 'failed authentications of one address' },
    )
  }
  failures.record(address)
  return refuse('unauthenticated', 'The token is not known here: it is wrong, or it was revoked.')
}

const FAILURES_MOST = 20
const WINDOW_MS = 60_000
const ADDRESSES_MOST = 10_000

export function createFailureLimit(now: () => number = () => performance.now()): FailureLimit {
  const byAddress = new Map<string, { count: number; since: number }>()
  return {
    waitSeconds(address) {
      const entry = byAddress.get(address)
      if (entry === undefined || entry.count < FAILURES_MOST) return 0
      const leftMs = entry.since + WINDOW_MS - now()
      if (leftMs > 0) return Math.ceil(leftMs / 1000)
      byAddress.delete(address)
      return 0
    },
    record(address) {
      const entry = byAddress.get(address)
      if (entry !== undefined && now() - entry.since < WINDOW_MS) {
        entry.count += 1
        return
      }
      // Put in anew, so that the map's order stays the order of age.
      byAddress.delete(address)
      byAddress.set(address, { count: 1, since: now() })
      if (byAddress.size > ADDRESSES_MOST) {
        const oldest = byAddress.keys().next()
        if (!oldest.done) byAddress.delete(oldest.value)
      }
    },
  }
}
